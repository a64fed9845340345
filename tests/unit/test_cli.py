"""The command line: one sentence for every failure, nothing left behind, and no unnecessary imports."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dockwright import __version__
from dockwright.template import Template
from tests.unit.checkout import CONFLICT, CONFLICTING, REFUSAL, copy_checkout, read_tree
from tests.unit.conftest import Run

REFUSED = {
    "unknown-option": (["--framwork", "flask"], 2, "there is no --framwork: did you mean --framework?"),
    "unknown-command": (["matrx"], 2, "there is no command matrx: did you mean matrix?"),
    "answer-as-command": (
        ["port=80"],
        2,
        "there is no command port=80: answers are given as flags",
    ),
    "abbreviated-option": (["--no-input", "--frame", "flask"], 2, "there is no --frame: did you mean --framework?"),
    "close-choice": (["--no-input", "--framework", "flsk"], 2, "framework can't be 'flsk': did you mean flask?"),
    "unknown-choice": (["--no-input", "--framework", "x"], 2, "framework can't be 'x': choose from flask, fastapi"),
    "no-value": (["--no-input", "--framework"], 2, "argument --framework: expected one argument"),
    "rule": (["--no-input", "--port", "80"], 1, "port '80' can't be used: use a number from 1024 to 65535"),
    "template-syntax": (["--no-input", "--project-name", "{{ x }}"], 1, "project_name '{{ x }}' can't be used: use 1"),
    "derived-slug": (["--no-input", "--project-name", "Con"], 1, "project_slug 'con' can't be used: use lower-case"),
    "existing-target": (["--no-input", "--project-slug", "taken"], 1, "taken already exists: choose another"),
    "existing-target-dry": (["--dry-run", "--project-slug", "taken"], 1, "taken already exists: choose another"),
    "file-as-directory": (
        ["--no-input", "--output-dir", "file"],
        1,
        "file (Not a directory): choose another directory",
    ),
    "file-as-directory-dry": (
        ["--dry-run", "--output-dir", "file/x"],
        1,
        "x (Not a directory): choose another directory",
    ),
    "no-terminal": ([], 2, "there is no terminal to ask the questions in: pass --no-input, and --project-name"),
    "matrix-free-text": (["matrix", "--port", "5000"], 2, "a matrix has no port: choose from "),
    "matrix-output": (
        ["matrix", "--output-dir", "x"],
        2,
        "--output-dir has no effect here, a matrix writes",
    ),
    "format-alone": (
        ["--no-input", "--format", "json"],
        2,
        "--format has no effect here, it belongs to",
    ),
    "matrix-format": (["matrix", "--format", "yaml"], 2, "argument --format: invalid choice: 'yaml'"),
}
if sys.platform != "win32":
    REFUSED |= {
        "unusable-directory": (["--no-input", "--output-dir", "x" * 300], 1, " (File name too long): choose another"),
        "unknown-home": (
            ["--no-input", "--output-dir=~nobody-here/x"],
            2,
            "~nobody-here/x names an unknown user",
        ),
    }


@pytest.mark.parametrize(("arguments", "status", "sentence"), REFUSED.values(), ids=REFUSED)
def test_failure_is_one_sentence(
    dockwright: Run, output_dir: Path, arguments: list[str], status: int, sentence: str
) -> None:
    """A command that fails says why in one line, and changes nothing."""
    (output_dir / "taken").mkdir()
    (output_dir / "file").touch()
    before = read_tree(output_dir)
    done = dockwright(*arguments)
    assert done.returncode == status
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout
    assert read_tree(output_dir) == before


def test_several_objections_are_a_line_each(dockwright: Run) -> None:
    """Two invalid answers are reported together."""
    done = dockwright("--no-input", "--port", "80", "--project-slug", "A")
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["project_slug", "port"]


def test_conflict_is_one_sentence(
    tmp_path: Path, dockwright: Run, environment: dict[str, str], output_dir: Path
) -> None:
    """A refused combination is explained by the template's own sentence, with and without questions."""
    copy_checkout(tmp_path / "copy", _conflicts=[CONFLICT])
    refused = [f"--{option}={choice}" for option, choice in CONFLICTING.items()]
    for arguments in (["--no-input", *refused], refused):
        done = dockwright(*arguments, env={**environment, "PYTHONPATH": str(tmp_path / "copy" / "generator")})
        assert (done.returncode, done.stderr) == (1, f"error: {REFUSAL}\n")
    assert not list(output_dir.iterdir())


def test_help_lists_every_answer(dockwright: Run, template: Template) -> None:
    """The help shows each option's flag, wording and default, and each choice with its explanation."""
    shown = " ".join(dockwright("--help").stdout.split())
    for option in template.options.values():
        assert f"{option.flag} " in shown
        assert f"{option.wording} (default: {'computed' if option.derived else option.default}" in shown
        for choice in option.choices:
            assert f"{choice.value} " in shown
            assert choice.explanation in shown


def test_version(dockwright: Run) -> None:
    """The version is the package's."""
    assert dockwright("--version").stdout == f"dockwright {__version__}\n"


def test_result_says_where_and_what_next(dockwright: Run) -> None:
    """After generation, the next commands are shown, quoted for the shell."""
    done = dockwright("--no-input", "--output-dir", "my projects", "--port", "8000")
    assert done.returncode == 0
    assert done.stdout.splitlines()[2:] == [
        "  cd 'my projects/product-api'",
        "  docker compose up",
        "  curl http://localhost:8000/products",
    ]


def test_dry_run_writes_nothing(dockwright: Run, output_dir: Path) -> None:
    """A dry run shows every answer and the directory, and writes nothing."""
    done = dockwright("--dry-run", "--framework", "fastapi", "--output-dir", "new")
    assert done.returncode == 0
    assert re.search("Framework +FastAPI\n", done.stdout)
    assert re.search(f"Directory +{re.escape(str(output_dir / 'new' / 'product-api'))}\n", done.stdout)
    assert not list(output_dir.iterdir())


def test_ascii_output(dockwright: Run, environment: dict[str, str]) -> None:
    """Characters that the output's encoding lacks are shown as escapes."""
    settings = {**environment, "PYTHONIOENCODING": "ascii"}
    done = dockwright("--dry-run", "--project-name", "Cr\u00e8me", env=settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Cr\\xe8me" in done.stdout


def test_home_in_the_output_directory(dockwright: Run, home: Path, output_dir: Path) -> None:
    """A `~` after an equals sign, which the shell does not expand, is the home directory."""
    assert dockwright("--no-input", "--output-dir=~/new").returncode == 0
    assert (home / "new" / "product-api").is_dir()
    assert not list(output_dir.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't remove a process's working directory")
def test_removed_working_directory(run: Run, output_dir: Path) -> None:
    """A working directory that was removed is reported in one sentence."""
    command = shlex.join([sys.executable, "-m", "dockwright", "--no-input"])
    done = run("sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && exec {command}")
    assert done.returncode == 1
    assert (
        done.stderr
        == "error: can't write to . (No such file or directory): choose another directory with --output-dir\n"
    )
    assert not list(output_dir.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not report closed pipes")
def test_closed_pipe(environment: dict[str, str]) -> None:
    """A closed pipe ends the command without a message."""
    reading, writing = os.pipe()
    os.close(reading)
    command = (sys.executable, "-m", "dockwright", "matrix")
    with os.fdopen(writing, "wb") as output:
        done = subprocess.run(command, check=False, env=environment, stdout=output, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")
def test_output_error(run: Run) -> None:
    """An error while writing the output is reported in one sentence."""
    done = run("sh", "-c", shlex.join([sys.executable, "-m", "dockwright", "matrix"]) + " > /dev/full")
    assert (done.returncode, done.stderr) == (1, "error: the output can't be written (No space left on device)\n")


def test_missing_output_directory_is_created(dockwright: Run, output_dir: Path) -> None:
    """A missing output directory is created, as cookiecutter does."""
    assert dockwright("--no-input", "--output-dir", "a/b").returncode == 0
    assert [path.name for path in (output_dir / "a" / "b").iterdir()] == ["product-api"]


def test_user_configuration_changes_nothing(dockwright: Run, home: Path, output_dir: Path) -> None:
    """A `~/.cookiecutterrc` changes no answer, and nothing is written to the home directory."""
    assert dockwright("--no-input", "--output-dir", "without").returncode == 0
    assert not list(home.iterdir())
    defaults = {"default_context": {"framework": "fastapi", "port": "9999"}, "replay_dir": str(home / "replay")}
    (home / ".cookiecutterrc").write_text(json.dumps(defaults), encoding="utf-8")
    assert dockwright("--no-input", "--output-dir", "with").returncode == 0
    assert read_tree(output_dir / "with") == read_tree(output_dir / "without")
    assert [path.name for path in home.iterdir()] == [".cookiecutterrc"]


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], {"cookiecutter", "jinja2", "prompt_toolkit", "questionary", "requests", "rich"}),
        (["matrix"], {"cookiecutter", "jinja2", "prompt_toolkit", "questionary", "requests", "rich"}),
        (
            ["--no-input"],
            {"cookiecutter.main", "cookiecutter.repository", "cookiecutter.zipfile", "prompt_toolkit", "requests"},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_imports_wait_until_needed(run: Run, arguments: list[str], unwanted: set[str]) -> None:
    """No command imports what it does not need."""
    done = run(sys.executable, "-X", "importtime", "-m", "dockwright", *arguments)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert done.returncode == 0
    assert "dockwright.cli" in imported
    assert not imported & unwanted


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_full_disk_leaves_nothing(run: Run, output_dir: Path) -> None:
    """If a file can't be written, one sentence says so, and no part of the project is left."""
    command = shlex.join([sys.executable, "-m", "dockwright", "--no-input", "--output-dir", "new"])
    done = run("sh", "-c", f"ulimit -f 1 && exec {command}")
    assert done.returncode == 1
    assert done.stderr == "error: can't write to new (File too large): choose another directory with --output-dir\n"
    assert not list(output_dir.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send a signal to a single process")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupted_rendering_leaves_nothing(
    tmp_path: Path, environment: dict[str, str], output_dir: Path, number: str
) -> None:
    """Ctrl-C, SIGTERM and SIGHUP remove what was already written of the project."""
    hook = copy_checkout(tmp_path / "copy").root / "hooks" / "post_gen_project.py"
    hook.write_text("import time\n\n\ndef main(*_): time.sleep(60)\n", encoding="utf-8")
    command = [sys.executable, "-m", "dockwright", "--no-input", "--output-dir", "new"]
    settings = {**environment, "PYTHONPATH": str(tmp_path / "copy" / "generator")}
    # Reset the signal: a shell's background jobs ignore SIGINT, and the command would inherit that.
    before = signal.signal(signal.Signals[number], signal.default_int_handler)
    with subprocess.Popen(command, cwd=output_dir, env=settings, stderr=subprocess.PIPE, text=True) as process:
        signal.signal(signal.Signals[number], before)
        while not list(output_dir.glob("new/.dockwright-*/product-api/pyproject.toml")):
            time.sleep(0.02)
        process.send_signal(signal.Signals[number])
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr == "\nstopped: nothing was written\n"
    assert not list(output_dir.iterdir())
