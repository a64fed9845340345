"""`dockwright dockerize`: each kind of application is built, started as production and development, and answers."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.applications import write_application
from tests.docker.conftest import RUN
from tests.docker.stack import Project, Stack, free_port, running, wait_for

# What a failed test is described with: nothing but the service itself
ANSWERS = {"database": "none", "redis": "none", "proxy": "none"}
UV = str(Path(sys.executable).with_name("uv"))
# Shapes, the answers that --prove gets from each, and flags; each is here for a rule of its own
PROVEN: dict[str, tuple[dict[str, int], list[str]]] = {
    "no-requirements": ({"/health": 200}, []),
    "src-layout": ({"/": 200}, []),
    "factory-arguments": ({"/": 200}, []),
    "wsgi": ({"/": 200}, []),
    "routers": ({"/docs": 200, "/items/health": 200}, []),
    "setup-py": ({"/": 200}, []),
    "gunicorn-config": ({"/": 200}, ["--port", "9001"]),
    "numpy": ({"/": 200}, ["--base-image", "alpine"]),
    "socketio": ({"/": 200}, []),
    "front-end": ({"/": 200}, []),
    "beside": ({"/": 200}, []),
    "undeclared": ({"/": 200}, []),
}
LOCKS = ("uv.lock", "pdm.lock", "poetry.lock", "Pipfile.lock", "requirements.txt")
# Tools whose locks are made here, by the tool itself. Poetry's is made of uv's: Poetry asks an interface that not every
# mirror has.
LOCKED = {
    "uv": [UV, "lock"],
    "pdm": [UV, "tool", "run", "--from", "pdm[locked]>=2,<3", "pdm", "lock"],
    "pipenv": [UV, "tool", "run", "pipenv", "lock"],
    "pip-tools": [
        UV,
        "pip",
        "compile",
        "--quiet",
        "--generate-hashes",
        "requirements.in",
        "--output-file",
        "requirements.txt",
    ],
}
# What Poetry calls the hash of the example's pyproject.toml: another one makes it refuse the lock
POETRY_HASH = "066425f31cca25ca967531597c028e1e0a2809527e600d6e98a279af92472885"
POETRY_PACKAGE = """\
[[package]]
name = "{0}"
version = "{1}"
optional = false
python-versions = "*"
groups = ["main"]
files = [{2}]

"""
POETRY_METADATA = """\
[metadata]
lock-version = "2.1"
python-versions = "^3.11"
content-hash = "{0}"
"""


def make(shape: str, directory: Path) -> Project:
    """Write an application under a name that no other run uses."""
    root = write_application(shape, directory)
    return Project(root.rename(directory / f"dw-{shape}-{RUN}"), ANSWERS, free_port())


def dockerize(project: Project, *flags: str, expect: int = 0) -> str:
    """Run the command in the application's directory."""
    return project.run(sys.executable, "-m", "dockwright", "dockerize", "--no-input", *flags, expect=expect)


@contextmanager
def started(project: Project, *flags: str, production: bool = True) -> Iterator[Stack]:
    """Dockerize an application and start a stack of it."""
    dockerize(project, *flags)
    example = project.directory / ".env.example"
    settings = example.read_text(encoding="utf-8") if example.is_file() else ""
    (project.directory / ".env").write_text(f"{settings}\nPORT={project.port}\nTAG={RUN}\n", encoding="utf-8")
    file = "compose.prod.yaml" if production else "compose.yaml"
    try:
        with running(project, file, project.slug, "up --build --detach --wait") as stack:
            yield stack
    finally:
        project.remove_images()


def write_poetry_lock(directory: Path) -> None:
    """Write the versions and hashes that uv has found as Poetry writes them."""
    hashed = directory / "requirements.txt"
    lock = ""
    for name, version, hashes in re.findall(
        r"(?m)^([\w-]+)==(\S+)[^\n]*\n((?:\s+--hash=.+\n?)+)", hashed.read_text(encoding="utf-8")
    ):
        files = (f'{{file = "{each}", hash = "{each}"}}' for each in re.findall(r"--hash=(\S+)", hashes))
        lock += POETRY_PACKAGE.format(name, version, ", ".join(files))
    (directory / "poetry.lock").write_text(lock + POETRY_METADATA.format(POETRY_HASH), encoding="utf-8")
    for name in ("requirements.in", "requirements.txt"):
        (directory / name).unlink()


def get(project: Project, path: str = "/") -> str:
    """Return the answer to a request."""
    answer = httpx.get(f"http://127.0.0.1:{project.port}{path}", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture(autouse=True)
def _engine(engine: str) -> None:
    """Fail where there is no engine."""
    assert engine


@pytest.mark.parametrize("shape", PROVEN)
def test_proves(tmp_path: Path, shape: str) -> None:
    """What is written builds, starts and answers; the proof leaves neither containers nor images."""
    answers, flags = PROVEN[shape]
    project = make(shape, tmp_path)
    proof = json.loads(dockerize(project, "--prove", "--json", *flags))["proof"]
    assert answers.items() <= proof["answers"].items(), proof
    assert project.run("docker", "images", "--quiet", project.slug) == ""


@pytest.mark.parametrize("shape", [*LOCKED, "poetry"])
def test_lock_is_installed(tmp_path: Path, shape: str) -> None:
    """The versions in the image are those of the lock, whichever tool made it."""
    project = make(shape, tmp_path)
    pipfile = project.directory / "Pipfile"
    if shape == "pipenv":
        # The lock is made with the Python of this machine.
        pipfile.write_text('[packages]\nflask = "<3.1.3"\n', encoding="utf-8")
    for lock in LOCKS:
        (project.directory / lock).unlink(missing_ok=True)
    if shape == "poetry":
        (project.directory / "requirements.in").write_text("flask\n", encoding="utf-8")
    project.run(*LOCKED.get(shape, LOCKED["pip-tools"]))
    if shape == "poetry":
        write_poetry_lock(project.directory)
    with started(project) as stack:
        assert get(project)
        version = stack.execute(
            "python", "-c", "from importlib.metadata import version; print(version('click'))"
        ).strip()
    locks = (path.read_text(encoding="utf-8") for path in project.directory.glob("*") if path.name in LOCKS)
    assert any(
        re.search(rf'click\W+(version\W+)?(==)?{re.escape(version)}|"click": {{(?s:.)*?=={re.escape(version)}', lock)
        for lock in locks
    )


def test_celery(tmp_path: Path) -> None:
    """A worker takes the jobs that the web service sends through RabbitMQ."""
    project = make("rabbitmq", tmp_path)
    with started(project):
        assert get(project, "/add") == "3"


def test_rq(tmp_path: Path) -> None:
    """In development, too, a worker takes the jobs of an RQ queue through Redis."""
    project = make("rq", tmp_path)
    with started(project, production=False):
        job = json.loads(get(project, "/double/21"))
        wait_for(lambda: get(project, f"/jobs/{job}") == "42")


def test_written_address(tmp_path: Path) -> None:
    """Code that connects to localhost finds Redis there."""
    project = make("local-redis", tmp_path)
    with started(project):
        assert (get(project), get(project)) == ("1", "2")


def test_database_from_source(tmp_path: Path) -> None:
    """A driver is compiled apart from the image that runs, and migrations run before the service."""
    project = make("postgresql", tmp_path)
    with started(project) as stack:
        assert get(project, "/health") == "0"
        assert stack.containers()["migrate"]["State"]["ExitCode"] == 0
        found = stack.execute("sh", "-c", "command -v gcc || echo none")
        assert found.strip() == "none"


@pytest.mark.parametrize(("shape", "first", "second"), [("sqlite", "1", "2"), ("data-file", "42", "43")])
def test_file_is_kept(tmp_path: Path, shape: str, first: str, second: str) -> None:
    """A file that the application writes outlives its container, in a root that is read-only."""
    project = make(shape, tmp_path)
    with started(project) as stack:
        assert get(project) == first
        stack.compose("up", "--detach", "--wait", "--force-recreate")
        assert get(project) == second


def test_uploads_are_kept(tmp_path: Path) -> None:
    """A directory that the application writes into outlives its container."""
    project = make("uploads", tmp_path)
    with started(project) as stack:
        assert httpx.post(f"http://127.0.0.1:{project.port}/", files={"file": b"x"}).text == "saved"
        stack.compose("up", "--detach", "--wait", "--force-recreate")
        assert json.loads(get(project, "/files")) == ["file"]


def test_settings_and_secrets(tmp_path: Path) -> None:
    """A missing setting stops with a sentence; what is committed by mistake is in no image."""
    project = make("settings", tmp_path)
    for name in (".env.local", "id_rsa", "server.pem", "app.sqlite3"):
        (project.directory / name).write_text("never-in-an-image", encoding="utf-8")
    dockerize(project)
    refused = project.run("docker", "compose", "-f", "compose.prod.yaml", "config", expect=None)
    assert "set it in .env, as .env.example has it" in refused
    with started(project, "--force") as stack:
        assert get(project, "/docs")
        assert set(stack.execute("ls", "-A").split()) <= {"main.py", "requirements.txt", "constraints.txt"}


def test_failed_import_is_told(tmp_path: Path) -> None:
    """An application that fails when it is imported: the error is in the sentence, the files stay."""
    project = make("fails-at-import", tmp_path)
    told = dockerize(project, "--prove", expect=1)
    assert "failed: RuntimeError: the model is missing" in told
    assert (project.directory / "Dockerfile").is_file()


def test_development_writes_as_owner(tmp_path: Path) -> None:
    """What development writes belongs to the owner of the source."""
    project = make("sqlite", tmp_path)
    if os.getuid() == 0:
        project.run("chown", "--recursive", "1234:1234", ".")
    with started(project, production=False):
        assert get(project) == "1"
    assert (project.directory / "shop.db").stat().st_uid == (os.getuid() or 1234)


# The class's exercise, as it is typed


def test_class_exercise(tmp_path: Path) -> None:
    """The given application, one command, and the class's own: build, run, curl, compose, an edit that shows."""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 5000)), "port 5000 is taken: stop what listens there, and try again"
    root = write_application("one-file", tmp_path)
    project = Project(root.rename(tmp_path / "product-api"), ANSWERS, 5000)
    dockerize(project)
    health, products = "http://localhost:5000/health", "http://localhost:5000/products"
    running_container = None
    try:
        project.type("docker build -t product-api .")
        # In another terminal, as the class does it.
        command = ["docker", "run", "-p", "5000:5000", "--name", f"product-api-{RUN}", "product-api"]
        running_container = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: httpx.get(health).status_code == 200)
        assert json.loads(project.type(f"curl --silent {health}")) == {"status": "healthy"}
        assert [each["name"] for each in json.loads(project.type(f"curl --silent {products}"))] == ["Laptop", "Mouse"]
        project.type(f"docker stop product-api-{RUN}")
        assert running_container.wait(timeout=60) == 0
        threading.Thread(
            target=project.run, args=("docker", "compose", "up"), kwargs={"expect": None}, daemon=True
        ).start()
        wait_for(lambda: httpx.get(health).json() == {"status": "healthy"}, seconds=120)
        path = project.directory / "app.py"
        path.write_text(path.read_text(encoding="utf-8").replace('"healthy"', '"edited"'), encoding="utf-8")
        wait_for(lambda: httpx.get(health).json() == {"status": "edited"})
    finally:
        project.run("docker", "compose", "down", "--timeout", "1", expect=None)
        project.run("docker", "rm", "--force", f"product-api-{RUN}", expect=None)
        project.run("docker", "rmi", "--force", "product-api", "product-api:development", expect=None)
        if running_container is not None:
            running_container.kill()
