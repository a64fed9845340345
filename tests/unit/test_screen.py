"""What real terminals show, at several widths, and with the oldest libraries that are allowed."""

import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pyte
import pytest
from uv import find_uv_bin

from dockwright.screen import fold
from dockwright.template import load
from tests.unit.checkout import ROOT
from tests.unit.conftest import heed_the_terminal

# Python warns of forking with threads: pexpect forks, and pytest-xdist has threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

ENTER, UP, DOWN, BACK, CTRL_C = "\r", "\x1b[A", "\x1b[B", "\x1b[Z", "\x03"
TIMEOUT_SECONDS = 30
TEMPLATE = load()
OPTIONS = TEMPLATE.options
NAMES = [name for name in OPTIONS if name not in TEMPLATE.extra]


class AnsweringScreen(pyte.Screen):
    """A screen that tells the program where the cursor is, as real terminals do."""

    def __init__(self, columns: int, rows: int, process: "pexpect.spawn[str]") -> None:
        """Answer to the process."""
        super().__init__(columns, rows)
        self.process = process

    def write_process_input(self, data: str) -> None:
        """Send what the terminal answers."""
        self.process.send(data)


@dataclass
class Terminal:
    """A terminal of some size that runs the wizard."""

    process: "pexpect.spawn[str]"
    screen: pyte.Screen
    stream: pyte.Stream
    received: str = ""

    def wait_for(self, text: str, *, gone: bool = False) -> list[str]:
        """Wait until the screen shows a text, also if it is broken between words, or no longer; return the lines."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (text in self.words()) is gone:
            assert time.monotonic() < deadline, f"{text!r} is not as expected in:\n" + "\n".join(self.screen.display)
            with suppress(pexpect.TIMEOUT):
                output = self.process.read_nonblocking(65536, 0.1)
                self.received += output
                self.stream.feed(output)
        return [line.rstrip() for line in self.screen.display]

    def words(self) -> str:
        """Return what the screen shows, with single spaces."""
        return " ".join(" ".join(self.screen.display).split())

    def press(self, keys: str) -> None:
        """Press keys."""
        self.process.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def finish(self) -> int | None:
        """Wait for the end; return the exit status."""
        self.process.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus


Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(output_dir: Path, environment: dict[str, str]) -> Iterator[Open]:
    """Return a function that starts the wizard in a terminal of a given size."""
    terminals = []

    def start(columns: int, rows: int = 40, *arguments: str, python: str = sys.executable, **settings: str) -> Terminal:
        # Unlike the terminals of other tests, this one tells where its cursor is.
        unlike = {"COLUMNS", "PROMPT_TOOLKIT_NO_CPR"}
        inherited = {name: value for name, value in environment.items() if name not in unlike}
        process = pexpect.spawn(
            python,
            ["-m", "dockwright", *arguments],
            cwd=str(output_dir),
            env={**inherited, "TERM": "xterm-256color", **settings},
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            preexec_fn=heed_the_terminal,
        )
        screen = AnsweringScreen(columns, rows, process)
        terminals.append(Terminal(process, screen, pyte.Stream(screen)))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.process.close(force=True)


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python of an environment with the lowest versions that pyproject.toml allows."""
    directory = tmp_path_factory.mktemp("oldest") / "venv"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = str(directory / "bin" / "python")
    subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(directory)], check=True)
    install = [find_uv_bin(), "pip", "install", "--quiet", "--resolution", "lowest-direct", "--python", python]
    subprocess.run([*install, *project["dependencies"]], check=True)
    return python


def go_through(terminal: Terminal) -> None:
    """Go to the summary with Enter, go back to the database, choose another and write the project."""
    terminal.wait_for("How do you want to start?")
    terminal.press(ENTER)
    for number, name in enumerate(NAMES, 1):
        lines = terminal.wait_for(f"{OPTIONS[name].wording} ({number} of {len(NAMES)})")
        for choice in OPTIONS[name].choices:
            lines = terminal.wait_for(f"{choice.label} {choice.explanation}")
        # A line that is full would have been broken by the terminal, maybe in a word.
        assert [line for line in lines if len(line) == terminal.screen.columns] == []
        terminal.press(ENTER)
    terminal.wait_for("Write this project?")
    steps = len(NAMES) - NAMES.index("database")
    terminal.press(BACK * steps)
    terminal.wait_for(f"{OPTIONS['database'].wording} (")
    terminal.press(DOWN + ENTER)
    terminal.wait_for("Write this project?")
    assert any(line.rstrip().endswith("web :5000 ───▶ db  postgres:18") for line in terminal.screen.display)
    terminal.press(ENTER)
    lines = terminal.wait_for("To generate it again elsewhere, with Dockwright ")
    # Only commands, which are indented, are longer than the terminal is wide.
    sentences = [line for line in lines[lines.index("Wrote product-api. Start it:") :] if not line.startswith(" ")]
    assert max(map(len, sentences)) < terminal.screen.columns
    assert terminal.finish() == 0


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_every_width(open_terminal: Open, output_dir: Path, columns: int) -> None:
    """At every width words are whole, and the way back works."""
    go_through(open_terminal(columns, 60))
    assert [path.name for path in output_dir.iterdir()] == ["product-api"]


def test_oldest_libraries(open_terminal: Open, output_dir: Path, oldest: str) -> None:
    """The wizard works with the oldest prompt_toolkit and questionary that are allowed."""
    go_through(open_terminal(100, 60, python=oldest))
    assert [path.name for path in output_dir.iterdir()] == ["product-api"]


def test_smallest_terminal_with_a_panel_shows_everything(open_terminal: Open) -> None:
    """At 80 x 24, the title, the first list and the panel are on the screen together."""
    terminal = open_terminal(80, 24)
    lines = terminal.wait_for("localhost:5000")
    assert lines[0].startswith("Dockwright ")
    terminal.wait_for(" Files ")


@pytest.mark.parametrize(("columns", "rows"), [(79, 40), (80, 23)])
def test_panel_is_hidden_in_a_small_terminal(open_terminal: Open, columns: int, rows: int) -> None:
    """With fewer than 80 columns or 24 rows there is no panel; it comes when the terminal grows, and goes again."""
    terminal = open_terminal(columns, rows)
    terminal.wait_for("Choose everything")
    assert "Services" not in terminal.words()
    terminal.resize(100, 40)
    terminal.wait_for("Services web (localhost:5000)")
    terminal.resize(columns, rows)
    terminal.wait_for("Services", gone=True)
    terminal.wait_for("Choose everything")
    terminal.press(CTRL_C)
    assert terminal.finish() == 130


def test_panel_shows_where_the_pointed_choice_leads(open_terminal: Open) -> None:
    """The panel has the services, the size, the command and the files of the choice that is pointed at."""
    terminal = open_terminal(120)
    terminal.wait_for("How do you want to start?")
    terminal.press(ENTER)
    for name in NAMES[: NAMES.index("redis")]:
        terminal.wait_for(f"{OPTIONS[name].wording} (")
        terminal.press(ENTER)
    terminal.wait_for(f"{OPTIONS['redis'].wording} (")
    terminal.wait_for("Services web (localhost:5000)")
    lines = terminal.screen.display
    before = next(number for number, line in enumerate(lines) if line.startswith("─"))
    assert lines[before - 1].startswith(f"   {OPTIONS['redis'].choices[-1].label} ")
    received = len(terminal.received)
    terminal.press(DOWN * 3)
    terminal.wait_for("redis (redis:8)")
    # It doesn't flicker: nothing is erased to be drawn again.
    assert not re.search(r"\x1b\[[0-3]?J", terminal.received[received:])
    for shown in ("worker", "--redis cache-and-queue", "+ app/cache.py app/queue.py"):
        terminal.wait_for(shown)
    assert terminal.screen.display[before].startswith("─")


def test_answer_after_a_resize_is_taken_back(open_terminal: Open) -> None:
    """In a terminal of another size than before, the way back still erases what was answered since."""
    terminal = open_terminal(100)
    terminal.wait_for("How do you want to start?")
    terminal.press(ENTER)
    for name in NAMES[: NAMES.index("framework")]:
        terminal.wait_for(f"{OPTIONS[name].wording} (")
        terminal.press(ENTER)
    terminal.wait_for(f"{OPTIONS['framework'].wording} (")
    terminal.resize(90, 40)
    terminal.wait_for("Services web (localhost:5000)")
    terminal.press(ENTER)
    terminal.wait_for(f"{OPTIONS['python_version'].wording} (")
    terminal.press(BACK)
    terminal.wait_for(f"{OPTIONS['framework'].wording} (")
    terminal.wait_for(f"✓ {OPTIONS['description'].wording}")
    assert f"✓ {OPTIONS['framework'].wording}" not in terminal.words()
    terminal.press(CTRL_C)
    assert terminal.finish() == 130


def test_refused_choice_says_why_once(open_terminal: Open) -> None:
    """The reason stands where the explanation would; the panel has what will be proposed instead of the default."""
    terminal = open_terminal(120, 40, "--deploy", "swarm")
    terminal.wait_for("Services web (localhost:5000), migrate (runs once), db (postgres:18)")
    reason = next(
        conflict["why"]
        for conflict in TEMPLATE.definition["_conflicts"]
        if conflict["when"] == {"database": "sqlite", "deploy": "swarm"}
    )
    terminal.wait_for(f"- student {reason} api ")


def test_keys_before_the_summary_are_discarded(open_terminal: Open, output_dir: Path) -> None:
    """More Enters than there are questions, all typed at once or while the summary is computed, write nothing."""
    terminal = open_terminal(100, 60)
    terminal.wait_for("How do you want to start?")
    terminal.press(ENTER * (len(NAMES) + 10))
    terminal.wait_for("Write this project?")
    time.sleep(0.5)
    assert terminal.process.isalive()
    assert not list(output_dir.iterdir())
    terminal.press(ENTER)
    terminal.wait_for("Wrote product-api.")
    assert terminal.finish() == 0


def test_port_in_use_is_said_at_its_question(open_terminal: Open) -> None:
    """Below the field, until another port is typed."""
    wording = OPTIONS["port"].wording
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        terminal = open_terminal(100, 60)
        for text in ("How do you want to start?", *(f"{OPTIONS[name].wording} (" for name in NAMES if name != "port")):
            terminal.wait_for(text)
            terminal.press(ENTER)
        terminal.wait_for(f"{wording} (")
        terminal.press(port + ENTER)
        terminal.wait_for("Write this project?")
        # Going back proposes the same port again.
        terminal.press(BACK)
        terminal.wait_for(f"Port {port} is in use on this machine: type another, such as ")
        terminal.press("8")
        terminal.wait_for("is in use on this machine", gone=True)
        terminal.press(CTRL_C)
        assert terminal.finish() == 130


def test_interrupt_leaves_no_rendering(open_terminal: Open, tmp_path: Path) -> None:
    """Ctrl-C while the panel is being computed leaves no temporary file, and exits with 130."""
    terminal = open_terminal(100, TMPDIR=str(tmp_path))
    before = set(tmp_path.iterdir())
    terminal.wait_for("How do you want to start?")
    terminal.press(CTRL_C)
    assert terminal.finish() == 130
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("module", "libraries"),
    [("screen", {"cookiecutter", "jinja2", "yaml"}), ("plain", {"cookiecutter", "prompt_toolkit", "questionary"})],
)
def test_slow_libraries_wait(module: str, libraries: set[str], environment: dict[str, str]) -> None:
    """The first question needs no library that is slow to import and used later."""
    code = f"import sys, dockwright.wizard, dockwright.{module}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    assert not libraries & set(done.stdout.split())


@pytest.mark.parametrize("settings", [{}, {"TERM": "dumb"}], ids=["screen", "plain"])
def test_closed_terminal_leaves_nothing(
    open_terminal: Open, output_dir: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    """When the terminal goes away in the middle, the wizard ends as after Ctrl-C, and nothing is written."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    terminal = open_terminal(100, TMPDIR=str(temporary), **settings)
    terminal.wait_for("How do you want to start?")
    terminal.press(ENTER)
    terminal.wait_for(OPTIONS[NAMES[0]].wording)
    terminal.process.ptyproc.fileobj.close()  # type: ignore[attr-defined] # the stubs lack it
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while terminal.process.isalive():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert terminal.process.exitstatus == 130
    assert not list(output_dir.iterdir())
    assert not list(temporary.iterdir())


def test_plain_lines_in_a_dumb_terminal(open_terminal: Open, output_dir: Path) -> None:
    """In a terminal that can't move its cursor nothing but text is sent, and Ctrl-C quits with 130."""
    terminal = open_terminal(80, TERM="dumb")
    terminal.process.expect_exact("Number, or Enter for 1: ")
    terminal.press(ENTER)
    terminal.process.expect_exact("Text, or Enter for ")
    assert "\x1b" not in (terminal.process.before or "")
    terminal.press(CTRL_C)
    assert terminal.finish() == 130
    assert "Traceback" not in (terminal.process.before or "")
    assert not list(output_dir.iterdir())


def test_lines_are_broken_between_words() -> None:
    """A word that does not fit goes to the next line, indented, also if its characters are wide; a longer one stays."""
    folded = fold([("", "one two "), ("class:x", "three 四四 unbreakably-long")], 10, 2)
    assert "".join(text for _, text in folded) == "one two \n  three \n  四四 \n  unbreakably-long"
