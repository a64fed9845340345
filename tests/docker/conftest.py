"""What the Docker tier shares: an engine, the projects of all combinations, and their stacks."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dockwright.matrix import combination_id, combinations
from dockwright.template import load
from tests.docker.stack import Project, Stack, free_port, remove_leftovers, running

# The version of Python changes what is installed, and nothing else: a sample on top of all combinations.
COMBINATIONS = combinations() + combinations(python_version="3.13", base_image="slim", redis="cache-and-queue")
# In the name of all that a run makes; its workers inherit it.
RUN = os.environ.setdefault("DOCKWRIGHT_TEST_RUN", uuid4().hex[:6])
# Every framework on every base image, every database and every use of Redis: for what is much the same everywhere.
SAMPLE = combinations()[::19]
# Not 1000, which so many images and tools take for granted.
OWNER = 1234
LOUD = "THE DOCKER TIER DID NOT RUN: no Docker Engine with compose answers. `make test` says what to install."


def engine_answers() -> bool:
    """Say whether there is a Docker Engine, with compose."""
    commands = (["docker", "info"], ["docker", "compose", "version"])
    return shutil.which("docker") is not None and all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands
    )


ENGINE = engine_answers()


def pytest_xdist_auto_num_workers() -> int:
    """Run a stack more than there are cores: while one waits to be healthy, the others work."""
    return 1 + (os.cpu_count() or 1)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep a combination on one worker; without an engine pass all of them over, but not in CI.

    Its two stacks have layers in common, which the engine may build twice when it is asked for both at once.
    """
    if belongs_here(item):
        item.add_marker(pytest.mark.xdist_group(stack_of(item)[0]))
        if not ENGINE and os.environ.get("CI") != "true":
            item.add_marker(pytest.mark.skip(reason=LOUD))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a stack together, and the two stacks of a combination."""
    here = sorted(filter(belongs_here, items), key=lambda item: (stack_of(item), item.path, item.location[1] or 0))
    items[:] = [item for item in items if not belongs_here(item)] + here


def belongs_here(item: pytest.Item) -> bool:
    """Say whether a test is of this tier."""
    return item.path.parent == Path(__file__).parent


def stack_of(item: pytest.Item) -> tuple[str, str]:
    """Return the combination that a test is about, and which of its stacks it runs on."""
    if not hasattr(item, "callspec"):
        return "default", ""
    stack, combination = item.callspec.params["project"]
    return combination_id(combination), stack


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what an interrupted run has left behind, once its workers have ended."""
    if ENGINE and not hasattr(session.config, "workerinput"):
        remove_leftovers(RUN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what did not run."""
    if not ENGINE:
        terminalreporter.section(LOUD, sep="!", red=True, bold=True)


@pytest.fixture(scope="session")
def engine() -> str:
    """Return the version of the engine; fail where none answers."""
    assert ENGINE, LOUD
    return subprocess.check_output(["docker", "version", "--format", "{{.Server.Version}}"], text=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a project for every combination, or for those that its `only_where` mark describes."""
    if "project" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("only_where")
        only = mark.kwargs if mark else {}
        chosen = SAMPLE if metafunc.definition.get_closest_marker("sampled") else COMBINATIONS
        wanted = [cell for cell in chosen if all(cell[name] in choices for name, choices in only.items())]
        stack = "development" if "development" in metafunc.fixturenames else "production"
        params, ids = [(stack, cell) for cell in wanted], map(combination_id, wanted)
        metafunc.parametrize("project", params, ids=ids, indirect=True, scope="session")


@pytest.fixture(scope="session")
def project(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project of its own for each stack, under a name that no other run uses."""
    assert engine
    stack, combination = request.param
    slug = f"{combination_id(combination).replace('.', '-')}-{stack[:3]}-{RUN}"
    answers = load().complete({**combination, "project_slug": slug})
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
