"""Every combination rendered, one after the other, and tools that look at each distinct content once.

A test that takes `project` runs for every combination, whose name is its id: `pytest tests/render -k
flask-alpine-postgresql-queue` runs one. The workers of pytest-xdist share what a tool has found.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dockwright.matrix import combination_id, combinations
from dockwright.template import SOURCE, load, render

Complaints = Callable[[Path, Iterable[str], list[str]], str]

# The version of Python shapes the locks and how code may be written: a sample, with all the code there is, is enough.
OLDER_PYTHON = combinations(python_version="3.13", base_image="slim", redis="cache-and-queue")
LONGEST_WAIT_SECONDS = 300


@pytest.fixture(scope="session", params=combinations() + OLDER_PYTHON, ids=combination_id)
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the answers of a combination."""
    combination: dict[str, str] = request.param
    return combination


@pytest.fixture(scope="session")
def project(answers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the project that the answers make."""
    return render(answers, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def texts(project: Path) -> dict[str, str]:
    """Return the text of each of the project's files, by its path; line ends are as they stand in the file."""
    files = (path for path in project.rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix(): path.read_bytes().decode() for path in files}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def complaints(shared: Path) -> Complaints:
    """Return a function that says what a command complains of in a directory, where only the files named matter."""

    def complaints(directory: Path, names: Iterable[str], command: list[str]) -> str:
        parts = [*command, *(f"{name}\0{(directory / name).read_text(encoding='utf-8')}" for name in sorted(names))]
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return once(shared / key, lambda: run(command, directory))

    return complaints


@pytest.fixture(scope="session")
def python(request: pytest.FixtureRequest, shared: Path) -> Path:
    """Return a Python that has whatever a project is locked to; it is kept until a lock changes."""
    template = load().root / SOURCE
    locks = [(template / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-dev.txt")]
    pins = sorted(set(re.findall(r"^(\w\S*==.*) \\$", "\n".join(locks), re.MULTILINE)))
    name = hashlib.sha256("\n".join([sys.version, *pins]).encode()).hexdigest()[:16]
    environment = Path(request.config.cache.mkdir("environments")) / name
    if not environment.exists():
        assert once(shared / name, lambda: install(pins, environment)) == ""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.fixture
def mypy_cache(answers: dict[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what mypy knows of the packages, for each worker and each framework, whose settings differ."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    monkeypatch.setenv("MYPY_CACHE_DIR", str(request.config.cache.mkdir(f"mypy-{answers['framework']}-{worker}")))


@pytest.fixture(scope="session")
def compose() -> list[str]:
    """Return the command that compose files are checked with; it needs no engine."""
    command = ["docker", "compose"]
    if shutil.which("docker") and not run([*command, "version"], Path.cwd()):
        return command
    reason = "NOT CHECKED: whether compose accepts the compose files, for `docker compose` is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def hadolint() -> str:
    """Return the program that Dockerfiles are checked with."""
    return tool("hadolint")


def once(result: Path, work: Callable[[], str]) -> str:
    """Return what `work` returns: the first worker to ask for this result does it, the others wait."""
    try:
        result.with_suffix(".begun").touch(exist_ok=False)
    except FileExistsError:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not result.exists():
            assert time.monotonic() < deadline, "the worker that was first has come to no end"
            time.sleep(0.05)
        return result.read_text(encoding="utf-8")
    partial = result.with_suffix(".partial")
    partial.write_text(work(), encoding="utf-8")
    partial.replace(result)
    return result.read_text(encoding="utf-8")


def run(command: list[str], directory: Path) -> str:
    """Return what a command that fails says, and nothing for one that succeeds."""
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True, encoding="utf-8")
    return f"{done.stdout}{done.stderr}exit status {done.returncode}" if done.returncode else ""


def tool(name: str) -> str:
    """Return the path of a program that came with the dependencies of the tests."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    assert found, f"{name} is missing: install the dependencies of the tests"
    return found


def install(pins: list[str], environment: Path) -> str:
    """Make a virtual environment with these packages, all of it or nothing; return what went wrong."""
    uv = [tool("uv"), "--quiet", "--no-python-downloads"]
    with TemporaryDirectory(dir=environment.parent) as workspace:
        new, file = Path(workspace, "environment"), Path(workspace, "requirements.txt")
        file.write_text("\n".join(pins), encoding="utf-8")
        trouble = run([*uv, "venv", "--relocatable", "--python", sys.executable, str(new)], environment.parent) or run(
            [*uv, "pip", "install", "--python", str(new), "--no-deps", "--requirement", str(file)], environment.parent
        )
        if not trouble:
            new.rename(environment)
    return trouble
