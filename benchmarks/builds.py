"""How long images take to build and to start, and how large they are, beside Dockerfiles that people write today.

Every contender has the same application and the same locked dependencies. They take turns, several times over, so
that what else the machine does falls on all; ratios come first. Run it with `make bench-builds`; it needs Docker.
"""

import argparse
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from benchmarks.commands import answers, run, write
from dockwright.template import render

BASE = "python:3.14-slim"
# As taught: dependencies first, so that an edit leaves them alone.
CLASSROOM = """
FROM python:3.14-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
EXPOSE 5000
CMD ["python", "-m", "app.serve"]
"""
# As it is written before it was taught.
WRONG_ORDER = """
FROM python:3.14-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
EXPOSE 5000
CMD ["python", "-m", "app.serve"]
"""
# What `docker init` documents for Python: a cache mount, a bind mount, a user of its own.
DOCKER_INIT = """
FROM python:3.14-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
WORKDIR /app
ARG UID=10001
RUN useradd --home-dir /nonexistent --no-create-home --shell /sbin/nologin --uid "${UID}" appuser
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    python -m pip install -r requirements.txt
USER appuser
COPY . .
EXPOSE 5000
CMD python -m app.serve
"""
CONTENDERS = {"dockwright": None, "classroom": CLASSROOM, "docker init": DOCKER_INIT, "wrong order": WRONG_ORDER}


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def build(project: Path, tag: str, *options: str) -> float:
    """Build an image, and return the seconds that it took."""
    return timed(lambda: run("docker", "build", "--quiet", "--tag", tag, *options, ".", cwd=project))


def append(file: Path, line: str) -> None:
    """Change a file in a way that no build has seen before."""
    file.write_text(f"{file.read_text(encoding='utf-8')}{line}# {uuid4()}\n", encoding="utf-8")


def added(project: Path) -> str:
    """Return the lines that lock a small package which the service does not have: one of its tools."""
    tools = (project / "requirements-dev.txt").read_text(encoding="utf-8")
    found = re.search(r"^iniconfig==.+?(?=^\S)", tools, re.MULTILINE | re.DOTALL)
    return found[0] if found else sys.exit("error: iniconfig is not locked any more: name another package here")


def size(image: str) -> int:
    """Return an image's size in bytes."""
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))


def start(image: str) -> float:
    """Return the seconds from `docker run` to the first 200."""
    name = f"bench-{uuid4().hex[:8]}"
    begin = time.perf_counter()
    run("docker", "run", "--detach", "--name", name, "--publish", "127.0.0.1:5999:5000", image)
    try:
        while not answers("http://127.0.0.1:5999/health"):
            if time.perf_counter() - begin > 30:  # noqa: PLR2004 # long enough for the slowest
                sys.exit(f"error: {image} did not start:\n{run('docker', 'logs', name)}")
            time.sleep(0.01)
        return time.perf_counter() - begin
    finally:
        run("docker", "rm", "--force", name)


def measure(framework: str, rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians of every measurement for each contender, in seconds and megabytes."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in CONTENDERS}
    base = size(BASE)
    with tempfile.TemporaryDirectory() as directory:
        projects = {}
        for name, dockerfile in CONTENDERS.items():
            slug = f"bench-{name.replace(' ', '-')}"
            projects[name] = render({"project_slug": slug, "framework": framework}, Path(directory))
            if dockerfile:
                # SQLite's directory is made in all of them.
                text = dockerfile.lstrip().replace("WORKDIR /app\n", "WORKDIR /app\nRUN mkdir -m 1777 /data\n")
                (projects[name] / "Dockerfile").write_text(text, encoding="utf-8")
        for _ in range(rounds):
            for name, project in projects.items():
                tag = f"{project.name}:bench"
                note = found[name].setdefault
                note("cold", []).append(build(project, tag, "--no-cache"))
                note("cached", []).append(build(project, tag))
                note("size_over_base_mb", []).append((size(tag) - base) / 1e6)
                note("start", []).append(start(tag))
                append(project / "app" / "main.py", "")
                note("edit", []).append(build(project, tag))
                requirements = project / "requirements.txt"
                before = requirements.read_text(encoding="utf-8")
                append(requirements, added(project))
                note("dependency", []).append(build(project, tag))
                requirements.write_text(before, encoding="utf-8")
        for project in projects.values():
            run("docker", "rmi", "--force", f"{project.name}:bench")
    return {name: {what: statistics.median(values) for what, values in took.items()} for name, took in found.items()}


def main() -> None:
    """Measure, print a table, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender is measured")
    arguments = parser.parse_args()
    if not shutil.which("docker"):
        sys.exit("error: docker is needed: install Docker Engine and run this again")
    bare = statistics.median(
        timed(lambda: run("docker", "run", "--rm", BASE, "python", "-c", "pass")) for _ in range(arguments.rounds)
    )
    results = {framework: measure(framework, arguments.rounds) for framework in ("flask", "fastapi")}
    for framework, contenders in results.items():
        ours = contenders["dockwright"]
        print(f"\n{framework}, in seconds; `python -c pass` in a container takes {bare:.2f}")
        print(f"{'':20}" + "".join(f"{name:>18}" for name in CONTENDERS))
        for what, mine in ours.items():
            cells = (f"{took[what]:.2f} ({mine / took[what]:.2f} x)" for took in contenders.values())
            print(f"{what:20}" + "".join(f"{cell:>18}" for cell in cells))
    write("builds", {"container_with_python_seconds": bare, "results": results})


if __name__ == "__main__":
    main()
