"""How long a generator takes to say what it can do, to ask its first question, and to write a project.

And `dockerize`, to look at a large application.

Whole processes, as a shell starts them, with no network: the contenders come from PyPI into environments of their own.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

import pexpect

from benchmarks.measure import (
    CHECKOUT,
    OURS,
    Comparison,
    Depth,
    processor_time,
    progress,
    run,
    take_turns,
    timed,
)

BIN = Path(sys.executable).parent
FIRST_QUESTION = "How do you want to start?"

# Contender -> its package, and the command that writes a project named {name} with the service it proposes.
GENERATORS = {
    "cedric": ("cedric", "cedric init --no-input --framework flask --name {name} --target-dir ."),
    "boilerpy": ("boilerpy", "bpy init flask {name}"),
    "fastapi-template": (
        "fastapi-template",
        "fastapi_template --quiet --name {name} --api-type rest --db sqlite --orm sqlalchemy --ci none --migrations",
    ),
    "fastapi-fullstack": ("fastapi-fullstack", "fastapi-fullstack create {name} --output . --minimal"),
}

# A file of an application, 126 lines, and what parses all of them
FILE = """\
import os

from flask import Blueprint

pages = Blueprint("pages", __name__)
LIMIT = os.environ.get("LIMIT{number}")
"""
FUNCTION = "\n\ndef total(items):\n    return sum(item.price * item.count for item in items)\n"
PARSE = """\
import ast, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    ast.parse(path.read_bytes())
"""


def measure(depth: Depth) -> list[Comparison]:
    """Measure the three, each beside what a user would call otherwise."""
    # As pip does at an installation
    run(sys.executable, "-m", "compileall", "-q", str(CHECKOUT / "generator"))
    with tempfile.TemporaryDirectory() as directory:
        workspace = Path(directory)
        found = [
            Comparison("--help", "s", *take_turns(depth.rounds, helps())),
            Comparison("first question", "s", *take_turns(depth.rounds, first_questions())),
        ]
        progress("generation: a project without questions")
        contenders = {
            OURS: writes(workspace, f"{BIN / 'dockwright'} --no-input --project-slug {{name}}"),
            "cookiecutter, same template": writes(
                workspace, f"{BIN / 'cookiecutter'} {CHECKOUT} --no-input project_slug={{name}}"
            ),
        }
        if not depth.quick:
            contenders |= others(workspace)
        found.append(Comparison("a project without questions", "s", *take_turns(depth.rounds, contenders)))
        found.append(look(workspace, depth))
    return found


def look(workspace: Path, depth: Depth) -> Comparison:
    """Measure looking at 1,000 files that all read their environment, beside parsing them and nothing else."""
    application = workspace / "large"
    (application / "shop").mkdir(parents=True)
    (application / "app.py").write_text("from flask import Flask\n\napp = Flask(__name__)\n", encoding="utf-8")
    (application / "requirements.txt").write_text("flask\n", encoding="utf-8")
    for number in range(1000):
        text = FILE.format(number=number) + FUNCTION * 30
        (application / "shop" / f"module{number}.py").write_text(text, encoding="utf-8")
    commands = {
        OURS: (str(BIN / "dockwright"), "dockerize", "--dry-run", "--offline", str(application)),
        "ast.parse": (sys.executable, "-c", PARSE, str(application)),
    }
    contenders = {name: lambda words=words: processor_time(lambda: run(*words)) for name, words in commands.items()}
    return Comparison("processor time to look at 1,000 files", "s", *take_turns(depth.rounds, contenders))


def helps() -> dict[str, Callable[[], float]]:
    """Return what prints its help."""
    return {
        name: lambda command=command: timed(lambda: run(str(BIN / command), "--help"))  # type: ignore[misc]
        for name, command in ((OURS, "dockwright"), ("cookiecutter", "cookiecutter"))
    }


def first_questions() -> dict[str, Callable[[], float]]:
    """Return the wizard, up to its first question in a terminal, and the import of what it asks with."""
    return {
        OURS: ask,
        "python -c 'import questionary'": lambda: timed(lambda: run(sys.executable, "-c", "import questionary")),
    }


def ask() -> float:
    """Start the wizard and leave it at its first question; return the seconds until that was there."""
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        wizard = pexpect.spawn(str(BIN / "dockwright"), cwd=directory, encoding="utf-8", timeout=30)
        wizard.expect_exact(FIRST_QUESTION)
        took = time.perf_counter() - start
        wizard.close(force=True)
    return took


def writes(workspace: Path, command: str, environment: Mapping[str, str] | None = None) -> Callable[[], float]:
    """Return what writes a project with this command, under a new name each time."""

    def write() -> float:
        words = command.format(name=f"demo{uuid4().hex[:8]}").split()
        # The first choice, where there is no way not to be asked.
        return timed(lambda: run(*words, cwd=workspace, env=environment, stdin="1\n"))

    return write


def others(workspace: Path) -> dict[str, Callable[[], float]]:
    """Install the generators of others, and return what writes a project with each."""
    found = {}
    for name, (package, command) in GENERATORS.items():
        progress(f"generation: installing {package}")
        home = workspace / f"of-{name}"
        run(str(BIN / "uv"), "venv", "--quiet", str(home))
        run(str(BIN / "uv"), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(home), package)
        path = f"{home / 'bin'}:{BIN}:{os.environ['PATH']}"
        found[name] = writes(workspace, f"{home / 'bin'}/{command}", {"PATH": path, "UV_OFFLINE": "1"})
    return found
