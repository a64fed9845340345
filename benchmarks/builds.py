"""Build times, start times and image sizes, beside Dockerfiles that people write today.

Every contender has the same application and the same lock, and they take turns.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import product
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

# As it is taught: dependencies first, so that an edit of the code doesn't install them again.
CLASSROOM = """
FROM {base}
WORKDIR /app
RUN mkdir -m 1777 /data
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
EXPOSE 5000
CMD ["python", "-m", "app.serve"]
"""
# As it is written by somebody who hasn't been taught.
WRONG_ORDER = """
FROM {base}
WORKDIR /app
RUN mkdir -m 1777 /data
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
EXPOSE 5000
CMD ["python", "-m", "app.serve"]
"""
# What `docker init` writes for Python: a cache mount, a bind mount, a user of its own.
DOCKER_INIT = """
FROM {base} AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
WORKDIR /app
RUN mkdir -m 1777 /data
ARG UID=10001
RUN {add_user}
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    python -m pip install -r requirements.txt
USER appuser
COPY . .
EXPOSE 5000
CMD python -m app.serve
"""
# Debian's slim images have no `adduser`, and Alpine has no `useradd`.
ADD_USER = 'useradd --home-dir /nonexistent --no-create-home --shell /sbin/nologin --uid "${UID}" appuser'
ADD_USER_ALPINE = 'adduser -D -H -h /nonexistent -s /sbin/nologin -u "${UID}" appuser'
DOCKERFILES = {OURS: "", "classroom": CLASSROOM, "docker init": DOCKER_INIT, "wrong order": WRONG_ORDER}

# What a class starts its service with: one process, which has no tables to create. (Package to install, command)
CLASSROOM_SERVERS = {
    "flask": ("", "flask --app app.main run --host=0.0.0.0 --port=5000"),
    "fastapi": ("uvicorn", "uvicorn --factory --host=0.0.0.0 --port=5000 app.main:create_app"),
}

# Small pure Python packages, to make a project larger.
PACKAGES = """
attrs anyio argcomplete asgiref backoff bidict boltons cachetools certifi chardet charset-normalizer cloudpickle
colorama cycler decorator defusedxml distro docstring-parser docutils ecdsa et-xmlfile execnet filelock fsspec h11 h2
hpack httpcore httpx humanize hyperframe idna isodate itsdangerous jmespath jsonpatch jsonpointer mdurl more-itertools
natsort nodeenv oauthlib parso passlib pathspec platformdirs ply prettytable pyasn1 pycparser pygments pyjwt
pyparsing requests rsa semver sniffio sortedcontainers tabulate toolz tomlkit urllib3 wcwidth zipp
""".split()  # noqa: SIM905 # easier to read than a list of strings

LABEL = "dockwright-benchmark"
# These take fractions of a second: more rounds, because they differ by less than the noise of a few.
BRIEF = ("build, everything cached", "build after an edit", "start to the first 200")
RICH = {"database": "postgresql", "redis": "cache-and-queue"}


class Project:
    """A project with one contender's Dockerfile."""

    def __init__(self, contender: str, options: Mapping[str, str], workspace: Path) -> None:
        """Render the project and write the contender's Dockerfile."""
        self.tag = f"bench-{uuid4().hex[:8]}"
        self.directory = render({**options, "project_slug": self.tag}, workspace)
        self.dockerfile = self.directory / "Dockerfile"
        text = self.dockerfile.read_text(encoding="utf-8")
        self.base = text.split()[1]
        if contender != OURS:
            add_user = ADD_USER_ALPINE if "alpine" in self.base else ADD_USER
            text = DOCKERFILES[contender].lstrip().format(base=self.base, add_user=add_user)
            self.dockerfile.write_text(text, encoding="utf-8")
        self.first_line, self.rest = text.split("\n", 1)

    def cold(self) -> float:
        """Build every layer again, with warm cache mounts: a new project on a machine that has built others."""
        self.dockerfile.write_text(f"{self.first_line}\nENV COLD={uuid4().hex}\n{self.rest}", encoding="utf-8")
        return self.build()

    def first(self) -> float:
        """Build every layer with empty cache mounts: the first project on a machine. `--no-cache` does both."""
        return self.build("--no-cache")

    def build(self, *options: str) -> float:
        """Build the image, and return the seconds that it took."""
        command = ("docker", "build", "--quiet", *options, "--label", LABEL, "--tag", self.tag, ".")
        return timed(lambda: run(*command, cwd=self.directory))

    def edit(self) -> float:
        """Build after a line of the application has changed."""
        append(self.directory / "app" / "main.py")
        return self.build()

    def add_dependency(self) -> float:
        """Build after a small package was added to the lock."""
        requirements = self.directory / "requirements.txt"
        before = requirements.read_text(encoding="utf-8")
        append(requirements, locked(self.directory / "requirements-dev.txt")["iniconfig"])
        took = self.build()
        requirements.write_text(before, encoding="utf-8")
        return took

    def size(self) -> float:
        """Build the image, and return by how many megabytes it is larger than its base."""
        self.build()
        sizes = (run("docker", "image", "inspect", "--format", "{{.Size}}", name) for name in (self.tag, self.base))
        image, base = map(int, sizes)
        return (image - base) / 1e6

    def start(self, image: str = "", command: str = "") -> float:
        """Return the seconds from `docker run` to the first 200 of a container that has no database yet."""
        container = f"{self.tag}-start"
        options = ("--detach", "--name", container, "--publish", "127.0.0.1::5000")

        def serve() -> None:
            run("docker", "run", *options, image or self.tag, *command.split())
            address = run("docker", "port", container, "5000").strip()
            wait_until(lambda: answers(f"http://{address}/health"), what=f"{self.tag} starts")

        try:
            return timed(serve)
        finally:
            run("docker", "rm", "--force", "--volumes", container)

    def start_as_taught(self, framework: str) -> Callable[[], float]:
        """Return a measurement of the start with what a class starts its service with."""
        package, command = CLASSROOM_SERVERS[framework]
        if not package:
            return partial(self.start, command=command)
        image = f"{self.tag}-server"
        recipe = f"FROM {self.tag}\nRUN pip install --quiet --no-cache-dir {package}\n"
        run("docker", "build", "--quiet", "--label", LABEL, "--tag", image, "-", stdin=recipe)
        return partial(self.start, image, command)

    def grow(self, *, packages: int = 0, files: int = 0) -> None:
        """Add dependencies and source files."""
        requirements = self.directory / "requirements.txt"
        known = locked(requirements)
        options = ["--quiet", "--universal", "--no-annotate", "--no-header", "--generate-hashes", "--only-binary=:all:"]
        resolve = ("uv", "pip", "compile", *options, "--python-version=3.14", "--constraints", str(requirements), "-")
        names = "\n".join(PACKAGES[:packages])
        (self.directory / "more.txt").write_text(run(*resolve, stdin=names), encoding="utf-8")
        more = "".join(text for name, text in locked(self.directory / "more.txt").items() if name not in known)
        append(requirements, more)
        for number in range(files):
            file = self.directory / "app" / f"part{number // 50}" / f"module{number}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f'"""Part {number}."""\n\nNUMBER = {number}\n', encoding="utf-8")


def append(file: Path, text: str = "") -> None:
    """Append a text and a unique comment to a file."""
    file.write_text(f"{file.read_text(encoding='utf-8')}{text}# {uuid4()}\n", encoding="utf-8")


def locked(requirements: Path) -> dict[str, str]:
    """Return the lines of each package in a lock, by its name."""
    blocks = re.findall(r"^[a-z].+?(?=^[a-z#]|\Z)", requirements.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {block.split("==")[0]: block for block in blocks}


@contextmanager
def projects(names: tuple[str, ...], options: Mapping[str, str]) -> Iterator[dict[str, Project]]:
    """Provide a project for each contender; remove every image at the end."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            yield {name: Project(name, options, Path(directory)) for name in names}
        finally:
            remove_images(f"label={LABEL}")


def measure(depth: Depth) -> list[Comparison]:
    """Measure builds, starts and image sizes, and how builds grow with a project."""
    found = [comparison for framework in FRAMEWORKS for comparison in loop(framework, depth)]
    found += [comparison for framework in FRAMEWORKS for comparison in sizes(framework, depth)]
    if not depth.quick:
        found += [*growth_with_packages(depth), *growth_with_files(depth)]
    return found


def loop(framework: str, depth: Depth) -> Iterator[Comparison]:
    """Measure builds and starts of the default project of a framework."""
    names = (OURS, "classroom", "docker init") if depth.quick else tuple(DOCKERFILES)
    with projects(names, {"framework": framework}) as contenders:
        for project in contenders.values():
            # Fills the cache mounts.
            project.cold()
        mine, classroom = contenders[OURS], contenders["classroom"]
        every: dict[str, dict[str, Callable[[], float]]] = {
            "cold build": {name: project.cold for name, project in contenders.items()},
            "first build on a machine": {name: project.first for name, project in contenders.items()},
            "build, everything cached": {name: project.build for name, project in contenders.items()},
            "build after an edit": {
                **{name: project.edit for name, project in contenders.items()},
                "everything cached": mine.build,
            },
            "build after an added dependency": {name: project.add_dependency for name, project in contenders.items()},
            "start to the first 200": {
                OURS: mine.start,
                "classroom": classroom.start_as_taught(framework),
                "classroom, same server": classroom.start,
                "docker init": contenders["docker init"].start,
            },
        }
        if depth.quick:
            del every["first build on a machine"]
        for what, measures in every.items():
            progress(f"builds: {framework}, {what}")
            rounds = depth.rounds if depth.quick or what not in BRIEF else 3 * depth.rounds
            yield Comparison(f"{framework}: {what}", "s", *take_turns(rounds, measures))


def sizes(framework: str, depth: Depth) -> Iterator[Comparison]:
    """Measure by how much images are larger than their base, with the fewest and the most services, on every base."""
    every = product(("slim", "alpine", "full"), {"defaults": {}, "all services": RICH}.items())
    for base, (kind, options) in list(every)[: 1 if depth.quick else None]:
        progress(f"builds: {framework}, {base}, {kind}, size")
        names = tuple(name for name in DOCKERFILES if name != "wrong order")
        with projects(names, {"framework": framework, "base_image": base, **options}) as contenders:
            figures, failures = take_turns(1, {name: project.size for name, project in contenders.items()})
            yield Comparison(f"{framework}: image over {base}, {kind}", "MB", figures, failures)


def growth_with_packages(depth: Depth) -> Iterator[Comparison]:
    """Measure how builds grow with the number of packages that the project depends on."""
    for count in (5, 20, 60):
        progress(f"builds: {count} more packages")
        with projects((OURS, "classroom"), {}) as contenders:
            for project in contenders.values():
                project.grow(packages=count)
                project.cold()
            for what, name in (("cold build", "cold"), ("build after an added dependency", "add_dependency")):
                measures = {contender: getattr(project, name) for contender, project in contenders.items()}
                figures, failures = take_turns(min(3, depth.rounds), measures)
                yield Comparison(f"growth: {what}", "s", figures, failures, "more packages", count)


def growth_with_files(depth: Depth) -> Iterator[Comparison]:
    """Measure how a build after an edit grows with the number of source files."""
    for count in (10, 100, 1000):
        progress(f"builds: {count} more files")
        with projects((OURS, "classroom", "wrong order"), {}) as contenders:
            for project in contenders.values():
                project.grow(files=count)
                project.cold()
            measures = {name: project.edit for name, project in contenders.items()}
            figures, failures = take_turns(min(3, depth.rounds), measures)
            yield Comparison("growth: build after an edit", "s", figures, failures, "more files", count)
