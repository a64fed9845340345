"""Projects of all cells, and tools that check each distinct content once.

A test that takes `project` runs for every cell: `pytest tests/render -k flask-alpine-postgresql-queue` runs one.
The workers of pytest-xdist share the results of the tools.
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
from typing import NoReturn

import pytest

from dockwright.matrix import cells, combination_id, sample
from dockwright.template import SOURCE, load, render

Complaints = Callable[[Path, Iterable[str], list[str]], str]

SAMPLE = sample()
# The port of the sample, so that a default port that is hard-coded somewhere is noticed
SAMPLE_PORT = "8123"
TIMEOUT_SECONDS = 300


@pytest.fixture(scope="session", params=cells(), ids=combination_id)
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the answers of a cell, the port included."""
    cell: dict[str, str] = request.param
    return cell | {"port": SAMPLE_PORT if cell in SAMPLE else load().options["port"].default}


@pytest.fixture(scope="session")
def project(answers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the project with these answers."""
    return render(answers, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def texts(project: Path) -> dict[str, str]:
    """Return the text of each file of the project by its path, with unchanged line endings."""
    return read(project)


def read(project: Path) -> dict[str, str]:
    """Return the text of each file of a project by its path, with unchanged line endings."""
    files = (path for path in project.rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix(): path.read_bytes().decode() for path in files}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all workers of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def complaints(shared: Path) -> Complaints:
    """Return a function that runs a command once for equal contents of the named files, and returns its complaints."""

    def complaints(directory: Path, names: Iterable[str], command: list[str]) -> str:
        parts = [*command, *(f"{name}\0{(directory / name).read_text(encoding='utf-8')}" for name in sorted(names))]
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return once(shared / key, lambda: run(command, directory))

    return complaints


@pytest.fixture(scope="session")
def python(request: pytest.FixtureRequest, shared: Path) -> Path:
    """Return a Python with all locked packages of all projects; it is cached until a lock changes."""
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
    """Cache mypy's results for each worker and framework: mypy's settings differ between frameworks."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    monkeypatch.setenv("MYPY_CACHE_DIR", str(request.config.cache.mkdir(f"mypy-{answers['framework']}-{worker}")))


@pytest.fixture(scope="session")
def compose() -> list[str]:
    """Return the command that checks compose files; it needs no engine."""
    command = ["docker", "compose"]
    if not shutil.which("docker") or run([*command, "version"], Path.cwd()):
        refuse("NOT TESTED: whether compose accepts the compose files: `docker compose` is not installed")
    return command


def refuse(reason: str) -> NoReturn:
    """Skip a test that can't run on this machine; in CI, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def hadolint() -> str:
    """Return the path of the program that checks Dockerfiles."""
    return tool("hadolint")


def once(result: Path, work: Callable[[], str]) -> str:
    """Return what `work` returns: the first pytest worker that asks runs it, the others wait for its result."""
    try:
        result.with_suffix(".started").touch(exist_ok=False)
    except FileExistsError:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not result.exists():
            assert time.monotonic() < deadline, "the worker that runs this has not finished"
            time.sleep(0.05)
        return result.read_text(encoding="utf-8")
    partial = result.with_suffix(".partial")
    partial.write_text(work(), encoding="utf-8")
    partial.replace(result)
    return result.read_text(encoding="utf-8")


def run(command: list[str], directory: Path) -> str:
    """Return the output of a command that fails, or nothing if it succeeds."""
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True, encoding="utf-8")
    return f"{done.stdout}{done.stderr}exit status {done.returncode}" if done.returncode else ""


def tool(name: str) -> str:
    """Return the path of a program from the test dependencies."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    assert found, f"{name} is missing: install the test dependencies"
    return found


def install(pins: list[str], environment: Path) -> str:
    """Create a virtual environment with these packages, completely or not at all; return error messages."""
    uv = [tool("uv"), "--quiet", "--no-python-downloads"]
    with TemporaryDirectory(dir=environment.parent) as workspace:
        new, file = Path(workspace, "environment"), Path(workspace, "requirements.txt")
        file.write_text("\n".join(pins), encoding="utf-8")
        errors = run([*uv, "venv", "--relocatable", "--python", sys.executable, str(new)], environment.parent) or run(
            [*uv, "pip", "install", "--python", str(new), "--no-deps", "--requirement", str(file)], environment.parent
        )
        if not errors:
            new.rename(environment)
    return errors
