"""The code of every project passes the checks that the project asks of itself, run by the tools it is locked to."""

from pathlib import Path

import pytest

from tests.render.conftest import Complaints


@pytest.fixture(scope="session")
def code(texts: dict[str, str]) -> list[str]:
    """Return the files that these tools look at."""
    return [name for name in texts if name.endswith(".py") or name == "pyproject.toml"]


@pytest.mark.parametrize("command", ["check", "format --check --diff"])
def test_style(project: Path, code: list[str], python: Path, complaints: Complaints, command: str) -> None:
    """Ruff has nothing to say of the code, and would write it in no other way."""
    ruff = [str(python), "-m", "ruff", "--quiet", *command.split(), "--no-cache"]
    assert complaints(project, code, ruff) == ""


@pytest.mark.usefixtures("mypy_cache")
def test_types(answers: dict[str, str], project: Path, code: list[str], python: Path, complaints: Complaints) -> None:
    """Mypy, as strict as the project sets it, finds nothing."""
    mypy = [str(python), "-m", "mypy", "--python-version", answers["python_version"]]
    assert complaints(project, code, mypy) == ""
