"""The code of every project passes its own checks, with the locked versions of the tools."""

from pathlib import Path

import pytest

from tests.render.conftest import Complaints


@pytest.fixture(scope="session")
def code(texts: dict[str, str]) -> list[str]:
    """Return the files that these tools read."""
    return [name for name in texts if name.endswith(".py") or name == "pyproject.toml"]


@pytest.mark.parametrize("command", ["check", "format --check --diff"])
def test_style(project: Path, code: list[str], python: Path, complaints: Complaints, command: str) -> None:
    """Ruff finds nothing in the code, and would format it the same."""
    ruff = [str(python), "-m", "ruff", "--quiet", *command.split(), "--no-cache"]
    assert complaints(project, code, ruff) == ""


@pytest.mark.usefixtures("mypy_cache")
def test_types(answers: dict[str, str], project: Path, code: list[str], python: Path, complaints: Complaints) -> None:
    """Mypy finds nothing, with the project's settings."""
    mypy = [str(python), "-m", "mypy", "--python-version", answers["python_version"]]
    assert complaints(project, code, mypy) == ""
