"""The commands that are shown after generation can be pasted into a shell."""

import json
import shlex
import socket
import sys
from pathlib import Path

import pytest

from dockwright.cli import main
from dockwright.report import quote, repeat_command, start
from dockwright.template import Template
from tests.unit.checkout import read_tree

POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="commands are PowerShell's there: test_windows_has_commands_for_powershell"
)
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


@POSIX
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


@POSIX
@pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS)
def test_repeated_command_leaves_out_defaults(template: Template, given: dict[str, str]) -> None:
    """The command has a flag for each answer that is not the default, and no others."""
    words = shlex.split(repeat_command(template, template.complete(given), None))
    assert [word.partition("=")[0] for word in words if word.startswith("--")][1:] == [
        flag for name in template.options if name in given for flag in [template.options[name].flag]
    ]


@POSIX
@pytest.mark.parametrize("operand", ["shop", ".", "my shop"])
def test_repeated_command_has_the_operand(
    monkeypatch: pytest.MonkeyPatch, output_dir: Path, capsys: pytest.CaptureFixture[str], operand: str
) -> None:
    """With an operand, the command has it too, and in a directory with another name makes the same project."""
    for directory in ("first", "second"):
        (output_dir / directory).mkdir()
    monkeypatch.setattr("sys.argv", [INSTALLED])
    monkeypatch.chdir(output_dir / "first")
    assert main(["new", operand, "--no-input", "--redis", "queue", "--json"]) == 0
    program, *arguments = shlex.split(json.loads(capsys.readouterr().out)["repeat"])
    assert (program, *arguments[:2]) == ("dockwright", "new", operand)
    monkeypatch.chdir(output_dir / "second")
    assert main(arguments) == 0
    assert read_tree(output_dir / "first") == read_tree(output_dir / "second")


@pytest.mark.parametrize(("sample", "path"), [("products", "products"), ("none", "health")])
def test_first_request_is_answered(template: Template, output_dir: Path, sample: str, path: str) -> None:
    """The request asks for something that the project has, at its port."""
    project = template.render(template.complete({"sample": sample}), output_dir)
    readme = (project / "README.md").read_text(encoding="utf-8")
    steps = start(project, readme, template.options["port"].default, windows=False)
    assert steps.request == f"curl http://localhost:{steps.port}/{path}"


def test_what_is_missing_and_what_explains_is_said(
    monkeypatch: pytest.MonkeyPatch, template: Template, output_dir: Path
) -> None:
    """Without Docker, the steps say so first; with a guide, they lead to it."""
    for guide, docker in (("none", "/bin/docker"), ("student", None)):
        monkeypatch.setattr("shutil.which", lambda _, found=docker: found)
        project = template.render(template.complete({"guide": guide, "project_slug": guide}), output_dir)
        shown = "\n".join(start(project, (project / "README.md").read_text(encoding="utf-8"), "5000").lines())
        assert ("Docker is not installed" in shown) is (docker is None)
        assert ("GUIDE.md explains its files" in shown) is (guide == "student")


def test_windows_has_commands_for_powershell(template: Template, tmp_path: Path) -> None:
    """On Windows, the commands are quoted for PowerShell, set the port as it does, and don't call its alias `curl`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        readme = template.text("README.md", template.complete({"port": port}))
        steps = start(tmp_path / "Bob's $shop", readme, port, windows=True)
    directory = str(tmp_path / "Bob's $shop").replace("'", "''")
    assert steps.commands == [f"cd '{directory}'", f"$env:PORT={steps.port}; docker compose up"]
    assert steps.request == f"curl.exe http://localhost:{steps.port}/products"
    assert quote(["dockwright", "--framework=flask", r"C:\x", "-y", ""], windows=True) == (
        r"dockwright --framework=flask C:\x -y ''"
    )
