"""The real command in a real terminal, from the first question to the project."""

import io
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from dockwright.template import Template, load
from tests.unit.checkout import CONFLICT, REFUSAL, copy_checkout, read_tree
from tests.unit.conftest import Run

# Python warns of what a terminal is made with, as soon as there are threads; pytest-xdist has some.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

Spawn = Callable[..., "pexpect.spawn[str]"]

ENTER, DOWN, CTRL_C, CTRL_O, CTRL_U = "\r", "\x1b[B", "\x03", "\x0f", "\x15"
WORDINGS = [option.wording for option in load().options.values()]


@pytest.fixture
def spawn(output_dir: Path, environment: dict[str, str]) -> Spawn:
    """Return a function that starts `dockwright` in a terminal of its own."""

    def spawn(*arguments: str, **settings: str) -> "pexpect.spawn[str]":
        return pexpect.spawn(
            sys.executable,
            ["-m", "dockwright", *arguments],
            cwd=str(output_dir),
            env={**environment, "TERM": "xterm-256color", **settings},
            dimensions=(50, 120),
            encoding="utf-8",
            timeout=20,
        )

    return spawn


def accept_defaults(terminal: "pexpect.spawn[str]", wordings: list[str]) -> None:
    """Press Enter at each of these questions."""
    for wording in wordings:
        terminal.expect_exact(f" {wording} ")
        terminal.send(ENTER)


def finish(terminal: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """Wait for the command to end; return its exit status and what it showed last, without escape sequences."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, without_escapes(terminal.before or "")


def without_escapes(shown: str) -> str:
    """Return the text that a terminal was sent."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)


def test_from_the_first_question_to_the_project(spawn: Spawn, run: Run, output_dir: Path) -> None:
    """A wrong name is explained as it is typed; after a yes the project is there, and the command shown repeats it."""
    terminal = spawn()
    terminal.expect_exact(WORDINGS[0])
    terminal.send("{{ x }}")
    terminal.expect_exact("use 1 to 200 characters")
    terminal.send(CTRL_U + "Bob's shop" + ENTER)
    accept_defaults(terminal, WORDINGS[1:3])
    terminal.expect_exact(f" {WORDINGS[3]} ")
    # Ends a list without an answer: it is asked again.
    terminal.send(CTRL_O)
    terminal.expect_exact(f" {WORDINGS[3]} ")
    terminal.send(DOWN + ENTER)
    accept_defaults(terminal, WORDINGS[4:])
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
    [(CTRL_C, 130, "stopped: nothing was written"), (DOWN * 2 + ENTER, 1, "Nothing was written.")],
    ids=["interrupted", "declined"],
)
def test_leaving_at_the_summary(spawn: Spawn, output_dir: Path, keys: str, status: int, sentence: str) -> None:
    """Ctrl-C and a no at the summary have an exit status of their own, and neither writes anything."""
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
    """Each question shows its default, or all of its choices with their explanations."""
    terminal = spawn()
    terminal.logfile_read = io.StringIO()
    accept_defaults(terminal, WORDINGS)
    terminal.expect_exact("Write this project?")
    shown = " ".join(without_escapes(terminal.logfile_read.getvalue()).split())
    terminal.send(CTRL_C)
    finish(terminal)
    for option in template.options.values():
        if option.choices:
            assert all(choice.explanation in shown for choice in option.choices)
        else:
            assert f"? {option.wording} {template.complete({})[option.name]}" in shown


def test_conflict_is_explained_where_it_arises(spawn: Spawn, tmp_path: Path) -> None:
    """A choice that does not go with an earlier answer says why, in the list that it stands in."""
    copy_checkout(tmp_path / "copy", _conflicts=[CONFLICT])
    terminal = spawn("--database", "none", PYTHONPATH=str(tmp_path / "copy"))
    names = list(load().options)
    asked = WORDINGS[: names.index("redis")]
    accept_defaults(terminal, [wording for wording in asked if wording != WORDINGS[names.index("database")]])
    terminal.expect_exact(f" {WORDINGS[names.index('redis')]} ")
    terminal.expect_exact(REFUSAL)
    terminal.send(CTRL_C)
    assert finish(terminal)[0] == 130


def test_colour_can_be_turned_off(spawn: Spawn) -> None:
    """With NO_COLOR set, no colour is sent to the terminal."""
    for settings, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = spawn(**settings)
        terminal.expect_exact(WORDINGS[0])
        assert bool(re.search(r"\x1b\[(?:0;)?(?:3[1-7]|9\d)", terminal.before or "")) is coloured
        terminal.send(CTRL_C)
        assert finish(terminal)[0] == 130
