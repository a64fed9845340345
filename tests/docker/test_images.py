"""Images, every combination: what is in them, what is not, and what a new build does again."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.docker.stack import PLANTED, SECRET, Project

COMPILERS = ("cc", "gcc", "g++", "clang", "make")


@pytest.fixture(scope="session")
def found(project: Project, image: str) -> dict[str, Any]:
    """Return what is found in the image from inside."""
    config = json.loads(project.run("docker", "image", "inspect", image))[0]["Config"]
    kind, *check = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    modules = ["app.main", "app.serve", *["app.worker"] * project.queues, *["alembic.command"] * project.stores]
    look = Path(__file__).with_name("look.py").read_text(encoding="utf-8")
    command = ("docker", "run", "--rm", "--no-healthcheck", "--user", "0", image, "python", "-B", "-c", look)
    facts: dict[str, Any] = json.loads(project.run(*command, project.answers["port"], ",".join(modules), *check))
    return facts


def rerun(log: str) -> list[str]:
    """Return the instructions that a build ran again, from its plain log."""
    steps = dict(re.findall(r"^#(\d+) \[(?:\w+ )?\d+/\d+\] (.+)$", log, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", log, re.MULTILINE))
    return [step for number, step in steps.items() if number not in cached and not step.startswith("FROM ")]


def test_image_holds_what_it_runs_and_nothing_else(project: Project, found: dict[str, Any]) -> None:
    """Nothing that lay around in the checkout is in the image, nor tests, uv, caches or compilers."""
    files = set(found["files"])
    assert "/app/app/main.py" in files
    assert {f"/app/{name}" for name in PLANTED}.isdisjoint(files)
    top = {Path(path).relative_to("/app").parts[0] for path in files if path.startswith("/app/")}
    assert top == {"app", "migrations"} if project.stores else {"app"}
    names = {Path(path).name for path in files if "/bin/" in path}
    assert "uv" not in names
    assert not [path for path in files if re.match(r"/root/\.cache/.+|.*/pip/cache|/var/cache/apk/.+", path)]
    assert not [path for path in files if path.endswith("/test_products.py")]
    assert not [path for path in files if re.match(r"/opt/venv/.+\.(c|cpp|h|hpp|pxd|pyx)$", path)]
    if project.answers["base_image"] != "full":
        assert names.isdisjoint(COMPILERS)


def test_image_tells_no_secret(project: Project, image: str) -> None:
    """Neither its history nor its settings nor its own files hold anything secret, and it does not run as root."""
    history = project.run("docker", "history", "--no-trunc", image)
    text = project.run("docker", "image", "inspect", image)
    for told in (history, text):
        assert SECRET not in told
        assert not re.search(r"password|secret|token|://[^/\s]*:[^/\s]*@", told, re.IGNORECASE)
    config = json.loads(text)[0]["Config"]
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", "app.serve"]
    assert config["Labels"]["org.opencontainers.image.title"] == project.answers["project_name"]


def test_health_check_fails_on_a_server_error(found: dict[str, Any]) -> None:
    """The image's health check passes on a 200, and fails on a 5xx and where nobody answers."""
    assert found["health"] == {"200": 0, "500": 1, "503": 1}
    assert found["nobody"] == 1


def test_stops_while_starting(project: Project, found: dict[str, Any]) -> None:
    """A server or worker that is told to stop before it has begun does so: PID 1 has no other way to hear of it."""
    processes = ["app.serve", *["app.worker"] * project.queues]
    assert found["stopped early"] == {f"{name} {stop}": [0, ""] for name in processes for stop in ("SIGINT", "SIGTERM")}


@pytest.mark.only_where(database=("sqlite",))
def test_interrupted_start_leaves_no_half_made_database(found: dict[str, Any]) -> None:
    """A server that is killed while it creates its database leaves a whole one or none: the next start uses it."""
    assert set(found["interrupted database"]) == {"alembic_version", "products"}


def test_what_the_server_imports_is_compiled(found: dict[str, Any]) -> None:
    """No module outside the application is compiled anew whenever a container starts."""
    assert found["uncompiled"] == []


def test_start_imports_what_serves_alone(project: Project, found: dict[str, Any]) -> None:
    """What only migrations, tests or other answers need is not imported when the server starts."""
    idle = {"alembic", "mako", "pytest", "unittest"}
    idle |= set() if project.stores else {"sqlalchemy"}
    idle |= set() if project.caches or project.queues else {"redis"}
    idle |= set() if project.queues else {"rq"}
    assert "app" in found["imported"]
    assert idle.isdisjoint(found["imported"])


def test_extension_modules_carry_no_debug_information(found: dict[str, Any]) -> None:
    """Extension modules end where what is loaded of them ends."""
    assert found["strippable"] == []


def test_layers_are_few_and_small(project: Project, image: str) -> None:
    """On its base the image has a layer for each thing that changes by itself, and an edit sends a few kilobytes.

    One step installs and the others only add: what is not in the image is not hidden in one of its layers either.
    """
    base = project.run("sed", "-n", "s/^FROM \\(.*\\) AS base$/\\1/p", "Dockerfile").strip()
    count = "{{len .RootFS.Layers}}"
    mine, theirs = (int(project.run("docker", "image", "inspect", "--format", count, name)) for name in (image, base))
    # The directory, the packages and the application; the migrations; the directory of the embedded database
    assert mine - theirs == 3 + project.stores + (project.answers["database"] == "sqlite")
    log = ("docker", "history", "--human=false", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}")
    made, below = (project.run(*log, name).splitlines() for name in (image, base))
    sizes = [int(line.split()[0]) for line in made[: -len(below)] if " COPY " in line]
    assert len(sizes) == 1 + project.stores
    assert all(size < 100_000 for size in sizes)


@pytest.mark.sampled
def test_no_layer_holds_what_a_later_one_removes(project: Project, image: str) -> None:
    """What must not be in the image is not hidden in one of its layers either."""
    archive = project.directory.parent / "image.tar"
    project.run("docker", "save", "--output", str(archive), image)
    names: set[str] = set()
    with tarfile.open(archive) as layers:
        for member in layers.getmembers():
            content = layers.extractfile(member)
            if content is None or not member.name.startswith("blobs/") or member.size < 10_000:
                continue
            with tarfile.open(fileobj=content) as layer:
                names.update(f"/{name}" for name in layer.getnames())
    archive.unlink()
    assert "/app/app/main.py" in names
    assert {f"/app/{name}" for name in PLANTED}.isdisjoint(names)
    assert not [name for name in names if name.endswith(("/bin/uv", "/id_rsa")) or name.startswith("/root/.cache/uv/")]


def test_settings_are_checked_at_the_start(project: Project, image: str) -> None:
    """A setting that is missing or malformed, or no place for the database, stops the container with one sentence."""
    wrong = {"LOG_LEVEL": ["--env", "LOG_LEVEL=loud"]}
    if project.needs_secrets:
        wrong["DATABASE_URL"] = []
    if project.answers["database"] == "sqlite":
        wrong["/data/app.db"] = ["--read-only", "--env", "REDIS_URL=redis://redis"]
    for name, options in wrong.items():
        said = project.run("docker", "run", "--rm", *options, image, expect=1)
        assert name in said
        assert len(said.splitlines()) == 1
        assert "Traceback" not in said


# Each change is one that no build has seen before: the engine remembers for longer than a test runs.
def test_edit_reruns_the_copy_alone(project: Project, image: str) -> None:
    """After an edit of application code nothing runs again but the copy of that code."""
    source = project.directory / "app" / "main.py"
    before = source.read_text(encoding="utf-8")
    source.write_text(f"{before}# {uuid4()}\n", encoding="utf-8")
    assert rerun(project.build(tag=f"{image}-edited")) == ["COPY --chmod=755 app app"]
    source.write_text(before, encoding="utf-8")


def test_added_dependency_downloads_itself_alone(project: Project, image: str) -> None:
    """After one dependency was added, none of the others is downloaded again."""
    requirements = project.directory / "requirements.txt"
    before = requirements.read_text(encoding="utf-8")
    tools = (project.directory / "requirements-dev.txt").read_text(encoding="utf-8")
    added = re.search(r"^pluggy==.+?(?=^\S)", tools, re.MULTILINE | re.DOTALL)
    assert added is not None
    # The engine may have dropped the download cache and kept the layers: then the first build fills it.
    for _ in range(2):
        requirements.write_text(f"{before}{added[0]}# {uuid4()}\n", encoding="utf-8")
        log = project.build(tag=f"{image}-added")
        assert "+ pluggy==" in log
        downloaded = re.search(r"Prepared (\d+) package", log)
        if downloaded is None or downloaded[1] == "1":
            break
    else:
        pytest.fail(f"downloaded again:\n{log}")
    requirements.write_text(before, encoding="utf-8")
