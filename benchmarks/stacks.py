"""How long a stack takes to be healthy, and how soon a saved file shows in development."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks.measure import (
    FRAMEWORKS,
    OURS,
    Comparison,
    Depth,
    answers,
    progress,
    remove_images,
    run,
    take_turns,
    timed,
    wait_until,
)
from dockwright.template import render

# What each framework's documentation develops with
RELOADERS = {
    "flask": ("flask run --debug", "flask --app app.main run --debug --host=0.0.0.0 --port=5000"),
    "fastapi": (
        "uvicorn --reload",
        "uvicorn --reload --factory --host=0.0.0.0 --port=5000 app.main:create_app",
    ),
}
# The same image, mounts and database, with another command
CONTENDER_STAGE = """

FROM development AS contender
RUN --mount=from=ghcr.io/astral-sh/uv:0.13,source=/uv,target=/usr/local/bin/uv \\
    uv pip install --quiet 'uvicorn[standard]'
"""
CONTENDER = """
services:
  contender:
    extends:
      file: compose.yaml
      service: web
    image: {image}-contender
    build:
      target: contender
    command: {command}
"""


class Stack:
    """The services of a project's compose files."""

    def __init__(self, directory: Path, *files: str) -> None:
        """Use these compose files."""
        self.directory = directory
        self.files = [option for file in files for option in ("--file", file)]

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on the stack, with any free port."""
        # Not in .env: `flask run` would read it, too.
        return run("docker", "compose", *self.files, *arguments, cwd=self.directory, env={"PORT": "0"})

    def up(self, *services: str) -> float:
        """Return the seconds until new containers, on new volumes, are healthy."""
        self.down()
        return timed(lambda: self.compose("up", "--detach", "--wait", *services))

    def down(self) -> None:
        """Remove the containers and the volumes."""
        self.compose("down", "--volumes", "--timeout", "2")


@contextmanager
def stack(framework: str, *files: str) -> Iterator[Stack]:
    """Provide a built stack with PostgreSQL; remove everything at the end."""
    with tempfile.TemporaryDirectory() as directory:
        answered = {"project_slug": f"bench-{uuid4().hex[:8]}", "framework": framework, "database": "postgresql"}
        project = render(answered, Path(directory))
        with (project / "Dockerfile").open("a", encoding="utf-8") as file:
            file.write(CONTENDER_STAGE)
        contender = CONTENDER.format(image=project.name, command=RELOADERS[framework][1])
        (project / "compose.contender.yaml").write_text(contender, encoding="utf-8")
        found = Stack(project, *files)
        try:
            run("make", "--silent", "secrets", cwd=project)
            found.compose("build", "--quiet")
            yield found
        finally:
            found.down()
            remove_images(f"reference={project.name}*")


def measure(depth: Depth) -> list[Comparison]:
    """Measure both frameworks."""
    return [
        comparison for framework in FRAMEWORKS for comparison in (healthy(framework, depth), reloaded(framework, depth))
    ]


def healthy(framework: str, depth: Depth) -> Comparison:
    """Compare the production stack with its database alone."""
    progress(f"stacks: {framework}, up --wait")
    with stack(framework, "compose.prod.yaml") as production:
        contenders = {OURS: production.up, "PostgreSQL alone": lambda: production.up("db")}
        return Comparison(f"{framework}: up --wait with PostgreSQL", "s", *take_turns(depth.rounds, contenders))


def reloaded(framework: str, depth: Depth) -> Comparison:
    """Compare the time from saving a file to the new answer with the framework's own reloader."""
    progress(f"stacks: {framework}, reload")
    with stack(framework, "compose.yaml", "compose.contender.yaml") as development:
        development.up("web")
        contenders = {
            OURS: lambda: reload(development, "web"),
            RELOADERS[framework][0]: lambda: reload(development, "contender"),
        }
        return Comparison(f"{framework}: save to new answer", "s", *take_turns(depth.rounds, contenders))


def reload(development: Stack, service: str) -> float:
    """Return the seconds from saving a file to the first answer that shows it, with only this service running."""
    development.compose("stop", "--timeout", "1", "web", "contender")
    development.compose("up", "--detach", "--no-deps", service)
    address = development.compose("port", service, "5000").strip()
    source = development.directory / "app" / "health.py"
    before = source.read_text(encoding="utf-8")
    path = f"probe-{uuid4().hex[:8]}"
    changed = before.replace('get("/health")', f'get("/{path}")')
    wait_until(lambda: answers(f"http://{address}/health"), what=f"{service} starts")
    # Some reloaders look at the files once a second: meet them at any point of that second.
    time.sleep(1 + random.random())  # noqa: S311 # no secret

    def save() -> None:
        source.write_text(changed, encoding="utf-8")
        wait_until(lambda: answers(f"http://{address}/{path}"), what="an edit shows")

    try:
        return timed(save)
    finally:
        source.write_text(before, encoding="utf-8")
