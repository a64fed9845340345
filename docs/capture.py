"""Take the picture in the README: a new service that runs, answers, and shows an edit. Run it with `make pictures`."""

import html
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PICTURE = Path(__file__).with_name("running.svg")
COLUMNS = 110
TIMEOUT_SECONDS = 60

# terminal -> its rows; what is typed there, in turn, and what to wait for then
ROWS = {"stack": 32, "client": 10}
STEPS = [
    ("stack", "docker compose up", "Started worker-1"),
    ("client", "curl 'localhost:5000/products?page_size=1'", '"name":"Notebook"'),
    ("client", "sed -i 's/order_by(Product.id)/order_by(Product.price)/' app/products/catalogue.py", r"py\n\$$"),
    ("stack", "", "Changes detected(.|\n)*Started worker-1"),
    ("client", "curl 'localhost:5000/products?page_size=1'", '"name":"Ink"(.|\n)*"total":3'),
]
# Neither progress bars nor a menu: only the commands and the logs.
SHELL = "env PS1='$ ' COMPOSE_PROGRESS=quiet COMPOSE_MENU=false bash --norc --noprofile"

CHARACTER_WIDTH, LINE_HEIGHT, MARGIN = 8.4, 18, 12
STYLE = """\
text { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 14px; }
rect { fill: #161b22; }
.c0 { fill: #c9d1d9; } .c31 { fill: #ff7b72; } .c32 { fill: #7ee787; } .c33 { fill: #e3b341; }
.c34 { fill: #79c0ff; } .c35 { fill: #d2a8ff; } .c36 { fill: #76e3ea; }
.typed { fill: #ffffff; font-weight: bold; }"""
COLOUR = re.compile(r"\x1b\[([\d;]*)m")


def tmux(*arguments: str) -> str:
    """Run tmux on a server of its own and return its output."""
    command = ["tmux", "-L", "dockwright-pictures", "-f", "/dev/null", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def wait_for(pattern: str, terminal: str) -> None:
    """Wait until a terminal shows the pattern and no longer changes."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    last = ""
    # -J: without the line breaks at the right margin
    while not re.search(pattern, last) or last != tmux("capture-pane", "-p", "-J", "-t", terminal).rstrip():
        if time.monotonic() > deadline:
            sys.exit(f"error: the terminal does not show {pattern!r}:\n{last}")
        last = tmux("capture-pane", "-p", "-J", "-t", terminal).rstrip()
        time.sleep(0.5)


def capture(project: Path) -> list[str]:
    """Return the screens of both terminals, with their colours."""
    try:
        for terminal, rows in ROWS.items():
            size = ("-x", str(COLUMNS), "-y", str(rows))
            tmux("new-session", "-d", "-s", terminal, *size, "-c", str(project), SHELL)
            wait_for(r"\$", terminal)
        for terminal, command, result in STEPS:
            if command:
                tmux("send-keys", "-t", terminal, "-l", command)
                tmux("send-keys", "-t", terminal, "Enter")
            wait_for(result, terminal)
        return [tmux("capture-pane", "-e", "-p", "-t", terminal).rstrip() for terminal in ROWS]
    finally:
        tmux("kill-server")
        subprocess.run(["docker", "compose", "down", "--volumes", "--rmi", "all"], check=True, cwd=project)


def picture(screens: list[str]) -> str:
    """Return the screens as SVG, one below the other, in a font that the reader has."""
    width = COLUMNS * CHARACTER_WIDTH + 2 * MARGIN
    top = 0
    parts = []
    for screen in screens:
        lines = screen.splitlines()
        height = len(lines) * LINE_HEIGHT + 2 * MARGIN
        parts.append(f'<rect y="{top}" width="{width:g}" height="{height}" rx="6"/>')
        for number, line in enumerate(lines, 1):
            parts.extend(texts(line, top + MARGIN + number * LINE_HEIGHT - 4))
        top += height + MARGIN
    box = f'viewBox="0 0 {width:g} {top - MARGIN}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" {box}>',
            f"<style>{STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def texts(line: str, y: int) -> Iterator[str]:
    """Yield the parts of a line, each in its colour and at its column."""
    column = 0
    kind = "c0"
    for index, part in enumerate(COLOUR.split(line)):
        if index % 2:
            # 39 is the default colour; other attributes are ignored.
            kind = f"c{part}" if re.fullmatch("3[1-6]", part) else "c0"
            continue
        style = "typed" if line.startswith("$ ") else kind
        blanks = len(part) - len(part.lstrip())
        if text := part.strip():
            x, length = MARGIN + (column + blanks) * CHARACTER_WIDTH, len(text) * CHARACTER_WIDTH
            yield f'<text class="{style}" x="{x:g}" y="{y}" textLength="{length:g}">{html.escape(text)}</text>'
        column += len(part)


def main() -> None:
    """Generate a project, run it, and write the picture."""
    for program in ("dockwright", "tmux", "docker"):
        if not shutil.which(program):
            sys.exit(f"error: {program} is needed")
    with tempfile.TemporaryDirectory() as directory:
        command = ["dockwright", "--no-input", "--project-name", "Bookshop", "--output-dir", directory]
        subprocess.run(command, check=True)
        project = Path(directory, "bookshop")
        # The first build downloads for a while: it is not in the picture.
        subprocess.run(["docker", "compose", "build", "--quiet"], check=True, cwd=project)
        PICTURE.write_text(picture(capture(project)), encoding="utf-8")


if __name__ == "__main__":
    main()
