"""What the user sees about a project: the answers, the command that repeats them, and the next steps."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from dockwright.template import Answers, Template


def describe(template: Template, answers: Answers, output_dir: Path) -> dict[str, str]:
    """Return the summary: a title and a text for each answer, and for the directory."""
    rows = {}
    for option in template.options.values():
        labels = {choice.value: choice.label for choice in option.choices}
        answer = answers[option.name]
        rows[option.title] = labels.get(answer, answer)
    return rows | {"Directory": str((output_dir / answers["project_slug"]).absolute())}


def repeat_command(template: Template, answers: Answers, output_dir: Path | None) -> str:
    """Return the command that generates the same project without questions, quoted for the user's shell."""
    # Keep a relative path, as in `make new`: an absolute one may come from the shell's search path.
    words = ["dockwright" if Path(sys.argv[0]).is_absolute() else sys.argv[0], "--no-input"]
    for name, answer in answers.items():
        if answer != template.default(name, answers):
            words += _flag(template.options[name].flag, answer)
    if output_dir:
        words += _flag("--output-dir", str(output_dir))
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def next_commands(project: Path) -> list[str]:
    """Return the commands that start the project and send the first request of its README."""
    here = Path.cwd()
    path = project.absolute()
    place = path.relative_to(here) if path.is_relative_to(here) else path
    readme = (project / "README.md").read_text(encoding="utf-8")
    request = next(line for line in readme.splitlines() if line.startswith("curl "))
    return [f"cd {shlex.quote(str(place))}", "docker compose up", request]


def _flag(name: str, answer: str) -> list[str]:
    return [f"{name}={answer}"] if answer.startswith("-") else [name, answer]
