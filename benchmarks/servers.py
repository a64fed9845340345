"""Which server answers the template's own routes fastest: granian against what each framework is usually run with.

Both serve the same image, application, database, workers and threads, in turn and several times over, so that what
else the machine does falls on both. Run it with `make bench-servers`; it needs Docker and wrk, and talks to the
containers that it starts and to nothing else.
"""

import argparse
import contextlib
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import answers, run, write
from dockwright.template import render

WORKERS = 2
THREADS = 4
CONNECTIONS = 64
PRODUCTS = 200

WRITE = """
wrk.method = "POST"
wrk.body = '{"name": "Ink", "price": "9.90", "stock": 3}'
wrk.headers["Content-Type"] = "application/json"
"""


FILL = """
INSERT INTO products SELECT n, 'Ink', '', 990, 3, now(), now() FROM generate_series(1, {count}) n;
SELECT setval('products_id_seq', {count})
"""


@dataclass(frozen=True)
class Contender:
    """A server, and how it is told to serve the application."""

    name: str
    package: str | None
    command: tuple[str, ...]


GRANIAN = Contender("granian", None, ("python", "-m", "app.serve"))
OTHERS = {
    "flask": Contender(
        "gunicorn gthread",
        "gunicorn",
        ("gunicorn", "--bind=0.0.0.0:5000", f"--workers={WORKERS}", f"--threads={THREADS}", "app.main:create_app()"),
    ),
    "fastapi": Contender(
        "uvicorn",
        "uvicorn[standard]",
        (
            *("uvicorn", "--factory", "--host=0.0.0.0", "--port=5000", f"--workers={WORKERS}"),
            *("--no-access-log", "app.main:create_app"),
        ),
    ),
}
ROUTES = {
    "trivial": ("/health", None),
    "one product": ("/products/1", None),
    "list of 50": ("/products?page_size=50", None),
    "write": ("/products", WRITE),
}


@contextlib.contextmanager
def stack(framework: str) -> Iterator[tuple[str, str]]:
    """Start the database, migrated and filled, and give the image and the network that the contenders use."""
    slug = f"bench-{framework}"
    with tempfile.TemporaryDirectory() as directory:
        project = render({"project_slug": slug, "framework": framework, "database": "postgresql"}, Path(directory))
        compose = ("docker", "compose", "--file", "compose.prod.yaml")
        try:
            run("make", "--silent", "secrets", cwd=project)
            run(*compose, "build", "--quiet", cwd=project)
            run(*compose, "up", "--detach", "--wait", "db", cwd=project)
            run(*compose, "run", "--rm", "migrate", cwd=project)
            fill = FILL.format(count=PRODUCTS)
            run(*compose, "exec", "--no-TTY", "db", "psql", "--username=app", "--quiet", stdin=fill, cwd=project)
            password = (project / "secrets" / "database_password").read_text(encoding="utf-8")
            yield f"{slug}:0.1.0", password
        finally:
            run(*compose, "down", "--volumes", "--rmi", "local", cwd=project)


@contextlib.contextmanager
def serving(contender: Contender, image: str, password: str, network: str) -> Iterator[str]:
    """Serve the application with a contender, and give its address."""
    environment = [
        f"DATABASE_URL=postgresql+psycopg://app:{password}@db/app",
        f"WORKERS={WORKERS}",
        f"THREADS={THREADS}",
    ]
    options = [option for setting in environment for option in ("--env", setting)]
    container = run("docker", "run", "--detach", "--network", network, *options, image, *contender.command).strip()
    try:
        networks = json.loads(run("docker", "inspect", container))[0]["NetworkSettings"]["Networks"]
        address = f"http://{networks[network]['IPAddress']}:5000"
        for _ in range(100):
            if answers(f"{address}/ready"):
                break
            time.sleep(0.1)
        else:
            sys.exit(f"error: {contender.name} did not start:\n{run('docker', 'logs', container)}")
        yield address
    finally:
        run("docker", "rm", "--force", container)


def load(address: str, script: str | None, seconds: int) -> tuple[float, float]:
    """Ask for a route as fast as it is answered; return requests a second and the 99th percentile in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script or "")
        file.flush()
        extra = ("--script", file.name) if script else ()
        said = run(
            "wrk", "--latency", "--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s", *extra, address
        )
    if "Non-2xx" in said:
        sys.exit(f"error: {address} answered with errors:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if rate is None or slowest is None:
        sys.exit(f"error: wrk said nothing of its results:\n{said}")
    return float(rate[1]), float(slowest[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slowest[2]]


def compare(framework: str, rounds: int, seconds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return, for each route and contender, the medians of requests a second and of the 99th percentile."""
    other = OTHERS[framework]
    found: dict[str, dict[str, list[tuple[float, float]]]] = {route: {} for route in ROUTES}
    with stack(framework) as (image, password):
        recipe = (
            f"FROM {image}\nUSER 0\nRUN --mount=from=ghcr.io/astral-sh/uv:0.13,source=/uv,target=/usr/local/bin/uv "
        )
        recipe += f"uv pip install --quiet --compile-bytecode '{other.package}'\nUSER 10001\n"
        rival = f"{image}-rival"
        run("docker", "build", "--quiet", "--tag", rival, "-", stdin=recipe)
        network = f"bench-{framework}-prod_data"
        for _ in range(rounds):
            for contender, served in ((GRANIAN, image), (other, rival)):
                with serving(contender, served, password, network) as address:
                    load(f"{address}/health", None, 1)
                    for route, (path, script) in ROUTES.items():
                        found[route].setdefault(contender.name, []).append(load(address + path, script, seconds))
        run("docker", "rmi", "--force", rival)
    return {
        route: {
            name: {
                "requests_per_second": statistics.median(rate for rate, _ in runs),
                "p99_ms": statistics.median(p99 for _, p99 in runs),
            }
            for name, runs in contenders.items()
        }
        for route, contenders in found.items()
    }


def told(figures: dict[str, float]) -> str:
    """Return a contender's figures for a person."""
    return f"{figures['requests_per_second']:7.0f}/s, p99 {figures['p99_ms']:6.1f} ms"


def main() -> None:
    """Measure, print a table, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender is measured")
    parser.add_argument("--seconds", type=int, default=3, help="how long each measurement takes")
    arguments = parser.parse_args()
    for program in ("docker", "wrk"):
        if not shutil.which(program):
            sys.exit(f"error: {program} is needed: install it and run this again")
    results = {framework: compare(framework, arguments.rounds, arguments.seconds) for framework in OTHERS}
    for framework, routes in results.items():
        for route, contenders in routes.items():
            (_, ours), (rival, theirs) = contenders.items()
            ratio = ours["requests_per_second"] / theirs["requests_per_second"]
            print(f"{framework:8} {route:12} {ratio:5.2f} x {rival:17} {told(ours)}   {told(theirs)}")
    write("servers", {"results": results})


if __name__ == "__main__":
    main()
