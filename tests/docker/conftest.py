"""What the Docker tests share: an engine, the projects of all cells, and their stacks.

Each cell is built for production and development, started and probed: by the tests that are marked `every`. The others
are about what depends on one or two answers, and run on the covering sample or on a part of it (tests.docker.cells).
With `--full` every test runs on every cell that it is about.
"""

import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dockwright.matrix import combination_id
from dockwright.template import load
from tests.docker.cells import CELLS, SAMPLE, port, select
from tests.docker.stack import Project, Stack, free_port, remove_leftovers, running, wait_for

# Part of the name of everything that a run makes; its workers inherit it.
RUN = os.environ.setdefault("DOCKWRIGHT_TEST_RUN", uuid4().hex[:6])
# Not 1000, which many images and tools assume.
OWNER = 1234
NO_ENGINE = "THE DOCKER TESTS DID NOT RUN: no Docker Engine with compose answers. `make test` says what to install."
MARKERS = (
    "only_where(**choices): run a Docker test on cells with these answers only",
    "every: run a Docker test on every cell, not on the covering sample",
    "one_for_each(*options): run a Docker test on one cell for each answer to these options",
    "alone: run a Docker test when no other runs, as root (make test-alone)",
)


def engine_answers() -> bool:
    """Tell whether there is a Docker Engine, with compose."""
    commands = (["docker", "info"], ["docker", "compose", "version"])
    return shutil.which("docker") is not None and all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands
    )


ENGINE = engine_answers()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that run more: every test on every cell, and what takes long."""
    parser.addoption("--full", action="store_true", help="run each Docker test on every cell, not on a sample")
    parser.addoption("--long", action="store_true", help="run the failures that take long, too")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks that choose cells."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the failures that take long, without `--long`."""
    return True if collection_path.name == "test_outages.py" and not config.getoption("--long") else None


def pytest_xdist_auto_num_workers() -> int:
    """Run twice as many stacks as there are cores: while one waits, for a health check or a time limit, others work."""
    return 2 * (os.cpu_count() or 1)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep a cell on one worker; without an engine skip its tests, but not in CI.

    The two stacks of a cell have layers in common, which the engine may build twice if it is asked for both at once.
    """
    if belongs_here(item):
        item.add_marker(pytest.mark.xdist_group(stack_of(item)[0]))
        if not ENGINE and os.environ.get("CI") != "true":
            item.add_marker(pytest.mark.skip(reason=NO_ENGINE))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a stack together, and the two stacks of a cell; begin with the groups that take longest."""
    sampled = {"default", *map(combination_id, SAMPLE)}

    def position(item: pytest.Item) -> tuple[object, ...]:
        cell, stack = stack_of(item)
        return cell not in sampled, cell, stack, item.path, item.location[1] or 0

    here = sorted(filter(belongs_here, items), key=position)
    items[:] = [item for item in items if not belongs_here(item)] + here


def belongs_here(item: pytest.Item) -> bool:
    """Tell whether a test is a Docker test."""
    return item.path.parent == Path(__file__).parent


def stack_of(item: pytest.Item) -> tuple[str, str]:
    """Return the id of the cell that a test is about, and which of its stacks it runs on."""
    if not hasattr(item, "callspec") or "project" not in item.callspec.params:
        return "default", ""
    stack, cell = item.callspec.params["project"]
    return combination_id(cell), stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what its stack's services are doing and what they logged."""
    report = yield
    if report.failed:
        for stack in getattr(item, "funcargs", {}).values():
            if isinstance(stack, Stack):
                report.sections.append((f"services of {stack.file}", stack.describe()))
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what an interrupted run has left behind, once its workers have ended."""
    if ENGINE and not hasattr(session.config, "workerinput"):
        remove_leftovers(RUN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what became of the requests while something failed, and loudly what did not run."""
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    told = [
        f"{report.nodeid.rpartition('::')[2].partition('@')[0]}: {value}"
        for report in reports
        for name, value in report.user_properties
        if name == "requests"
    ]
    if told:
        terminalreporter.section("requests")
        terminalreporter.write_line("\n".join(sorted(told)))
    if not ENGINE:
        terminalreporter.section(NO_ENGINE, sep="!", red=True, bold=True)


@pytest.fixture(scope="session")
def engine() -> str:
    """Return the version of the engine; fail if none answers."""
    assert ENGINE, NO_ENGINE
    return subprocess.check_output(["docker", "version", "--format", "{{.Server.Version}}"], text=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a project on the cells that its marks select."""
    if "project" in metafunc.fixturenames:
        find = metafunc.definition.get_closest_marker
        only_where, one_for_each = find("only_where"), find("one_for_each")
        chosen = select(
            {} if only_where is None else only_where.kwargs,
            every=bool(find("every")) or metafunc.config.getoption("--full"),
            one_for_each=None if one_for_each is None else one_for_each.args,
        )
        stack = "development" if "development" in metafunc.fixturenames else "production"
        params, ids = [(stack, cell) for cell in chosen], map(combination_id, chosen)
        metafunc.parametrize("project", params, ids=ids, indirect=True, scope="session")


@pytest.fixture(scope="session")
def project(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project of its own for each stack, under a name that no other run uses."""
    assert engine
    stack, cell = request.param
    name = combination_id(cell)
    slug = f"dw-{CELLS.index(cell)}-{stack[:3]}-{RUN}"
    answers = load().complete({**cell, "project_name": f"{name} {stack}", "project_slug": slug, "port": port(cell)})
    project = Project(load().render(answers, tmp_path_factory.mktemp("project")), answers, free_port())
    (project.directory / ".env").write_text(f"PORT={project.port}\n", encoding="utf-8")
    yield project
    project.remove_images()


@pytest.fixture(scope="session")
def image(project: Project) -> str:
    """Build the production image, from a checkout full of what must not reach it, and return its tag."""
    if project.needs_secrets:
        project.run("make", "secrets")
    project.litter()
    # As in the checkout of somebody whose umask is 077.
    project.run("chmod", "--recursive", "go-rwx", "app", *["migrations"] * project.has_database)
    project.run("make", "build")
    return project.production_image


@pytest.fixture(scope="session")
def production(project: Project, image: str) -> Iterator[Stack]:
    """Start the project's production stack."""
    assert image
    with running(project, "compose.prod.yaml", f"{project.slug}-prod", "up --detach --wait") as stack:
        yield stack


@pytest.fixture(scope="session")
def development(project: Project) -> Iterator[Stack]:
    """Start the project's development stack, on a checkout that belongs to a user of the host."""
    if os.getuid() == 0:
        project.run("chown", "--recursive", f"{OWNER}:{OWNER}", ".")
    with running(project, "compose.yaml", project.slug, "up --build --detach --wait") as stack:
        yield stack


@pytest.fixture
def settled(production: Stack) -> None:
    """Wait until no service counts as unhealthy: one that was paused does until its next check, in half a minute."""
    wait_for(
        lambda: (
            not [
                name
                for name, container in production.containers().items()
                if container["State"].get("Health", {}).get("Status") == "unhealthy"
            ]
        ),
        seconds=120,
    )
