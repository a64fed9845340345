"""The commands that are shown after generation can be pasted into a shell."""

import shlex
from pathlib import Path

import pytest

from dockwright.cli import main
from dockwright.report import next_commands, repeat_command
from dockwright.template import Template
from tests.unit.checkout import read_tree

# sys.argv[0] when a shell found the command on its path
INSTALLED = str(Path("dockwright").absolute())
ANSWERS: dict[str, dict[str, str]] = {
    "defaults": {},
    "choices": {"framework": "fastapi", "redis": "cache-and-queue", "python_version": "3.13"},
    "quotes": {"project_name": "Bob's shop; rm -rf * & echo #1", "description": "It's 100 % 'quoted'"},
    "dashes": {"project_name": "--help", "description": "-x"},
    "own-slug": {"project_name": "Crème", "project_slug": "own"},
    "underivable-slug": {"project_name": "Con", "project_slug": "con-api"},
}


@pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS)
def test_repeated_command_makes_the_same_project(
    monkeypatch: pytest.MonkeyPatch, template: Template, output_dir: Path, given: dict[str, str]
) -> None:
    """The command, parsed by a shell, generates the same tree."""
    monkeypatch.setattr("sys.argv", [INSTALLED])
    answers = template.complete(given)
    project = template.render(answers, output_dir / "first")
    program, *arguments = shlex.split(repeat_command(template, answers, output_dir / "the second"))
    assert program == "dockwright"
    assert main(arguments) == 0
    assert read_tree(output_dir / "the second" / project.name) == read_tree(project)


@pytest.mark.parametrize(
    ("argv0", "expected"), [(INSTALLED, "dockwright"), (".venv/bin/dockwright", ".venv/bin/dockwright")]
)
def test_repeated_command_can_be_found(
    monkeypatch: pytest.MonkeyPatch, template: Template, argv0: str, expected: str
) -> None:
    """The command has a path if it was called with one, as `make new` does."""
    monkeypatch.setattr("sys.argv", [argv0])
    assert repeat_command(template, template.complete({}), None) == f"{expected} --no-input"


@pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS)
def test_repeated_command_leaves_out_defaults(template: Template, given: dict[str, str]) -> None:
    """The command has a flag for each answer that is not the default, and no others."""
    words = shlex.split(repeat_command(template, template.complete(given), None))
    assert [word.partition("=")[0] for word in words if word.startswith("--")][1:] == [
        flag for name in template.options if name in given for flag in [template.options[name].flag]
    ]


@pytest.mark.parametrize(("sample", "path"), [("products", "products"), ("none", "health")])
def test_first_request_is_answered(template: Template, output_dir: Path, sample: str, path: str) -> None:
    """The last command asks for something that the project has, at its port."""
    project = template.render(template.complete({"sample": sample, "port": "8123"}), output_dir)
    assert next_commands(project)[-1] == f"curl http://localhost:8123/{path}"
