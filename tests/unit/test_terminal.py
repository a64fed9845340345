"""The real command in a pseudo-terminal, from the first question to the project."""

import io
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from dockwright.template import Template, load
from tests.applications import write_application
from tests.unit.checkout import CONFLICT, copy_checkout, read_tree
from tests.unit.conftest import Run, heed_the_terminal

# Python warns of forking with threads: pexpect forks, and pytest-xdist has threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

Spawn = Callable[..., "pexpect.spawn[str]"]

ENTER, DOWN, CTRL_C, CTRL_O, CTRL_U = "\r", "\x1b[B", "\x03", "\x0f", "\x15"
TEMPLATE = load()
OPTIONS = TEMPLATE.options
NAMES = [name for name in OPTIONS if name not in TEMPLATE.extra]
START = "How do you want to start?"
WORDINGS = [START, *(OPTIONS[name].wording for name in NAMES)]


@pytest.fixture
def spawn(output_dir: Path, environment: dict[str, str]) -> Spawn:
    """Return a function that starts `dockwright` in a new terminal."""

    def spawn(*arguments: str, **settings: str) -> "pexpect.spawn[str]":
        return pexpect.spawn(
            sys.executable,
            ["-m", "dockwright", *arguments],
            cwd=str(output_dir),
            env={**environment, "TERM": "xterm-256color", **settings},
            dimensions=(50, 120),
            encoding="utf-8",
            timeout=20,
            preexec_fn=heed_the_terminal,
        )

    return spawn


def accept_defaults(terminal: "pexpect.spawn[str]", wordings: list[str]) -> None:
    """Press Enter at each of these questions."""
    for wording in wordings:
        terminal.expect_exact(wording)
        terminal.send(ENTER)


def finish(terminal: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """Wait for the command to end; return its exit status and its last output, without escape sequences."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, without_escapes(terminal.before or "")


def without_escapes(output: str) -> str:
    """Return the text without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", output)


def test_from_the_first_question_to_the_project(spawn: Spawn, run: Run, output_dir: Path) -> None:
    """An invalid name is explained as it is typed; the command shown at the end repeats the project."""
    terminal = spawn()
    accept_defaults(terminal, [START])
    terminal.expect_exact(WORDINGS[1])
    terminal.send("{{ x }}")
    terminal.expect_exact("use 1 to 200 characters")
    terminal.send(CTRL_U + "Bob's shop" + ENTER)
    framework = WORDINGS.index(OPTIONS["framework"].wording)
    accept_defaults(terminal, WORDINGS[2:framework])
    terminal.expect_exact(WORDINGS[framework])
    # Ctrl-O ends a list without an answer: the wizard asks again.
    terminal.send(CTRL_O)
    terminal.expect_exact(WORDINGS[framework])
    terminal.send(DOWN + ENTER)
    accept_defaults(terminal, WORDINGS[framework + 1 :])
    terminal.expect_exact("Write this project?")
    assert not list(output_dir.iterdir())
    terminal.send(ENTER)
    status, shown = finish(terminal)
    assert status == 0
    assert [path.name for path in output_dir.iterdir()] == ["bob-s-shop"]
    assert "cd bob-s-shop" in shown

    command = next(line for line in shown.splitlines() if line.startswith("  dockwright "))
    words = shlex.split(command)[1:]
    assert words == ["--no-input", "--project-name", "Bob's shop", "--framework", "fastapi"]
    assert run(sys.executable, "-m", "dockwright", *words, "--output-dir", "again").returncode == 0
    assert read_tree(output_dir / "again" / "bob-s-shop") == read_tree(output_dir / "bob-s-shop")


@pytest.mark.parametrize(
    ("keys", "status", "sentence"),
    [
        (CTRL_C, 130, "stopped: nothing was written"),
        (DOWN * 2 + ENTER, 1, "Nothing was written. These answers as a command:"),
    ],
    ids=["interrupted", "declined"],
)
def test_quitting_at_the_summary(spawn: Spawn, output_dir: Path, keys: str, status: int, sentence: str) -> None:
    """Ctrl-C and a no at the summary have different exit statuses, and neither writes anything."""
    terminal = spawn("--output-dir", "new")
    accept_defaults(terminal, WORDINGS)
    terminal.expect_exact("Write this project?")
    terminal.send(keys)
    exit_status, shown = finish(terminal)
    assert exit_status == status
    assert sentence in shown
    assert "Traceback" not in shown
    assert not list(output_dir.iterdir())


def test_every_choice_is_explained(spawn: Spawn, template: Template) -> None:
    """Each question shows its default, or all its choices with their explanations."""
    terminal = spawn()
    terminal.logfile_read = io.StringIO()
    accept_defaults(terminal, WORDINGS)
    terminal.expect_exact("Write this project?")
    shown = " ".join(without_escapes(terminal.logfile_read.getvalue()).split())
    terminal.send(CTRL_C)
    finish(terminal)
    assert all(preset.why in shown for preset in template.presets.values())
    for number, option in enumerate((OPTIONS[name] for name in NAMES), 1):
        if option.choices:
            assert all(choice.explanation in shown for choice in option.choices)
        else:
            default = template.complete({})[option.name]
            assert f"? {option.wording} ({number} of {len(NAMES)}) {default}" in shown


def test_conflict_is_explained_in_the_list(spawn: Spawn, tmp_path: Path) -> None:
    """A choice in conflict with an earlier answer is listed with the reason."""
    copy_checkout(tmp_path / "copy", _conflicts=[CONFLICT])
    terminal = spawn("--database", "none", PYTHONPATH=str(tmp_path / "copy" / "generator"))
    before = NAMES[: NAMES.index("redis")]
    accept_defaults(terminal, [START, *(OPTIONS[name].wording for name in before if name != "database")])
    terminal.expect_exact(OPTIONS["redis"].wording)
    terminal.expect_exact(CONFLICT["why"])
    assert "can't be used" not in (terminal.before or "")
    terminal.send(CTRL_C)
    assert finish(terminal)[0] == 130


def test_conflict_of_a_preset_is_refused_before_the_first_question(spawn: Spawn) -> None:
    """A preset that conflicts with a flag is explained, as two flags are."""
    terminal = spawn("new", "shop", "--preset", "student", "--deploy", "kubernetes")
    status, shown = finish(terminal)
    assert status == 2
    assert START not in shown
    assert WORDINGS[1] not in shown
    sentence = "error: student's database=sqlite with --deploy=kubernetes can't be used: SQLite is a file"
    assert " ".join(shown.split()).startswith(sentence)


def test_error_is_broken_between_words(spawn: Spawn, dockwright: Run) -> None:
    """In a terminal, an error is broken between words, and the command in it is whole, on a line of its own."""
    name = "a-shop-with-a-name-that-makes-a-long-command"
    assert dockwright("new", name, "-y").returncode == 0
    terminal = spawn("new", name, COLUMNS="60")
    status, shown = finish(terminal)
    *sentences, command = shown.splitlines()
    assert status == 1
    assert max(map(len, sentences)) < 60
    assert command == f"  dockwright new {name} --answers {name}/.dockwright.yaml --diff"


def test_colour_can_be_turned_off(spawn: Spawn) -> None:
    """With NO_COLOR set, the output has no colours."""
    for settings, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = spawn(**settings)
        terminal.expect_exact(WORDINGS[0])
        assert bool(re.search(r"\x1b\[(?:0;)?(?:3[1-7]|9\d)", terminal.before or "")) is coloured
        terminal.send(CTRL_C)
        assert finish(terminal)[0] == 130


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "screen"])
def test_dockerize_asks(spawn: Spawn, output_dir: Path, plain: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """Two applications alike are asked about; what was written stays when the proof is stopped."""
    root = write_application("two-applications", output_dir)
    terminal = spawn("dockerize", str(root), "--offline", *(["--plain"] if plain else []))
    for wording, answer in (("Which application?", "2" if plain else DOWN), ("Write Dockerfile, .dockerignore, ", "")):
        terminal.expect_exact(wording)
        terminal.expect_exact("Enter for" if plain else "Ctrl-C quits")
        terminal.send(answer + ENTER)
    if shutil.which("docker"):
        terminal.expect_exact("to prove that it works?")
        terminal.expect_exact("Enter for" if plain else "Ctrl-C quits")
        terminal.send(CTRL_C)
        status, output = finish(terminal)
        assert status == 130
        assert f"stopped, but {root} is written" in " ".join(output.split())
    else:
        assert finish(terminal)[0] == 0
    assert "COPY" in (root / "Dockerfile").read_text(encoding="utf-8")
    assert "WORKDIR /app/shop" in (root / "Dockerfile").read_text(encoding="utf-8")


def test_dockerize_names_what_it_would_write(spawn: Spawn, output_dir: Path) -> None:
    """The question has the new files only."""
    root = write_application("one-file", output_dir)
    for name in ("Dockerfile", "compose.yaml", "compose.prod.yaml"):
        (root / name).write_text("# mine\n", encoding="utf-8")
    for arguments, question in (
        ([], "Write .dockerignore?"),
        (["--force"], "Write .dockerignore, and replace Dockerfile, compose.yaml, compose.prod.yaml"),
    ):
        terminal = spawn("dockerize", str(root), "--offline", "--plain", *arguments)
        terminal.expect_exact(question)
        terminal.expect_exact("Enter for")
        terminal.send("no" + ENTER)
        assert finish(terminal)[0] == 1
    assert not (root / ".dockerignore").exists()
