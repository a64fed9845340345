"""How long a stack takes to be healthy, and how soon an edit shows in development."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks.measure import OURS, Comparison, Depth, answers, progress, run, take_turns, timed, wait_until
from dockwright.template import render

IMPORT = """
import time
begin = time.perf_counter()
from app.main import create_app
create_app()
print(time.perf_counter() - begin)
"""


class Stack:
    """The services of one compose file of a project."""

    def __init__(self, directory: Path, file: str) -> None:
        """Name the file."""
        self.directory = directory
        self.file = file

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on the stack."""
        return run("docker", "compose", "--file", self.file, *arguments, cwd=self.directory)

    def up(self, *services: str) -> float:
        """Return the seconds until new containers, on new volumes, are healthy."""
        self.down()
        return timed(lambda: self.compose("up", "--detach", "--wait", *services))

    def down(self) -> None:
        """Remove the containers and the volumes."""
        self.compose("down", "--volumes", "--timeout", "2")


@contextmanager
def stack(framework: str, file: str) -> Iterator[Stack]:
    """Give a built stack with PostgreSQL, and leave nothing of it behind."""
    with tempfile.TemporaryDirectory() as directory:
        answered = {"project_slug": f"bench-{uuid4().hex[:8]}", "framework": framework, "database": "postgresql"}
        project = render(answered, Path(directory))
        (project / ".env").write_text("PORT=0\n", encoding="utf-8")
        found = Stack(project, file)
        try:
            run("make", "--silent", "secrets", cwd=project)
            found.compose("build", "--quiet")
            yield found
        finally:
            found.compose("down", "--volumes", "--rmi", "local", "--timeout", "2")


def measure(depth: Depth) -> list[Comparison]:
    """Measure both."""
    frameworks = ("flask",) if depth.quick else ("flask", "fastapi")
    return [
        measured for framework in frameworks for measured in (healthy(framework, depth), reloaded(framework, depth))
    ]


def healthy(framework: str, depth: Depth) -> Comparison:
    """Compare the production stack with its database alone, and with health checks that keep their usual interval."""
    progress(f"stacks: {framework}, up --wait")
    with stack(framework, "compose.prod.yaml") as production:
        text = (production.directory / production.file).read_text(encoding="utf-8")
        slow = Stack(production.directory, "compose.slow.yaml")
        kept = (line for line in text.splitlines(keepends=True) if "start_interval" not in line)
        (slow.directory / slow.file).write_text("".join(kept), encoding="utf-8")
        contenders = {OURS: production.up, "PostgreSQL alone": lambda: production.up("db")}
        contenders |= {} if depth.quick else {"without start_interval": slow.up}
        return Comparison(f"{framework}: up --wait with PostgreSQL", "s", *take_turns(depth.rounds, contenders))


def reloaded(framework: str, depth: Depth) -> Comparison:
    """Compare the time from saving a file to the new answer with what it takes to import the application."""
    progress(f"stacks: {framework}, reload")
    with stack(framework, "compose.yaml") as development:
        development.up()
        contenders = {OURS: lambda: reload(development), "importing the application": lambda: start(development)}
        return Comparison(f"{framework}: save to new answer", "s", *take_turns(depth.rounds, contenders))


def reload(development: Stack) -> float:
    """Return the seconds from saving a file to the first answer that shows it."""
    address = development.compose("port", "web", "5000").strip()
    source = development.directory / "app" / "health.py"
    before = source.read_text(encoding="utf-8")
    path = f"probe-{uuid4().hex[:8]}"
    changed = before.replace('get("/health")', f'get("/{path}")')

    def save() -> None:
        source.write_text(changed, encoding="utf-8")
        wait_until(lambda: answers(f"http://{address}/{path}"), what="an edit shows")

    took = timed(save)
    source.write_text(before, encoding="utf-8")
    wait_until(lambda: answers(f"http://{address}/health"), what="an edit shows")
    return took


def start(development: Stack) -> float:
    """Return the seconds that a process takes to import the application and to put it together."""
    return float(development.compose("exec", "--no-TTY", "web", "python", "-c", IMPORT).split()[-1])
