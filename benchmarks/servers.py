"""How many requests a server answers, how long the slowest wait, what memory it takes: on the template's own routes.

The template's server and what each framework is usually run with serve the same image, application and database with
the same workers and threads, in turn. wrk, which has to be installed, asks; it talks to these containers alone.
"""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.measure import OURS, Comparison, Depth, answers, medians, progress, run, wait_until
from dockwright.template import render

WORKERS = 2
THREADS = 4
CONNECTIONS = 64

POST = """
wrk.method = "POST"
wrk.body = '{"name": "Ink", "price": "9.90", "stock": 3}'
wrk.headers["Content-Type"] = "application/json"
"""
# route -> its path, and what wrk is told about it
ROUTES = {
    "trivial": ("/health", ""),
    "one product": ("/products/1", ""),
    "list of 50": ("/products?page_size=50", ""),
    "write": ("/products", POST),
}

# The table is as it was whenever a contender begins: what one has written would slow the next one's list.
FILL = """
TRUNCATE products;
INSERT INTO products SELECT n, 'Ink', '', 990, 3, now(), now() FROM generate_series(1, 200) n;
SELECT setval('products_id_seq', 200);
VACUUM ANALYZE products;
"""

MEMORY = """
import glob, os, re
total = 0
for file in glob.glob("/proc/[0-9]*/smaps_rollup"):
    if file.split("/")[2] != str(os.getpid()):
        total += int(re.search(r"^Pss:\\s+(\\d+)", open(file).read(), re.MULTILINE)[1])
print(total / 1024)
"""


@dataclass(frozen=True)
class Server:
    """A server, and how it is told to serve the application with a number of workers."""

    name: str
    package: str
    command: str


GRANIAN = Server(OURS, "", "python -m app.serve")
OTHERS = {
    "flask": (
        Server(
            "gunicorn gthread",
            "gunicorn",
            f"gunicorn --bind=0.0.0.0:5000 --workers={{workers}} --threads={THREADS} app.main:create_app()",
        ),
        Server(
            "gunicorn gthread, preloaded",
            "gunicorn",
            f"gunicorn --bind=0.0.0.0:5000 --workers={{workers}} --threads={THREADS} --preload app.main:create_app()",
        ),
        Server("gunicorn sync", "gunicorn", "gunicorn --bind=0.0.0.0:5000 --workers={workers} app.main:create_app()"),
    ),
    "fastapi": (
        Server(
            "uvicorn",
            "uvicorn[standard]",
            "uvicorn --factory --host=0.0.0.0 --port=5000 --workers={workers} --no-access-log app.main:create_app",
        ),
    ),
}

# Next to no application: what the servers themselves bring is at most the difference between these.
ALONE = (
    Server(
        OURS,
        "",
        "granian --interface=asginl --host=0.0.0.0 --port=5000 --workers={workers} --loop=uvloop --no-ws"
        " --factory starlette.responses:PlainTextResponse",
    ),
    Server(
        "uvicorn",
        "",
        "uvicorn --host=0.0.0.0 --port=5000 --workers={workers} --lifespan=off --no-access-log"
        " --factory starlette.responses:PlainTextResponse",
    ),
)


class Bench:
    """A database, filled, and an image that every contender can serve."""

    def __init__(self, project: Path) -> None:
        """Name the project, whose production stack is used."""
        self.project = project
        self.image = f"{project.name}:0.1.0"
        self.network = f"{project.name}-prod_data"

    def compose(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `docker compose` on the production stack."""
        return run("docker", "compose", "--file", "compose.prod.yaml", *arguments, cwd=self.project, stdin=stdin)

    def start(self, package: str, *services: str) -> None:
        """Start what the application needs, and put the other servers' package into its image."""
        run("make", "--silent", "secrets", cwd=self.project)
        self.compose("build", "--quiet")
        recipe = f"""
            FROM {self.image}
            USER 0
            RUN --mount=from=ghcr.io/astral-sh/uv:0.13,source=/uv,target=/usr/local/bin/uv \
                uv pip install --quiet --compile-bytecode '{package}'
            USER 10001
        """
        run("docker", "build", "--quiet", "--tag", self.image, "-", stdin=recipe)
        self.compose("up", "--detach", "--wait", *services)
        self.compose("run", "--rm", "migrate")

    @contextmanager
    def serving(self, server: Server, workers: int = WORKERS) -> Iterator[tuple[str, str]]:
        """Serve the application, with the products as they were, and give the container and its address."""
        self.compose("exec", "--no-TTY", "db", "psql", "--username=app", "--quiet", stdin=FILL)
        password = (self.project / "secrets" / "database_password").read_text(encoding="utf-8")
        environment = (
            f"DATABASE_URL=postgresql+psycopg://app:{password}@db/app",
            "REDIS_URL=redis://redis/0",
            f"WORKERS={workers}",
            f"THREADS={THREADS}",
        )
        options = [option for setting in environment for option in ("--env", setting)]
        command = server.command.format(workers=workers).split()
        # No health checks: they would come and go among the processes whose memory is measured.
        options += ["--detach", "--no-healthcheck", "--network", self.network]
        container = run("docker", "run", *options, self.image, *command).strip()
        try:
            networks = json.loads(run("docker", "inspect", container))[0]["NetworkSettings"]["Networks"]
            address = f"http://{networks[self.network]['IPAddress']}:5000"
            wait_until(lambda: answers(f"{address}/ready"), what=f"{server.name} starts")
            yield container, address
        finally:
            run("docker", "rm", "--force", container)


@contextmanager
def bench(framework: str, redis: str = "none") -> Iterator[Bench]:
    """Give a bench for a framework, and leave nothing of it behind."""
    with tempfile.TemporaryDirectory() as directory:
        chosen = {"project_slug": f"bench-{framework}-{redis}", "framework": framework, "database": "postgresql"}
        found = Bench(render({**chosen, "redis": redis}, Path(directory)))
        try:
            found.start(OTHERS[framework][0].package, "db", *(["redis"] if redis != "none" else []))
            yield found
        finally:
            found.compose("down", "--volumes", "--rmi", "local", "--timeout", "2")


def load(address: str, script: str, seconds: int, connections: int = CONNECTIONS) -> tuple[float, float]:
    """Ask for a route as fast as it is answered; return requests a second and the 99th percentile in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        options = ("--latency", "--threads=1", f"--connections={connections}", f"--duration={seconds}s")
        said = run("wrk", *options, *(("--script", file.name) if script else ()), address)
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"error: {address} answered with errors:\n{said}")
    rate = re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]
    slowest, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", said)[0]
    return float(rate), float(slowest) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def memory(container: str) -> float:
    """Return the memory of a container's processes, in MiB: what they share is counted once."""
    return float(run("docker", "exec", "--privileged", "--user", "0", container, "python", "-c", MEMORY))


def measure(depth: Depth) -> list[Comparison]:
    """Measure every route, the memory, the cache, and what more workers and more containers bring."""
    if not shutil.which("wrk"):
        sys.exit("error: wrk is needed: install it and run this again")
    found: list[Comparison] = []
    for framework, others in OTHERS.items():
        with bench(framework) as place:
            found += routes(place, framework, (GRANIAN, *others), depth)
            found += growth(place, framework, (GRANIAN, others[0]), depth)
            found += [alone(place, depth)] if framework == "fastapi" else []
        found.append(with_cache(framework, depth))
    return found


def in_turn(servers: tuple[Server, ...], number: int) -> tuple[Server, ...]:
    """Return the servers in the order of a round: there and back, for the machine and the database change with time."""
    return servers if number % 2 == 0 else servers[::-1]


def routes(place: Bench, framework: str, servers: tuple[Server, ...], depth: Depth) -> Iterator[Comparison]:
    """Measure every route and the memory of every server."""
    rates: dict[str, dict[str, list[float]]] = {}
    for number in range(depth.rounds):
        progress(f"servers: {framework}, round {number + 1}")
        for server in in_turn(servers, number):
            with place.serving(server) as (container, address):

                def note(what: str, figure: float, name: str = server.name) -> None:
                    rates.setdefault(what, {}).setdefault(name, []).append(figure)

                note("memory at rest", memory(container))
                load(f"{address}/health", "", 1)
                for route, (path, script) in ROUTES.items():
                    rate, slowest = load(address + path, script, depth.seconds)
                    note(route, rate)
                    note(f"{route}, p99", slowest)
                note("memory after load", memory(container))
    for what, figures in rates.items():
        unit = "MiB" if what.startswith("memory") else "ms" if what.endswith("p99") else "requests/s"
        yield Comparison(f"{framework}: {what}", unit, medians(figures))


def alone(place: Bench, depth: Depth) -> Comparison:
    """Measure the servers of FastAPI projects with an answer that takes no time to make."""
    rates: dict[str, list[float]] = {}
    for number in range(depth.rounds):
        progress(f"servers: alone, round {number + 1}")
        for server in in_turn(ALONE, number):
            with place.serving(server) as (_, address):
                load(address, "", 1)
                rates.setdefault(server.name, []).append(load(address, "", depth.seconds)[0])
    return Comparison("fastapi: server alone, no application", "requests/s", medians(rates))


def growth(place: Bench, framework: str, servers: tuple[Server, ...], depth: Depth) -> Iterator[Comparison]:
    """Measure how the answers to one product grow with workers in a container, and with containers of one worker."""
    for along, count in product(("workers", "replicas"), (1, 2, 4)):
        progress(f"servers: {framework}, {count} {along}")
        workers, replicas = (count, 1) if along == "workers" else (1, count)
        rates: dict[str, list[float]] = {}
        for number in range(min(3, depth.rounds)):
            for server in in_turn(servers, number):
                with ExitStack() as serving, ThreadPoolExecutor(replicas) as pool:
                    addresses = [serving.enter_context(place.serving(server, workers))[1] for _ in range(replicas)]
                    ask = partial(load, script="", connections=CONNECTIONS // replicas)
                    list(pool.map(partial(ask, seconds=1), (f"{one}/health" for one in addresses)))
                    found = pool.map(partial(ask, seconds=depth.seconds), (f"{one}/products/1" for one in addresses))
                    rates.setdefault(server.name, []).append(sum(rate for rate, _ in found))
        yield Comparison(f"{framework}: one product, more {along}", "requests/s", medians(rates), {}, along, count)


def with_cache(framework: str, depth: Depth) -> Comparison:
    """Compare one product from the cache and from the database."""
    rates: dict[str, list[float]] = {}
    with bench(framework, "cache") as cached, bench(framework) as plain:
        for _ in range(min(3, depth.rounds)):
            for name, place in ((OURS, cached), ("without the cache", plain)):
                progress(f"servers: {framework}, {name}")
                with place.serving(GRANIAN) as (_, address):
                    load(f"{address}/products/1", "", 1)
                    rates.setdefault(name, []).append(load(f"{address}/products/1", "", depth.seconds)[0])
    return Comparison(f"{framework}: one product, from the cache", "requests/s", medians(rates))
