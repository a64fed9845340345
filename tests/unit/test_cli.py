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
from dockwright.commands import COMMANDS, find_command
from dockwright.template import RECORD, Template
from tests.unit.checkout import CONFLICT, CONFLICTING, copy_checkout, read_tree
from tests.unit.conftest import Run

WINDOWS = sys.platform == "win32"
# Arguments, exit status, and what the sentence has in it
REFUSED: dict[str, tuple[list[str], int, str]] = {
    "unknown-flag": (["--framwork", "flask"], 2, "dockwright new has no --framwork: did you mean --framework?"),
    "unlike-any-flag": (["new", "--colour=red"], 2, "dockwright new has no --colour: `dockwright new --help` lists"),
    "unknown-command": (["matrx"], 2, "there is no command matrx: did you mean matrix?"),
    "name-as-command": (["shop"], 2, "there is no command shop: `dockwright new shop` makes a project"),
    "late-command": (["--json", "matrix"], 2, "the command comes first: dockwright matrix …"),
    "late-name": (["--no-input", "shop"], 2, "the command comes first: dockwright new shop …"),
    "two-names": (["new", "my", "shop", "-y"], 2, "shop is one word too many: put quotes around"),
    "abbreviated-flag": (["--no-input", "--frame", "flask"], 2, "has no --frame: did you mean --framework?"),
    "no-value": (["--no-input", "--framework"], 2, "argument --framework: expected one argument"),
    "close-choice": (
        ["-y", "--framework", "fastpi"],
        2,
        "--framework can't be 'fastpi': did you mean fastapi? Choose from flask, fastapi",
    ),
    "unknown-choice": (["-y", "--framework", "x"], 2, "--framework can't be 'x': choose from flask, fastapi"),
    "short-flag": (["-y", "--db=postgres"], 2, "--db can't be 'postgres': did you mean postgresql? Choose from sqlite"),
    "other-name": (["-y", "--db=mysql"], 2, "--db can't be 'mysql': did you mean mariadb? Choose from sqlite, "),
    "other-name-in-capitals": (["-y", "--deploy=K8s"], 2, "--deploy can't be 'K8s': did you mean kubernetes? Choose"),
    "both": (["-y", "--redis", "both"], 2, "--redis can't be 'both': did you mean cache-and-queue? Choose from none"),
    "no-operand": (["presets", "api"], 2, "dockwright presets takes flags only: leave out api"),
    "unknown-preset": (["-y", "--preset", "studnt"], 2, "--preset can't be 'studnt': did you mean student?"),
    "rule": (["-y", "--port", "80"], 2, "--port '80' can't be used: use a number from 1024 to 65535"),
    "template-syntax": (["-y", "--project-name", "{{ x }}"], 2, "--project-name '{{ x }}' can't be used: use 1"),
    "derived-slug": (["-y", "--project-name", "Con"], 2, "--project-slug 'con' can't be used: use lower-case"),
    "name-without-a-slug": (["new", "Con", "-y"], 2, "--project-slug 'con' can't be used: use lower-case"),
    "name-without-a-letter": (["new", "🛒", "-y"], 2, "NAME '🛒' can't be used: use 1 to 200 characters"),
    "empty-name": (["new", "", "-y"], 2, "NAME '' can't be used: use 1 to 200 characters"),
    "long-name": (["new", "x" * 300, "-y"], 2, f"NAME '{'x' * 300}' can't be used: use 1 to 200 characters"),
    "existing-target": (["-y", "--project-slug", "taken"], 1, "taken already exists: choose another"),
    "existing-target-dry": (["--dry-run", "--project-slug", "taken"], 1, "taken already exists: choose another"),
    "slug-of-existing-directory": (["new", "Empty", "-y"], 1, "empty already exists: choose another"),
    "file-as-name": (["new", "file", "-y"], 1, "file already exists: choose another"),
    "foreign-file": (["new", "taken", "-y"], 1, "taken has app.py: choose a directory that is empty, or has only"),
    "foreign-file-dry": (["new", "taken", "--dry-run"], 1, "taken has app.py: choose a directory that is empty"),
    "foreign-files": (["new", ".", "-y"], 1, " more: choose a directory that is empty, or has"),
    "file-as-directory": (["-y", "--output-dir", "file"], 1, "file (Not a directory): choose another directory"),
    "file-as-directory-dry": (["--dry-run", "--output-dir", "file/x"], 1, "x (Not a directory): choose another"),
    "no-terminal": ([], 2, "there is no terminal to ask the questions in: pass --no-input, and --project-name"),
    "no-file": (["-y", "--answers", "none.toml"], 2, "none.toml can't be used: No such file or directory"),
    "directory-of-answers": (["-y", "--answers", "taken"], 2, "taken can't be used: "),
    "unknown-kind": (["-y", "--answers", "file"], 2, "file can't be used: let its name end with .toml, .json or .yaml"),
    "malformed-toml": (
        ["-y", "--answers", "broken.toml"],
        2,
        "broken.toml can't be used: it is not what its name says",
    ),
    "malformed-json": (
        ["-y", "--answers", "broken.json"],
        2,
        "broken.json can't be used: it is not what its name says",
    ),
    "malformed-yaml": (
        ["-y", "--answers", "broken.yaml"],
        2,
        "broken.yaml can't be used: it is not what its name says",
    ),
    "binary-json": (["-y", "--answers", "binary.json"], 2, "binary.json can't be used: it is not what its name says"),
    "list-of-answers": (["-y", "--answers", "list.json"], 2, "list.json can't be used: write an answer to each option"),
    "unknown-answer": (["-y", "--answers", "unknown.toml"], 2, "there is no framwork: did you mean framework?"),
    "fraction-as-answer": (["-y", "--answers", "number.toml"], 2, "the answer to python_version has to be text, in"),
    "wrong-answer": (
        ["-y", "--answers", "answers.json"],
        2,
        "framework in answers.json can't be 'x': choose from flask",
    ),
    "save-over-a-file": (["-y", "--save-answers", "list.json"], 2, "list.json can't be used: it exists already"),
    "save-as-yaml": (
        ["-y", "--save-answers", "x.yaml"],
        2,
        "x.yaml can't be used: let its name end with .json or .toml",
    ),
    "save-nowhere": (["-y", "--save-answers", "no/x.toml"], 2, "x.toml can't be used: No such file or directory"),
    "useless-git": (["--dry-run", "--git"], 2, "--git has no effect here, --dry-run writes nothing: leave it out"),
    "questions-as-json": (["--json"], 2, "--json prints no questions: add --no-input"),
    "diff-of-a-file": (["new", "file", "--diff"], 1, "file (Not a directory): choose another directory"),
    "matrix-free-text": (["matrix", "--port", "5000"], 2, "dockwright matrix has no --port: "),
    "matrix-output": (["matrix", "--output-dir", "x"], 2, "dockwright matrix has no --output-dir: "),
    "matrix-format": (["matrix", "--format", "yaml"], 2, "--format can't be 'yaml': choose from text, json, github"),
    "matrix-conflict": (
        ["matrix", "--deploy", "swarm", "--db", "sqlite"],
        2,
        "--db=sqlite with --deploy=swarm can't be",
    ),
    "matrix-two-formats": (["matrix", "--json", "--format", "github"], 2, "--format has no effect here, --json is one"),
    "format-alone": (["-y", "--format", "json"], 2, "dockwright new has no --format: "),
    "no-shell": (["completion"], 2, "name a shell: dockwright completion bash | zsh | fish"),
    "unknown-shell": (["completion", "csh"], 2, "can't be 'csh': choose from bash, zsh, fish"),
}
if not WINDOWS:
    REFUSED |= {
        "unusable-directory": (["-y", "--output-dir", "x" * 300], 1, " (File name too long): choose another"),
        "unknown-home": (["-y", "--output-dir=~nobody-here/x"], 2, "--output-dir ~nobody-here/x names an unknown user"),
        "dangling-link": (["new", "link", "-y"], 1, "link already exists: choose another"),
    }


@pytest.mark.parametrize(("arguments", "status", "sentence"), REFUSED.values(), ids=REFUSED)
def test_failure_is_one_sentence(
    dockwright: Run, output_dir: Path, arguments: list[str], status: int, sentence: str
) -> None:
    """A command that fails says why in one line, and changes nothing."""
    for name in ("empty", "taken"):
        (output_dir / name).mkdir()
    files = {
        "answers.json": '{"framework": "x"}',
        "broken.json": "{",
        "broken.toml": "framework: flask",
        "broken.yaml": "a: [",
        "file": "",
        "list.json": "[]",
        "number.toml": "python_version = 3.14",
        "taken/app.py": "",
        "unknown.toml": 'framwork = "flask"',
    }
    for name, text in files.items():
        (output_dir / name).write_text(text, encoding="utf-8")
    (output_dir / "binary.json").write_bytes(b"\xff")
    if not WINDOWS:
        (output_dir / "link").symlink_to("nowhere")
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
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["--project-slug", "--port"]


def test_conflict_is_one_sentence(
    tmp_path: Path, dockwright: Run, environment: dict[str, str], output_dir: Path
) -> None:
    """A refused combination is explained by the template's own sentence, with and without questions."""
    copy_checkout(tmp_path / "copy", _conflicts=[CONFLICT])
    refused = [f"--{option}={choice}" for option, choice in CONFLICTING.items()]
    sentence = f"{refused[0]} with {refused[1]} can't be used: {CONFLICT['why']}"
    for arguments in (["--no-input", *refused], refused):
        done = dockwright(*arguments, env={**environment, "PYTHONPATH": str(tmp_path / "copy" / "generator")})
        assert (done.returncode, done.stderr) == (2, f"error: {sentence}\n")
    assert not list(output_dir.iterdir())


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen(dockwright: Run, environment: dict[str, str], command: str) -> None:
    """The help of each command fits a terminal of 24 rows, with a row for the prompt, and 80 columns."""
    shown = dockwright(*filter(None, [command]), "--help", env={**environment, "COLUMNS": "80"}).stdout.splitlines()
    assert len(shown) < 24
    assert max(map(len, shown)) <= 80


def test_help_names_everything(dockwright: Run, template: Template) -> None:
    """The help lists the commands and the exit statuses, and that of each command all its flags and their choices."""
    overview = dockwright("--help").stdout
    for command in map(find_command, COMMANDS):
        assert f"{command.name} " in overview
        shown = " ".join(dockwright(command.name, "--help").stdout.split())
        for flag in command.every_flag(template):
            assert flag.names[0] in shown
            assert ", ".join(flag.values) in shown
    for status in (0, 1, 2, 130):
        assert re.search(rf"^  {status} +\w", overview, re.MULTILINE)


def test_help_is_a_command_too(dockwright: Run) -> None:
    """`help` before a command shows the same as `--help` after it."""
    assert dockwright("help", "new").stdout == dockwright("new", "--help").stdout


def test_choices_are_explained_where_they_are_asked_for(dockwright: Run, template: Template) -> None:
    """`help` as the value of a flag shows the question, and each choice with its explanation."""
    for option in template.options.values():
        if not option.choices:
            continue
        for flag in option.flags:
            shown = " ".join(dockwright("new", flag, "help").stdout.split())
            assert option.wording in shown
            assert all(f"{choice.value} " in shown and choice.explanation in shown for choice in option.choices)


def test_choices_are_taken_in_any_case(dockwright: Run, output_dir: Path) -> None:
    """The case of a choice doesn't matter, in flags and in files."""
    (output_dir / "answers.toml").write_text('database = "MariaDB"\n', encoding="utf-8")
    done = dockwright("new", "--dry-run", "--json", "--answers", "answers.toml", "--framework", "FastAPI")
    answers = json.loads(done.stdout)["answers"]
    assert (answers["framework"], answers["database"]) == ("fastapi", "mariadb")


def test_version(dockwright: Run) -> None:
    """The version is the package's."""
    for flag in ("-V", "--version"):
        assert dockwright(flag).stdout == f"dockwright {__version__}\n"


def test_dry_run_writes_nothing(dockwright: Run, output_dir: Path) -> None:
    """A dry run shows every answer and the directory, and writes nothing."""
    done = dockwright("--dry-run", "--framework", "fastapi", "--output-dir", "new")
    assert done.returncode == 0
    assert re.search("Web framework +FastAPI\n", done.stdout)
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such redirection")
def test_closed_output(run: Run, output_dir: Path) -> None:
    """A closed output doesn't keep a project from being written."""
    done = run("sh", "-c", shlex.join([sys.executable, "-m", "dockwright", "new", "shop", "-y"]) + " >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert (output_dir / "shop" / RECORD).is_file()


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
        (["--help"], {"yaml", "cookiecutter", "jinja2", "prompt_toolkit", "questionary", "requests", "rich"}),
        (["new", "--help"], {"yaml", "cookiecutter", "jinja2", "prompt_toolkit", "questionary", "requests", "rich"}),
        (["matrix"], {"yaml", "cookiecutter", "jinja2", "prompt_toolkit", "questionary", "requests", "rich"}),
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
    """Ctrl-C, SIGTERM and SIGHUP remove what was already written of the project, also if they come again and again."""
    hook = copy_checkout(tmp_path / "copy").root / "hooks" / "post_gen_project.py"
    with hook.open("a", encoding="utf-8") as file:
        file.write("\n\ndef main(*_): __import__('time').sleep(60)\n")
    command = [sys.executable, "-m", "dockwright", "--no-input", "--output-dir", "new"]
    settings = {**environment, "PYTHONPATH": str(tmp_path / "copy" / "generator")}
    # Reset the signal: a shell's background jobs ignore SIGINT, and the command would inherit that.
    before = signal.signal(signal.Signals[number], signal.default_int_handler)
    with subprocess.Popen(command, cwd=output_dir, env=settings, stderr=subprocess.PIPE, text=True) as process:
        signal.signal(signal.Signals[number], before)
        while not list(output_dir.glob("new/.dockwright-*/product-api/pyproject.toml")):
            assert process.poll() is None
            time.sleep(0.02)
        while process.poll() is None:
            process.send_signal(signal.Signals[number])
            # Not faster than Python can handle them.
            time.sleep(0.001)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr == "\nstopped: nothing was written\n"
    assert not list(output_dir.iterdir())
