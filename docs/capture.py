"""Take the picture of the wizard that the README shows, in a real terminal. Run it with `make pictures`."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 80, 24
PATIENCE_SECONDS = 10

# As wide as Rich draws a character, and the texts that it begins with spaces
CHARACTER_WIDTH = 12.2
INDENTED = re.compile(
    r'x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<length>[\d.]+)" clip-path="(?P<clip>[^"]+)">'
    r"(?P<spaces>(?:&#160;)+)"
)

# (what to wait for, the keys to press then); the picture shows what is there when no more keys are to be pressed
KEYS = [
    ("Name of the project", ["Enter"]),
    ("Short name", ["Enter"]),
    ("What it does", ["Enter"]),
    ("Web framework", ["Down", "Enter"]),
    ("Python", ["Enter"]),
    ("Base image", ["Enter"]),
    ("Database", ["Down", "Enter"]),
    ("Redis", ["Down"]),
    ("» cache", []),
]


def tmux(*arguments: str) -> str:
    """Run tmux on a server of its own, and return what it prints."""
    command = ["tmux", "-L", "dockwright-pictures", "-f", "/dev/null", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def wait_for(text: str, screen: Callable[[], str]) -> None:
    """Wait until the screen shows the text and has come to rest."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    last = ""
    while text not in last or last != screen():
        if time.monotonic() > deadline:
            sys.exit(f"error: the screen does not show {text!r}:\n{last}")
        last = screen()
        time.sleep(0.2)


def capture(command: str, directory: Path) -> str:
    """Return the screen of the wizard, with its colours."""
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", str(directory), command)
    try:
        for text, keys in KEYS:
            wait_for(text, lambda: tmux("capture-pane", "-p"))
            for key in keys:
                tmux("send-keys", key)
        return tmux("capture-pane", "-e", "-p")
    finally:
        tmux("kill-server")


def picture(screen: str, title: str) -> str:
    """Return the screen as SVG, in the fonts of whoever looks at it."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        console.print(Text.from_ansi(screen.rstrip()))
    form = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    return INDENTED.sub(unindent, console.export_svg(title=title, code_format=form, unique_id="wizard"))


def unindent(text: re.Match[str]) -> str:
    """Move a text to its first letter: not every viewer keeps the spaces before it."""
    shift = CHARACTER_WIDTH * text["spaces"].count("&#160;")
    x, length = float(text["x"]) + shift, float(text["length"]) - shift
    return f'x="{x:g}" y="{text["y"]}" textLength="{length:g}" clip-path="{text["clip"]}">'


if __name__ == "__main__":
    wizard = shutil.which("dockwright")
    if not wizard or not shutil.which("tmux"):
        sys.exit("error: dockwright and tmux are needed")
    with tempfile.TemporaryDirectory() as directory:
        screen = capture(wizard, Path(directory))
    Path(__file__).with_name("wizard.svg").write_text(picture(screen, "dockwright"), encoding="utf-8")
