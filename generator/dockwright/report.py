"""What the user sees about a project: the answers, the command that repeats them, and the next steps."""

import os
import re
import shlex
import shutil
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dockwright.template import RECORD, Answers, Template

WINDOWS = os.name == "nt"
IGNORES = ".gitignore"
# A port is taken if something answers before this; what is free refuses at once, but on Windows.
TIMEOUT_SECONDS = 0.2
PORTS_TRIED = 100


@dataclass(frozen=True)
class Start:
    """How to start a project and see it answer, on a port that is free on this machine."""

    commands: list[str]
    request: str
    docs: str
    stop: str
    port: str
    wanted: str
    guide: bool
    docker: bool
    readme: bool  # whether the project's README is Dockwright's

    def lines(self) -> list[str]:
        """Return the steps as text."""
        taken = [f"Port {self.wanted} is in use on this machine: these commands take {self.port}.", ""]
        missing = ["Docker is not installed on this machine: install it first, with Compose.", ""]
        goes_on = (
            f"The project's README.md goes on from here{', and GUIDE.md explains its files' if self.guide else ''}."
        )
        if not self.readme:
            goes_on = "GUIDE.md explains the project's files." if self.guide else ""
        return [
            *(f"  {command}" for command in self.commands),
            "",
            *(() if self.docker else missing),
            *(taken if self.port != self.wanted else ()),
            "In another terminal:",
            "",
            f"  {self.request}",
            "",
            f"{self.docs} describes the API.",
            f"Ctrl-C stops the service; `{self.stop}` then removes its containers.",
            *filter(None, [goes_on]),
        ]


def describe(template: Template, answers: Answers, output_dir: Path, target: Path | None = None) -> dict[str, str]:
    """Return the summary: a title and a text for each answer, and for the directory."""
    rows = {}
    for option in template.options.values():
        labels = {choice.value: choice.label for choice in option.choices}
        answer = answers[option.name]
        rows[option.title] = labels.get(answer, answer)
    return rows | {"Directory": str((target or output_dir / answers["project_slug"]).absolute())}


def repeat_command(
    template: Template,
    answers: Answers,
    output_dir: Path | None,
    name: str | None = None,
    implied: Answers | None = None,
) -> str:
    """Return the command that generates the same project without questions, quoted for the user's shell.

    `name` is the command's operand, and `implied` has the answers that follow from it, which need no flag.
    """
    words = [_program(), *(() if name is None else ("new", name)), "--no-input"]
    for option, answer in answers.items():
        if answer != (implied[option] if implied and option in implied else template.default(option, answers)):
            words += _flag(template.options[option].flag, answer)
    if output_dir:
        words += _flag("--output-dir", str(output_dir))
    return quote(words)


def compare_command(project: Path) -> str:
    """Return the command that shows how a project differs from what its record leads to."""
    return quote([_program(), "new", str(project), "--answers", str(project / RECORD), "--diff"])


def ignore_warning(template: Template, answers: Answers, directory: Path) -> str:
    """Return a sentence with the lines against committed secrets that the directory's own .gitignore lacks, if any."""
    path = directory / IGNORES
    if not path.is_file():
        return ""
    # The first lines of ours are those against secrets.
    ours, _, _ = template.text(IGNORES, answers).partition("\n\n")
    theirs = {line.strip().strip("/") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()}
    missing = [line for line in ours.splitlines() if not line.startswith("#") and line.strip("/") not in theirs]
    sentence = "Your .gitignore lacks these lines; without them passwords can be committed: "
    return sentence + ", ".join(missing) if missing else ""


def start(project: Path, readme: str, port: str, *, kept: bool = False, windows: bool = WINDOWS) -> Start:
    """Return how to start the project in this directory; its README, if that isn't kept, has the first request."""
    free = free_port(port)
    request = next(line for line in readme.splitlines() if line.startswith("curl "))
    place = place_of(project)
    return Start(
        [
            *([f"cd {quote([place], windows=windows)}"] if place != "." else []),
            up_command(free, port, windows=windows),
        ],
        re.sub("^curl", curl(windows=windows), request).replace(f":{port}/", f":{free}/"),
        f"http://localhost:{free}/docs",
        "docker compose down",
        free,
        port,
        (project / "GUIDE.md").is_file(),
        shutil.which("docker") is not None,
        not kept,
    )


def up_command(free: str, port: str, *, windows: bool = WINDOWS) -> str:
    """Return the command that starts a project whose port is `port`, on a free one."""
    up = "docker compose up"
    if free == port:
        return up
    return f"$env:PORT={free}; {up}" if windows else f"PORT={free} {up}"


def curl(*, windows: bool = WINDOWS) -> str:
    """Return what curl is called: in PowerShell, `curl` may be another command."""
    return "curl.exe" if windows else "curl"


def free_port(port: str) -> str:
    """Return the first port from this one on that nothing on this machine answers at; this one, if there is none."""
    candidates = range(int(port), min(int(port) + PORTS_TRIED, 2**16))
    return next((str(candidate) for candidate in candidates if not _answers(candidate)), port)


def quote(words: Iterable[str], *, windows: bool = WINDOWS) -> str:
    """Return the words as a command line: for PowerShell on Windows, else for a POSIX shell."""
    if not windows:
        return shlex.join(words)
    plain = re.compile(r"[\w./\\:=+-]+")
    return " ".join(
        word if plain.fullmatch(word) else "'{}'".format(re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", word))
        for word in words
    )


def place_of(project: Path) -> str:
    """Return the shortest way to the project from here."""
    here, path = Path.cwd(), project.absolute()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _program() -> str:
    # Keep a relative path, as in `make new`: an absolute one may come from the shell's search path.
    return "dockwright" if Path(sys.argv[0]).is_absolute() else sys.argv[0]


def _answers(port: int) -> bool:
    try:
        # By name: whatever holds the port, on either version of IP, would get the request.
        with socket.create_connection(("localhost", port), TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def _flag(name: str, answer: str) -> list[str]:
    return [f"{name}={answer}"] if answer.startswith("-") else [name, answer]
