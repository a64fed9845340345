"""Images: what is in them, what is not, what a new build does again, and how a container starts and stops."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.docker.stack import PLANTED, SECRET, Project

COMPILERS = {"cc", "gcc", "g++", "clang", "make"}


@pytest.fixture(scope="session")
def config(project: Project, image: str) -> dict[str, Any]:
    """Return the configuration of the image."""
    facts: dict[str, Any] = json.loads(project.run("docker", "image", "inspect", image))[0]["Config"]
    return facts


@pytest.fixture(scope="session")
def found(project: Project, image: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return what is found in the image from inside."""
    kind, *check = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    look = Path(__file__).with_name("look.py").read_text(encoding="utf-8")
    command = ("docker", "run", "--rm", "--no-healthcheck", "--user", "0", image, "python", "-B", "-c", look)
    facts: dict[str, Any] = json.loads(project.run(*command, project.answers["port"], *check))
    return facts


def test_image_holds_what_it_runs_and_nothing_else(project: Project, found: dict[str, Any]) -> None:
    """Nothing that lay around in the checkout is in the image, nor tests, uv, caches or compilers."""
    files = set(found["files"])
    assert "/app/app/main.py" in files
    assert {f"/app/{name}" for name in PLANTED}.isdisjoint(files)
    top = {Path(path).relative_to("/app").parts[0] for path in files if path.startswith("/app/")}
    assert top == ({"app", "migrations"} if project.has_database else {"app"})
    assert not [path for path in files if re.match(r"/root/\.cache/.+|.*/pip/cache|/var/cache/apk/.+", path)]
    assert not [path for path in files if path.endswith(("/test_health.py", "/pytest", "/mypy", "/ruff"))]
    programs = {Path(path).name for path in files if "/bin/" in path}
    assert "uv" not in programs
    if project.answers["base_image"] != "full":
        assert programs.isdisjoint(COMPILERS)


def test_image_tells_no_secret(project: Project, image: str, config: dict[str, Any]) -> None:
    """Neither its history nor its settings nor its own files hold anything secret, and it does not run as root."""
    for told in (project.run("docker", "history", "--no-trunc", image), json.dumps(config)):
        assert SECRET not in told
        # A path such as /root/.netrc, where a secret is mounted during the build, tells nothing.
        assert not re.search(r"password|token|://[^/\s]*:[^/\s]*@", told, re.IGNORECASE)
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", "app.serve"]
    assert config["Labels"]["org.opencontainers.image.title"] == project.answers["project_name"]
    assert set(config["ExposedPorts"]) == {f"{project.answers['port']}/tcp"}


def test_health_check(found: dict[str, Any]) -> None:
    """The health check passes on a 200 of /health, on whatever port the service listens, and fails on all else."""
    assert found["health"] == {"200": 0, "404": 1, "500": 1, "503": 1}
    assert found["other port"] == 0
    assert found["nobody"] == 1


def test_what_the_server_imports_is_compiled(found: dict[str, Any]) -> None:
    """A start compiles no package, and little of the standard library."""
    assert [name for name, of_package, compiled in found["imported"] if of_package and not compiled] == []
    standard = [(name, compiled) for name, of_package, compiled in found["imported"] if not of_package]
    uncompiled = [name for name, compiled in standard if not compiled]
    assert len(uncompiled) < len(standard) / 10, uncompiled


def test_layers_are_few_and_small(project: Project, image: str) -> None:
    """On its base the image has a layer for each thing that changes by itself, and an edit sends a few kilobytes."""
    base = re.findall(r"^FROM (python\S+)", (project.directory / "Dockerfile").read_text(encoding="utf-8"))[-1]
    log = ("docker", "history", "--human=false", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}")
    made, below = (project.run(*log, name).splitlines() for name in (image, base))
    mine = made[: -len(below)]
    # uv's step or, with a build stage, the copy of what it installed, and the standard library's bytecode
    large = [line for line in mine if int(line.split()[0]) > 500_000]
    assert len(large) == (2 if project.answers["base_image"] == "full" else 1), large
    copies = [line for line in mine if re.search(r" COPY .*(app app|migrations migrations)", line)]
    assert len(copies) == 1 + project.has_database
    assert all(int(line.split()[0]) < 200_000 for line in copies)


@pytest.mark.one_for_each("base_image")
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


# Each change is one that no build has seen before: the engine remembers for longer than a test runs.
def test_edit_reruns_the_copy_alone(project: Project, image: str) -> None:
    """After an edit of application code nothing runs again but the copy of that code."""
    source = project.directory / "app" / "main.py"
    before = source.read_text(encoding="utf-8")
    source.write_text(f"{before}# {uuid4()}\n", encoding="utf-8")
    (copy,) = rerun(project.build(tag=f"{image}-edited"))
    assert re.fullmatch(r"COPY .*app app", copy)
    source.write_text(before, encoding="utf-8")


@pytest.mark.one_for_each("base_image")
def test_added_dependency_downloads_itself_alone(project: Project, image: str) -> None:
    """After one dependency was added, none of the others is downloaded again, and it is compiled like them."""
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
    compiled = "import os, pluggy; print(os.path.exists(pluggy.__spec__.cached))"
    assert project.run("docker", "run", "--rm", f"{image}-added", "python", "-c", compiled) == "True\n"


@pytest.mark.only_where(base_image=["full"])
@pytest.mark.one_for_each("framework")
def test_dependency_without_a_wheel_compiles(project: Project, image: str) -> None:
    """With the full base image a dependency that is published as source only is locked, compiled and installed.

    What the build stage needs for that isn't in the image.
    """
    dockerfile = project.directory / "Dockerfile"
    pyproject = project.directory / "pyproject.toml"
    before = {path: path.read_text(encoding="utf-8") for path in project.directory.glob("requirements*.txt")}
    before[pyproject], before[dockerfile] = (path.read_text(encoding="utf-8") for path in (pyproject, dockerfile))
    assert "dependencies = [" in before[pyproject]
    assert "AS build\n" in before[dockerfile]
    dockerfile.write_text(
        before[dockerfile].replace("AS build\n", "AS build\nRUN touch /usr/bin/cargo\n"), encoding="utf-8"
    )
    pyproject.write_text(
        before[pyproject].replace("dependencies = [", 'dependencies = [\n  "docopt",', 1), encoding="utf-8"
    )
    project.run("make", "lock")
    project.build(tag=f"{image}-source")
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")
    found = "import docopt, shutil; print(shutil.which('gcc'), shutil.which('cargo'))"
    assert project.run("docker", "run", "--rm", f"{image}-source", "python", "-c", found) == "/usr/bin/gcc None\n"


@pytest.mark.only_where(database=["sqlite"], sample=["products"], redis=["none"])
def test_killed_at_its_first_start(project: Project, image: str) -> None:
    """A server that is killed while it creates its database leaves a whole one or none: the next start serves."""
    kill = """
import os, signal, sqlite3, subprocess, sys, time
start = lambda: subprocess.Popen([sys.executable, "-m", "app.serve"], start_new_session=True)
server = start()
while not os.path.exists("/data/app.db") and server.poll() is None:
    time.sleep(0.0005)
os.killpg(server.pid, signal.SIGKILL)
server.wait()
start()
for _ in range(600):
    if subprocess.run([sys.executable, "-m", "app.healthcheck"]).returncode == 0:
        break
    time.sleep(0.1)
print([name for (name,) in sqlite3.connect("/data/app.db").execute("SELECT name FROM sqlite_master ORDER BY name")])
"""
    said = project.run("docker", "run", "--rm", image, "python", "-c", kill)
    assert "['alembic_version', 'products'" in said.replace("sqlite_autoindex_alembic_version_1', '", ""), said


def rerun(log: str) -> list[str]:
    """Return the instructions that a build ran again, from its plain log."""
    steps = dict(re.findall(r"^#(\d+) \[(?:\w+ )?\d+/\d+\] (.+)$", log, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", log, re.MULTILINE))
    return [step for number, step in steps.items() if number not in cached and not step.startswith("FROM ")]
