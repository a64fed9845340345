"""How long images take to build and to start, and how large they are, beside Dockerfiles that people write today.

Every contender has the same application and the same locked dependencies, and takes its turn.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from uuid import uuid4

from benchmarks.measure import OURS, Comparison, Depth, answers, progress, run, take_turns, timed, wait_until
from dockwright.template import render

# As taught: dependencies first, so that an edit leaves them alone.
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
# As it is written before it was taught.
WRONG_ORDER = """
FROM {base}
WORKDIR /app
RUN mkdir -m 1777 /data
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
EXPOSE 5000
CMD ["python", "-m", "app.serve"]
"""
# What `docker init` documents for Python: a cache mount, a bind mount, a user of its own.
DOCKER_INIT = """
FROM {base} AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
WORKDIR /app
RUN mkdir -m 1777 /data
ARG UID=10001
RUN useradd --home-dir /nonexistent --no-create-home --shell /sbin/nologin --uid "${{UID}}" appuser
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    python -m pip install -r requirements.txt
USER appuser
COPY . .
EXPOSE 5000
CMD python -m app.serve
"""
DOCKERFILES = {OURS: "", "classroom": CLASSROOM, "docker init": DOCKER_INIT, "wrong order": WRONG_ORDER}

# Small pure Python packages: what a project is given to grow by.
PACKAGES = """
attrs anyio argcomplete asgiref backoff bidict boltons cachetools certifi chardet charset-normalizer cloudpickle
colorama cycler decorator defusedxml distro docstring-parser docutils ecdsa et-xmlfile execnet filelock fsspec h11 h2
hpack httpcore httpx humanize hyperframe idna isodate itsdangerous jmespath jsonpatch jsonpointer mdurl more-itertools
natsort nodeenv oauthlib parso passlib pathspec platformdirs ply prettytable pyasn1 pycparser pygments pyjwt
pyparsing requests rsa semver sniffio sortedcontainers tabulate toolz tomlkit urllib3 wcwidth zipp
""".split()  # noqa: SIM905 # as one reads a list of packages


LABEL = "dockwright-benchmark"
BRIEF = ("build, everything cached", "build after an edit", "start to the first 200")
RICH = {"database": "postgresql", "redis": "cache-and-queue"}


class Project:
    """A project with one contender's Dockerfile, and what is measured of it."""

    def __init__(self, contender: str, options: Mapping[str, str], workspace: Path) -> None:
        """Render the project, and give it the contender's Dockerfile."""
        self.tag = f"bench-{uuid4().hex[:8]}"
        self.directory = render({**options, "project_slug": self.tag}, workspace)
        self.dockerfile = self.directory / "Dockerfile"
        text = self.dockerfile.read_text(encoding="utf-8")
        self.base = text.split()[1]
        if contender != OURS:
            text = DOCKERFILES[contender].lstrip().format(base=self.base)
            self.dockerfile.write_text(text, encoding="utf-8")
        self.first_line, self.rest = text.split("\n", 1)

    def cold(self) -> float:
        """Build every layer anew, with the caches that builds mount as the last one left them.

        `--no-cache` would empty those too. This is a new project, on a machine that has built others.
        """
        self.dockerfile.write_text(f"{self.first_line}\nENV COLD={uuid4().hex}\n{self.rest}", encoding="utf-8")
        return self.build()

    def build(self) -> float:
        """Build the image, and return the seconds that it took."""
        command = ("docker", "build", "--quiet", "--label", LABEL, "--tag", self.tag, ".")
        return timed(lambda: run(*command, cwd=self.directory))

    def edit(self) -> float:
        """Build after a line of the application has changed."""
        append(self.directory / "app" / "main.py")
        return self.build()

    def add_dependency(self) -> float:
        """Build after a small package was added to those that are installed: one of the project's own tools."""
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

    def start(self) -> float:
        """Return the seconds from `docker run` to the first 200 of a container with no database yet."""
        container = f"{self.tag}-start"

        def serve() -> None:
            run("docker", "run", "--detach", "--name", container, "--publish", "127.0.0.1::5000", self.tag)
            address = run("docker", "port", container, "5000").strip()
            wait_until(lambda: answers(f"http://{address}/health"), what=f"{self.tag} starts")

        try:
            return timed(serve)
        finally:
            run("docker", "rm", "--force", "--volumes", container)

    def grow(self, *, packages: int = 0, files: int = 0) -> None:
        """Give the project more dependencies and more source files."""
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
    """Change a file in a way that no build has seen before."""
    file.write_text(f"{file.read_text(encoding='utf-8')}{text}# {uuid4()}\n", encoding="utf-8")


def locked(requirements: Path) -> dict[str, str]:
    """Return the lines that lock each package, by its name."""
    blocks = re.findall(r"^[a-z].+?(?=^[a-z#]|\Z)", requirements.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {block.split("==")[0]: block for block in blocks}


@contextmanager
def projects(names: tuple[str, ...], options: Mapping[str, str]) -> Iterator[dict[str, Project]]:
    """Give each contender its project, and remove every image that was built of them."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            yield {name: Project(name, options, Path(directory)) for name in names}
        finally:
            images = set(run("docker", "images", "--quiet", "--filter", f"label={LABEL}").split())
            if images:
                run("docker", "rmi", "--force", *images)


def measure(depth: Depth) -> list[Comparison]:
    """Measure what an edit, a new dependency and a start cost, and how large the images are."""
    frameworks = ("flask",) if depth.quick else ("flask", "fastapi")
    found = [comparison for framework in frameworks for comparison in loop(framework, depth)]
    if not depth.quick:
        found += [comparison for framework in frameworks for comparison in sizes(framework)]
        found += [*growth_with_packages(depth), *growth_with_files(depth)]
    return found


def loop(framework: str, depth: Depth) -> Iterator[Comparison]:
    """Measure what is done all day long, with the project that a framework's defaults make."""
    names = (OURS, "classroom") if depth.quick else tuple(DOCKERFILES)
    with projects(names, {"framework": framework}) as contenders:
        for project in contenders.values():
            # Fills the caches that builds mount.
            project.cold()
        mine = contenders[OURS]
        every = {
            "cold build": {name: project.cold for name, project in contenders.items()},
            "build, everything cached": {name: project.build for name, project in contenders.items()},
            "build after an edit": {
                **{name: project.edit for name, project in contenders.items()},
                "everything cached": mine.build,
            },
            "build after an added dependency": {name: project.add_dependency for name, project in contenders.items()},
            "start to the first 200": {
                **{name: project.start for name, project in contenders.items() if name != "wrong order"},
                "python -c pass": lambda: timed(
                    lambda: run("docker", "run", "--rm", mine.base, "python", "-c", "pass")
                ),
            },
        }
        for what, measures in every.items():
            progress(f"builds: {framework}, {what}")
            # What takes a fraction of a second differs by less than the machine's noise in a few rounds.
            rounds = depth.rounds if depth.quick or what not in BRIEF else 3 * depth.rounds
            yield Comparison(f"{framework}: {what}", "s", *take_turns(rounds, measures))


def sizes(framework: str) -> Iterator[Comparison]:
    """Measure how much an image adds to its base, for the fewest and the most services, on every base."""
    for base, (kind, options) in product(("slim", "alpine", "full"), {"defaults": {}, "all services": RICH}.items()):
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
