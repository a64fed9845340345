"""Fixtures for the generator's tests: the template, a user's environment, and the real command."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockwright.template import Template, load
from tests.unit.checkout import CONFLICT, PACKAGE, copy_template

Run = Callable[..., subprocess.CompletedProcess[str]]

# Windows has no pseudo-terminals.
collect_ignore = ["test_screen.py", "test_terminal.py", "test_tools.py"] if sys.platform == "win32" else []


def heed_the_terminal() -> None:
    """Let Ctrl-C and a closed terminal end this process: background jobs ignore them, and so does what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def template() -> Template:
    """Return the template of this checkout."""
    return load()


@pytest.fixture
def conflicted(tmp_path: Path) -> Template:
    """Return a copy of the template with a made-up conflict."""
    return copy_template(tmp_path / "conflicted", _conflicts=[CONFLICT])


@pytest.fixture
def output_dir(tmp_path: Path) -> Path:
    """Return an empty directory for projects."""
    directory = tmp_path / "output"
    directory.mkdir()
    return directory


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty home directory."""
    directory = tmp_path / "home"
    directory.mkdir()
    return directory


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Return the environment of a user without configuration, in a terminal that answers no queries."""
    unlike = ("COOKIECUTTER", "GIT_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unlike)}
    return inherited | {
        "COLUMNS": "100",
        "GIT_AUTHOR_EMAIL": "user@example.com",
        "GIT_AUTHOR_NAME": "User",
        "GIT_COMMITTER_EMAIL": "user@example.com",
        "GIT_COMMITTER_NAME": "User",
        "HOME": str(home),
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "PYTHONPATH": str(PACKAGE.parent),
        "USERPROFILE": str(home),
    }


@pytest.fixture
def run(output_dir: Path, environment: dict[str, str]) -> Run:
    """Return a function that runs a command in the output directory, without a terminal."""

    def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401 # passed to subprocess.run
        settings: dict[str, Any] = {"cwd": output_dir, "env": environment, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run(command, check=False, capture_output=True, encoding="utf-8", **settings)

    return run


@pytest.fixture
def dockwright(run: Run) -> Run:
    """Return a function that runs the `dockwright` command in the output directory, without a terminal."""
    return lambda *arguments, **options: run(sys.executable, "-m", "dockwright", *arguments, **options)
