"""Requests per second, latency and memory of the template's server, beside what each framework is usually run with.

All serve the same image, application and database with as many workers, and take turns.
wrk, which has to be installed, sends the requests, to these containers only.
"""

import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.measure import (
    FRAMEWORKS,
    OURS,
    CommandFailedError,
    Comparison,
    Depth,
    answers,
    in_turn,
    medians,
    progress,
    remove_images,
    run,
    wait_until,
)
from dockwright.template import render

WORKERS = 2
THREADS = 8  # gunicorn's; more of them make it slower
CONNECTIONS = 64

PRODUCT = """
wrk.body = '{"name": "Ink", "price": "9.90", "stock": 3}'
wrk.headers["Content-Type"] = "application/json"
"""
CREATE = f'wrk.method = "POST"\n{PRODUCT}'
UPDATE = f"""wrk.method = "PUT"
{PRODUCT}
local id = 0
function request()
  id = id % 200 + 1
  return wrk.format(nil, "/products/" .. id)
end
"""
# route -> path and wrk script
ROUTES = {
    "trivial": ("/health", ""),
    "one product": ("/products/1", ""),
    "list of 50": ("/products?page_size=50", ""),
    "create": ("/products", CREATE),
    "update": ("/products/1", UPDATE),
}

FILL = """
TRUNCATE products;
INSERT INTO products (id, name, description, price_cents, stock, created_at, updated_at)
  SELECT n, 'Ink', '', 990, 3, now(), now() FROM generate_series(1, 200) n;
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
CPU_SECONDS = """
import glob, os
ticks = 0
for file in glob.glob("/proc/[0-9]*/stat"):
    if file.split("/")[2] != str(os.getpid()):
        user, system = open(file).read().rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
print(ticks / os.sysconf("SC_CLK_TCK"))
"""
# At rest, memory grows by less than this in a second.
SETTLED_MIB = 0.5


@dataclass(frozen=True)
class Server:
    """A server and its command, with a place for the number of workers."""

    name: str
    command: str


GRANIAN = Server(OURS, "python -m app.serve")
GUNICORN = "gunicorn --bind=0.0.0.0:5000 --workers={workers} app.main:create_app()"
OTHERS = {
    "flask": (
        Server("gunicorn gthread", f"{GUNICORN} --threads={THREADS}"),
        Server("gunicorn gthread, preloaded", f"{GUNICORN} --threads={THREADS} --preload"),
        Server("gunicorn sync", GUNICORN),
    ),
    "fastapi": (
        Server(
            "uvicorn",
            "uvicorn --factory --host=0.0.0.0 --port=5000 --workers={workers} --no-access-log app.main:create_app",
        ),
    ),
}
# What is added to the image for them: a package, and the modules whose imports compile the standard library's, too
PACKAGES = {
    "flask": ("gunicorn", "gunicorn.app.wsgiapp, gunicorn.workers.gthread, gunicorn.workers.sync"),
    "fastapi": ("uvicorn[standard]", "uvicorn.main, uvicorn.loops.uvloop, uvicorn.protocols.http.httptools_impl"),
}

# Almost no application: the servers themselves can't make a larger difference than this.
ALONE = (
    Server(
        OURS,
        "granian --interface=asginl --host=0.0.0.0 --port=5000 --workers={workers} --loop=uvloop --no-ws"
        " --factory starlette.responses:PlainTextResponse",
    ),
    Server(
        "uvicorn",
        "uvicorn --host=0.0.0.0 --port=5000 --workers={workers} --lifespan=off --no-access-log"
        " --factory starlette.responses:PlainTextResponse",
    ),
)


class Bench:
    """A filled database, and an image that every contender can serve."""

    def __init__(self, project: Path) -> None:
        """Use the production stack of a project."""
        self.project = project
        self.image = f"{project.name}:0.1.0"
        self.network = f"{project.name}-prod_data"

    def compose(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `docker compose` on the production stack."""
        return run("docker", "compose", "--file", "compose.prod.yaml", *arguments, cwd=self.project, stdin=stdin)

    def start(self, framework: str, *services: str) -> None:
        """Start what the application needs, and add the other servers to its image."""
        run("make", "--silent", "secrets", cwd=self.project)
        self.compose("build", "--quiet")
        package, modules = PACKAGES[framework]
        recipe = f"""
            FROM {self.image}
            USER 0
            RUN --mount=from=ghcr.io/astral-sh/uv:0.13,source=/uv,target=/usr/local/bin/uv \
                uv pip install --quiet '{package}' && python -c 'import {modules}'
            USER 10001
        """
        run("docker", "build", "--quiet", "--tag", self.image, "-", stdin=recipe)
        self.compose("up", "--detach", "--wait", *services)
        self.compose("run", "--rm", "migrate")

    def fill(self) -> None:
        """Give the table its rows: those that one contender has written would slow down the next one's list."""
        self.compose("exec", "--no-TTY", "db", "psql", "--username=app", "--quiet", stdin=FILL)

    @contextmanager
    def serving(self, server: Server, workers: int = WORKERS, probe: str = "/ready") -> Iterator[tuple[str, str]]:
        """Serve the application with a fresh table; yield the container and its address once it answers a probe."""
        self.fill()
        secrets = self.project / "secrets"
        password = (secrets / "database_password").read_text(encoding="utf-8").strip()
        file = secrets / "redis_password"
        redis_password = file.read_text(encoding="utf-8").strip() if file.exists() else ""
        environment = (
            f"DATABASE_URL=postgresql://app:{password}@db/app",
            f"REDIS_URL=redis://app:{redis_password}@redis/0",
            f"WORKERS={workers}",
        )
        options = [option for setting in environment for option in ("--env", setting)]
        command = server.command.format(workers=workers).split()
        # Health checks are processes, too: they would be measured as part of the memory.
        options += ["--detach", "--no-healthcheck", "--network", self.network]
        container = run("docker", "run", *options, self.image, *command).strip()
        try:
            networks = json.loads(run("docker", "inspect", container))[0]["NetworkSettings"]["Networks"]
            address = f"http://{networks[self.network]['IPAddress']}:5000"
            wait_until(lambda: answers(address + probe), what=f"{server.name} starts")
            yield container, address
        finally:
            run("docker", "rm", "--force", container)


@contextmanager
def bench(framework: str, redis: str = "none") -> Iterator[Bench]:
    """Provide a bench for a framework; remove everything at the end."""
    with tempfile.TemporaryDirectory() as directory:
        chosen = {"project_slug": f"bench-{framework}-{redis}", "framework": framework, "database": "postgresql"}
        place = Bench(render({**chosen, "redis": redis}, Path(directory)))
        try:
            place.start(framework, "db", *(["redis"] if redis != "none" else []))
            yield place
        finally:
            place.compose("down", "--volumes", "--timeout", "2")
            remove_images(f"reference={place.project.name}")


def load(address: str, script: str, seconds: int, connections: int = CONNECTIONS) -> tuple[float, float]:
    """Send requests as fast as they are answered; return requests/s and the 99th percentile in milliseconds.

    Raises CommandFailedError if an answer is an error.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        options = (
            "--latency",
            "--threads=1",
            "--timeout=10s",
            f"--connections={connections}",
            f"--duration={seconds}s",
        )
        output = run("wrk", *options, *(("--script", file.name) if script else ()), address)
    errors = re.findall(r"Non-2xx.*|Socket errors.*", output)
    if errors:
        message = f"{address}: {', '.join(errors)}"
        raise CommandFailedError(message)
    rate = re.findall(r"Requests/sec:\s+([\d.]+)", output)[0]
    slowest, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", output)[0]
    return float(rate), float(slowest) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def cpu_seconds(container: str) -> float:
    """Return the CPU time that a container's processes have used."""
    return float(run("docker", "exec", container, "python", "-c", CPU_SECONDS))


def memory(container: str) -> float:
    """Return the memory of a container's processes in MiB (PSS: what they share is counted once)."""
    return float(run("docker", "exec", "--privileged", "--user", "0", container, "python", "-c", MEMORY))


def memory_at_rest(container: str) -> float:
    """Return the memory when it has stopped growing: the first answer comes before every worker has started."""
    before, now = 0.0, memory(container)
    while abs(now - before) > SETTLED_MIB:
        time.sleep(1)
        before, now = now, memory(container)
    return now


def measure_memory(depth: Depth) -> list[Comparison]:
    """Measure the memory of every server when it has started and has not used the database yet."""
    comparisons = []
    for framework in FRAMEWORKS:
        found: dict[str, list[float]] = {}
        with bench(framework) as place:
            for number in range(depth.rounds):
                progress(f"memory: {framework}, round {number + 1}")
                for server in in_turn((GRANIAN, *OTHERS[framework]), number):
                    with place.serving(server, probe="/health") as (container, _):
                        found.setdefault(server.name, []).append(memory_at_rest(container))
        comparisons.append(Comparison(f"{framework}: memory at rest", "MiB", medians(found)))
    return comparisons


def measure(depth: Depth) -> list[Comparison]:
    """Measure every route, the memory under load, the cache, and what more workers and more containers bring."""
    if not shutil.which("wrk"):
        sys.exit("error: wrk is needed: install it and run this again")
    found: list[Comparison] = []
    for framework in FRAMEWORKS:
        others = OTHERS[framework]
        with bench(framework) as place:
            if depth.quick:
                found += routes(place, framework, (GRANIAN, others[0]), depth)
                continue
            found += routes(place, framework, (GRANIAN, *others), depth)
            found += growth(place, framework, (GRANIAN, others[0]), depth)
            found += [alone(place, depth)] if framework == "fastapi" else []
        found.append(with_cache(framework, depth))
    return found


def routes(place: Bench, framework: str, servers: tuple[Server, ...], depth: Depth) -> Iterator[Comparison]:
    """Measure every route, and the memory after that, of every server."""
    figures: dict[tuple[str, str], dict[str, list[float]]] = {}
    failures: dict[str, dict[str, str]] = {}

    def note(what: str, unit: str, figure: float, name: str) -> None:
        figures.setdefault((what, unit), {}).setdefault(name, []).append(figure)

    with ExitStack() as serving:
        # All of them run, and take turns of some seconds: whatever else the machine does meets them alike.
        running = {server: serving.enter_context(place.serving(server)) for server in servers}
        for _, address in running.values():
            load(f"{address}/health", "", 1)
        for number in range(depth.rounds):
            progress(f"servers: {framework}, round {number + 1}")
            for (route, (path, script)), server in product(ROUTES.items(), in_turn(servers, number)):
                container, address = running[server]
                place.fill()
                before = cpu_seconds(container)
                try:
                    rate, slowest = load(address + path, script, depth.seconds)
                except CommandFailedError as error:
                    failures.setdefault(route, {})[server.name] = str(error)
                    continue
                note(route, "requests/s", rate, server.name)
                note(f"{route}, p99", "ms", slowest, server.name)
                # Steadier than the rate on a machine that does other work, too
                used = (cpu_seconds(container) - before) * 1000 / rate / depth.seconds
                note(f"{route}, CPU per request", "ms", used, server.name)
        for server, (container, _) in running.items():
            note("memory after load", "MiB", memory(container), server.name)
    for (what, unit), found in figures.items():
        yield Comparison(f"{framework}: {what}", unit, medians(found), failures.get(what, {}))


def alone(place: Bench, depth: Depth) -> Comparison:
    """Measure the servers of FastAPI projects with almost no application."""
    rates: dict[str, list[float]] = {}
    for number in range(depth.rounds):
        progress(f"servers: alone, round {number + 1}")
        for server in in_turn(ALONE, number):
            with place.serving(server) as (_, address):
                load(address, "", 1)
                rates.setdefault(server.name, []).append(load(address, "", depth.seconds)[0])
    return Comparison("fastapi: server alone, no application", "requests/s", medians(rates))


def growth(place: Bench, framework: str, servers: tuple[Server, ...], depth: Depth) -> Iterator[Comparison]:
    """Measure one product with more workers in a container, and with more containers of one worker."""
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
