"""Take the pictures: the questions, a new service that runs and shows an edit, and an application that is dockerized.

Run it with `make pictures`.
"""

import html
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

RUNNING = Path(__file__).with_name("running.svg")
DOCKERIZED = Path(__file__).with_name("dockerize.svg")
SHAPES = Path(__file__).parents[1] / "tests" / "applications.py"
# The wizard's picture, for each theme of the reader's
QUESTIONS = {theme: Path(__file__).with_name(f"questions-{theme}.svg") for theme in ("dark", "light")}
COLUMNS = 110
TIMEOUT_SECONDS = 60

# terminal -> its rows; what is typed there, in turn, and what to wait for then
ROWS = {"stack": 32, "client": 10}
STEPS = [
    ("stack", "docker compose up", "Started worker-1"),
    ("client", "curl 'localhost:5000/products?page_size=1'", '"name":"Notebook"'),
    ("client", "sed -i 's/order_by(Product.id)/order_by(Product.price_cents)/' app/products/catalogue.py", r"py\n\$$"),
    ("stack", "", "Changes detected(.|\n)*Started worker-1"),
    ("client", "curl 'localhost:5000/products?page_size=1'", '"name":"Ink"(.|\n)*"total":3'),
]
# keys in the wizard, in turn, and what to wait for then; None takes a screen
QUESTION_ROWS = 34
QUESTION_STEPS = [
    (["dockwright", "Enter"], r"Step by step(.|\n)*Files +\d"),
    (["Enter"], "Name of the project"),
    (["Bookshop"], "Bookshop"),
    (["Enter"], "Short name"),
    (["Enter"], "one sentence"),
    (["Enter"], r"Web framework(.|\n)*Files +\d"),
    (["Down", "Enter"], r"Python \((.|\n)*Files +\d"),
    (["Enter"], r"Base image \((.|\n)*Files +\d"),
    (["Enter"], r"Database \((.|\n)*Files +\d"),
    (["Down", "Enter"], r"Redis \((.|\n)*Files +\d"),
    (["Down", "Down", "Down"], r"cache-and-queue(.|\n)*app/cache"),
    None,
    (["Enter"], "Port, where"),
    (["Enter"], "Write this project"),
    None,
]
# Neither progress bars nor a menu: only the commands and the logs.
SHELL = "env PS1='$ ' COMPOSE_PROGRESS=quiet COMPOSE_MENU=false bash --norc --noprofile"

CHARACTER_WIDTH, LINE_HEIGHT, MARGIN = 8.4, 18, 12
FONT = 'text { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 14px; }'
# What has a colour: the background, what is typed, and the terminal's codes, of which 0 is the default
COLOURED = ("background", "typed", "0", "31", "32", "33", "34", "35", "36", "90")
THEMES = {
    "dark": "#161b22 #ffffff #c9d1d9 #ff7b72 #7ee787 #e3b341 #79c0ff #d2a8ff #76e3ea #8b949e",
    "light": "#f6f8fa #000000 #24292f #cf222e #116329 #7d4e00 #0969da #8250df #1b7c83 #57606a",
}
COLOURS = {theme: dict(zip(COLOURED, text.split(), strict=True)) for theme, text in THEMES.items()}
BOLD = ' font-weight="bold"'
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


def ask(directory: Path) -> list[str]:
    """Return screens of the wizard, with their colours."""
    screens = []
    try:
        size = ("-x", str(COLUMNS), "-y", str(QUESTION_ROWS))
        tmux("new-session", "-d", "-s", "wizard", *size, "-c", str(directory), SHELL)
        wait_for(r"\$", "wizard")
        for step in QUESTION_STEPS:
            if step is None:
                screen = tmux("capture-pane", "-e", "-p", "-t", "wizard").rstrip()
                screens.append(screen.replace(str(directory), "~"))
                continue
            keys, result = step
            tmux("send-keys", "-t", "wizard", *keys)
            wait_for(result, "wizard")
        return screens
    finally:
        tmux("kill-server")


def run(project: Path) -> list[str]:
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


def dockerize(directory: Path) -> str:
    """Return the screen of the command in the class's application, with its colours."""
    write_application = runpy.run_path(str(SHAPES))["write_application"]
    application = write_application("one-file", directory).rename(directory / "product-api")
    try:
        tmux("new-session", "-d", "-s", "dockerize", "-x", str(COLUMNS), "-y", "34", "-c", str(application), SHELL)
        wait_for(r"\$", "dockerize")
        for command, result in (("ls", r"requirements\.txt"), ("dockwright dockerize --no-input --prove", "curl http")):
            tmux("send-keys", "-t", "dockerize", "-l", command)
            tmux("send-keys", "-t", "dockerize", "Enter")
            wait_for(result, "dockerize")
        return tmux("capture-pane", "-e", "-p", "-t", "dockerize").rstrip().removesuffix("$").rstrip()
    finally:
        tmux("kill-server")


def picture(screens: list[str], colours: Mapping[str, str]) -> str:
    """Return the screens as SVG, one below the other, in a font that the reader has."""
    width = COLUMNS * CHARACTER_WIDTH + 2 * MARGIN
    top = 0
    parts = []
    for screen in screens:
        height = (screen.count("\n") + 1) * LINE_HEIGHT + 2 * MARGIN
        parts.append(f'<rect y="{top}" width="{width:g}" height="{height}" rx="6" fill="{colours["background"]}"/>')
        parts.extend(texts(screen, top + MARGIN - 4, colours))
        top += height + MARGIN
    box = f'viewBox="0 0 {width:g} {top - MARGIN}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" {box}>',
            f"<style>{FONT}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def texts(screen: str, top: int, colours: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts of the lines, each in its colour and at its column."""
    colour, weight = "0", ""
    for number, line in enumerate(screen.split("\n"), 1):
        typed = line.startswith("$ ")
        column = 0
        for index, part in enumerate(COLOUR.split(line)):
            if index % 2:
                colour, weight = attributes(part, colour, weight, colours)
                continue
            style = f'fill="{colours["typed" if typed else colour]}"' + (BOLD if typed else weight)
            blanks = len(part) - len(part.lstrip())
            if text := part.strip():
                x, length = MARGIN + (column + blanks) * CHARACTER_WIDTH, len(text) * CHARACTER_WIDTH
                y = top + number * LINE_HEIGHT
                yield f'<text {style} x="{x:g}" y="{y}" textLength="{length:g}">{html.escape(text)}</text>'
            column += len(part)


def attributes(codes: str, colour: str, weight: str, colours: Mapping[str, str]) -> tuple[str, str]:
    """Return the colour and the weight that an escape sequence leads to."""
    for code in codes.split(";"):
        match code:
            case "" | "0":
                colour, weight = "0", ""
            case "1":
                weight = BOLD
            case "39":
                colour = "0"
            case _ if code in colours:
                colour = code
            case _:
                pass  # other attributes are ignored
    return colour, weight


def main() -> None:
    """Take the questions, generate a project, run it, and write the pictures."""
    for program in ("dockwright", "tmux", "docker"):
        if not shutil.which(program):
            sys.exit(f"error: {program} is needed")
    with tempfile.TemporaryDirectory() as directory:
        DOCKERIZED.write_text(picture([dockerize(Path(directory))], COLOURS["dark"]), encoding="utf-8")
        screens = ask(Path(directory))
        for theme, path in QUESTIONS.items():
            path.write_text(picture(screens, COLOURS[theme]), encoding="utf-8")
        command = ["dockwright", "--no-input", "--project-name", "Bookshop", "--output-dir", directory]
        subprocess.run(command, check=True)
        project = Path(directory, "bookshop")
        # The first build downloads for a while: it is not in the picture.
        subprocess.run(["docker", "compose", "build", "--quiet"], check=True, cwd=project)
        RUNNING.write_text(picture(run(project), COLOURS["dark"]), encoding="utf-8")


if __name__ == "__main__":
    main()
