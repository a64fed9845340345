"""Production when something goes wrong: a dependency hangs or is away, a process is killed, clients misbehave.

Time limits are the service's own, times three for a slow machine.
"""

import contextlib
import http.client
import itertools
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import httpx
import pytest

from tests.docker.load import load
from tests.docker.stack import TLS, Project, Stack, wait_for

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 2}
stored = pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"])
served = pytest.mark.only_where(sample=["products"], database=["postgresql", "mariadb"])
cached = pytest.mark.only_where(sample=["products"], redis=["cache", "cache-and-queue"])
queued = pytest.mark.only_where(redis=["queue", "cache-and-queue"])
each_framework = pytest.mark.one_for_each("framework")

# A request that needs the database ends after some six seconds, whatever happens to the database.
LIMIT_SECONDS = 20
WORKERS = 2
SLOW_BODIES, UNFINISHED_BODIES, SLOW_HEADERS, SILENT_CONNECTIONS = 200, 600, 1_200, 2_000
MEGABYTE = 1024 * 1024
Record = Callable[[str, object], None]


@pytest.fixture
def client(production: Stack) -> Iterator[httpx.Client]:
    """Open a client that uses each connection once, as any worker may answer."""
    limits = httpx.Limits(max_keepalive_connections=0)
    address = f"http://127.0.0.1:{production.project.port}"
    with httpx.Client(base_url=address, timeout=LIMIT_SECONDS, limits=limits, verify=TLS) as client:
        yield client


@dataclass
class Writes:
    """What clients were told who create something, one request after the other."""

    sent: int = 0
    acknowledged: list[str] = field(default_factory=list)  # addresses
    refused: list[httpx.Response] = field(default_factory=list)
    broken: int = 0  # without an answer

    def __str__(self) -> str:
        """Return how many requests were sent, and what became of them."""
        return f"{self.sent} sent, {len(self.refused)} refused, {self.broken} without an answer"


@contextlib.contextmanager
def writing(client: httpx.Client, path: str, body: object, clients: int = 4) -> Iterator[Writes]:
    """Let clients create something until the end of the context."""
    writes = Writes()
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.1):
            writes.sent += 1
            try:
                response = client.post(path, json=body)
            except httpx.TransportError:
                writes.broken += 1
            else:
                if response.status_code in (201, 202):
                    writes.acknowledged.append(response.headers["Location"])
                else:
                    writes.refused.append(response)

    with ThreadPoolExecutor(clients) as pool:
        waiting = [pool.submit(write) for _ in range(clients)]
        try:
            yield writes
        finally:
            stop.set()
    for one in waiting:
        one.result()


def kill(production: Stack, service: str) -> None:
    """Kill the first process of a service from the host: to Docker that is a crash, and not a stop by hand."""
    production.project.run("kill", "-9", str(production.containers()[service]["State"]["Pid"]))


def tell(answers: list[httpx.Response], recovered: float) -> str:
    """Return what became of requests while something was away, and for how long it stayed so afterwards."""
    refused = [one for one in answers if one.status_code == 503]
    slowest = max(one.elapsed.total_seconds() for one in answers)
    return (
        f"{len(answers)} sent, {len(refused)} got 503, the slowest after {slowest:.1f} s;"
        f" as before {recovered:.1f} s after its return"
    )


def crash(production: Stack, service: str) -> None:
    """Kill a service, and wait until Docker has started it again."""
    started = production.containers()[service]["State"]["StartedAt"]
    kill(production, service)
    wait_for(lambda: production.containers()[service]["State"]["StartedAt"] != started)


# --- The database -----------------------------------------------------------------------------------------------------


def assert_unavailable(response: httpx.Response) -> None:
    """Check that an answer is a problem that asks the client to come back."""
    assert response.status_code == 503, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    assert response.json().keys() >= {"type", "title", "status", "detail"}


def assert_alive(client: httpx.Client) -> None:
    """Check that /health answers, and soon: it doesn't wait for anything that is away."""
    start = time.monotonic()
    for _ in range(20):
        assert client.get("/health").json() == {"status": "ok"}
    # With a wait for the database or Redis in each of them, or in half of them, it would be 20 seconds or more.
    assert time.monotonic() - start < 10


@served
@pytest.mark.one_for_each("framework", "database")
def test_database_hangs(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """While the database hangs, /health answers, /ready says so, and what needs it ends with a 503 in time."""
    address = client.post("/products", json=PEN).headers["Location"]
    requests: list[Callable[[], httpx.Response]] = [
        lambda: client.get("/products"),
        lambda: client.get(address),
        lambda: client.post("/products", json=PEN),
        lambda: client.put(address, json=PEN),
    ]
    # More than the service ends in that time, one after the other: most of them are refused.
    with ThreadPoolExecutor(400) as pool, production.paused("db"):
        waiting = [pool.submit(request) for request in requests * 100]
        assert_alive(client)
        answers = [one.result() for one in waiting]
        for response in answers:
            # Cached products are still answered.
            if response.headers.get("X-Cache") != "HIT":
                assert_unavailable(response)
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "down")
    recovered = wait_for(lambda: client.get("/ready").status_code == 200)
    recovered += wait_for(lambda: client.post("/products", json=PEN).status_code == 201)
    record_property("requests", tell(answers, recovered))


@served
@pytest.mark.one_for_each("framework", "database")
def test_database_is_killed(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """While the database is away requests get a 503; it comes back by itself, with all that was acknowledged."""
    with writing(client, "/products", PEN) as writes:
        wait_for(lambda: len(writes.acknowledged) > 20)
        # Once more if it was back before a request was refused: Docker waits longer each time.
        while not writes.refused:
            crash(production, "db")
        before = len(writes.acknowledged)
        wait_for(lambda: len(writes.acknowledged) > before + 20, seconds=90)
    lost = [address for address in writes.acknowledged if client.get(address).status_code != 200]
    record_property("requests", f"{writes}, {len(lost)} lost")
    for response in writes.refused:
        assert_unavailable(response)
    assert (writes.broken, lost) == (0, [])


@pytest.mark.only_where(sample=["products"], database=["postgresql", "mariadb"], redis=["cache", "cache-and-queue"])
@each_framework
def test_cached_product_while_the_database_hangs(
    production: Stack, client: httpx.Client, record_property: Record
) -> None:
    """While every connection waits for a database that hangs, what is cached is still served, and soon."""
    address = client.post("/products", json=PEN).headers["Location"]
    wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
    # More than there are connections, and fewer than one process of Flask has threads.
    with production.paused("db"), asking(production, 28) as statuses:
        wait_for(lambda: 503 in statuses)
        answers = [(client.get(address), client.get("/health")) for _ in range(20)]
    hits = [read for read, _ in answers if read.headers.get("X-Cache") == "HIT"]
    reading = sum(read.elapsed.total_seconds() for read in hits)
    # /health never waits for a thread: it takes as long as this machine needs for a request.
    usual = sum(health.elapsed.total_seconds() for _, health in answers)
    recovered = wait_for(lambda: client.get("/ready").status_code == 200)
    record_property(
        "requests",
        f"{len(hits)} of 20 cached reads in {reading:.1f} s, and 20 of /health in {usual:.1f} s;"
        f" as before {recovered:.1f} s after its return",
    )
    # On a busy machine Redis may now and then take longer than the quarter of a second that it has.
    assert len(hits) >= 15
    # With a wait for a thread in each of them it would be 15 seconds or more.
    assert reading - usual < 10


@contextlib.contextmanager
def locked(project: Project, production: Stack) -> Iterator[None]:
    """Lock the table of products, or the whole database where it is a file, as a long migration does."""
    commands = {
        "sqlite": ("web", ["python", "-u", "-c", LOCK_SQLITE]),
        "postgresql": ("db", ["psql", "--username=app", "--dbname=app", "--command", LOCK_POSTGRESQL]),
        "mariadb": ("db", ["sh", "-c", LOCK_MARIADB]),
    }
    service, command = commands[project.answers["database"]]
    compose = ("docker", "compose", "--file", production.file, "--project-name", production.name)
    arguments = (*compose, "exec", "--no-TTY", service, *command)
    with subprocess.Popen(arguments, cwd=project.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as holder:
        try:
            yield
        finally:
            said, _ = holder.communicate(timeout=120)
            assert holder.returncode == 0, said


LOCK_SQLITE = """
import sqlite3, time
database = sqlite3.connect("/data/app.db", timeout=60)
database.execute("BEGIN EXCLUSIVE")
time.sleep(15)
"""
LOCK_POSTGRESQL = "BEGIN; LOCK TABLE products; SELECT pg_sleep(15)"
LOCK_MARIADB = """mariadb --user=app --password="$(cat /run/secrets/database_password)" app \
    --execute 'LOCK TABLES products WRITE; SELECT SLEEP(15)'"""


@stored
@pytest.mark.one_for_each("framework", "database")
def test_table_is_locked(project: Project, production: Stack, client: httpx.Client, record_property: Record) -> None:
    """While a table is locked, a write ends with a 503 in time, the rest answers, and afterwards all is as before."""
    address = client.post("/products", json=PEN).headers["Location"]
    stocks = itertools.count()

    def refused() -> bool:
        """Return whether a write is refused."""
        # What is not a change writes nothing.
        response = client.put(address, json=PEN | {"stock": next(stocks)})
        if response.status_code != 200:
            assert_unavailable(response)
        return response.status_code == 503

    with locked(project, production), ThreadPoolExecutor(32) as pool:
        wait_for(refused, seconds=30)
        waiting = [pool.submit(client.put, address, json=PEN | {"stock": next(stocks)}) for _ in range(32)]
        assert_alive(client)
        answers = [one.result() for one in waiting]
    recovered = wait_for(lambda: client.put(address, json=PEN | {"price": "2.00"}).status_code == 200)
    record_property("requests", tell(answers, recovered))
    for one in answers:
        if one.status_code != 200:
            assert_unavailable(one)
    assert client.get(address).json()["price"] == "2.00"


@served
@pytest.mark.one_for_each("framework", "database")
def test_network_of_the_database_is_cut(
    project: Project, production: Stack, client: httpx.Client, record_property: Record
) -> None:
    """Requests whose connections are cut off end in time, and the service recovers when the network is back."""
    database = production.containers()["db"]
    (network,) = database["NetworkSettings"]["Networks"]
    stop = threading.Event()

    def ask() -> list[httpx.Response]:
        responses = []
        while not stop.is_set():
            responses.append(client.get("/products"))
        return responses

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(ask) for _ in range(8)]
        time.sleep(1)
        project.run("docker", "network", "disconnect", network, database["Id"])
        try:
            time.sleep(2)
            stop.set()
            # What was read before the cut may still be answered.
            answers = [answer for one in waiting for answer in one.result()]
            assert {answer.status_code for answer in answers} <= {200, 503}
            assert_unavailable(client.get("/products"))
        finally:
            stop.set()
            project.run("docker", "network", "connect", "--alias", "db", network, database["Id"])
    recovered = wait_for(lambda: client.get("/products").status_code == 200)
    record_property("requests", tell(answers, recovered))


@contextlib.contextmanager
def asking(production: Stack, clients: int) -> Iterator[set[int]]:
    """Let many clients ask for products, one request after the other, and yield the statuses of the answers so far."""
    statuses: set[int] = set()
    stop = threading.Event()

    def ask() -> None:
        # Costs this machine less than httpx, and so leaves more of it to the service.
        connection = http.client.HTTPConnection("127.0.0.1", production.project.port, timeout=3 * LIMIT_SECONDS)
        with contextlib.closing(connection):
            while not stop.is_set():
                connection.request("GET", "/products")
                response = connection.getresponse()
                response.read()
                statuses.add(response.status)

    with ThreadPoolExecutor(clients) as pool:
        waiting = [pool.submit(ask) for _ in range(clients)]
        try:
            yield statuses
        finally:
            stop.set()
    for one in waiting:
        one.result()


@pytest.mark.only_where(sample=["products"], database=["postgresql"])
@each_framework
def test_busy_service_is_ready(project: Project, production: Stack, client: httpx.Client) -> None:
    """While clients keep all connections to the database busy, with many requests or with slow ones, /ready is 200."""

    def assert_ready() -> None:
        with ThreadPoolExecutor(2) as pool:
            probes = list(pool.map(lambda _: client.get("/ready"), range(25)))
        assert {(one.status_code, one.json()["database"]) for one in probes} == {(200, "up")}

    # An earlier test may have taken the database away, and each worker has to notice that it is back.
    wait_for(lambda: all(client.get("/ready").status_code == 200 for _ in range(10)))
    with asking(production, 200) as statuses:
        wait_for(lambda: 200 in statuses)
        assert_ready()
    with locked(project, production), asking(production, 40) as statuses:
        # Each waits for the lock, or for one of those who do.
        wait_for(lambda: 503 in statuses)
        assert_ready()


@served
@each_framework
def test_product_that_is_deleted_meanwhile(client: httpx.Client) -> None:
    """Of two who change and delete the same product at once, neither is told that the server has failed."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(40):
            address = client.post("/products", json=PEN).headers["Location"]
            changed = pool.submit(client.put, address, json=PEN | {"price": "2.00"})
            deleted = pool.submit(client.delete, address)
            assert changed.result().status_code in (200, 404)
            assert deleted.result().status_code == 204


# --- Redis ------------------------------------------------------------------------------------------------------------


@cached
@pytest.mark.one_for_each("framework", "redis")
def test_stopped_redis_changes_nothing_but_speed(project: Project, production: Stack, client: httpx.Client) -> None:
    """While Redis is down products are read and written, and what changed meanwhile is never read stale afterwards."""
    address = client.post("/products", json=PEN).headers["Location"] if project.stores else "/products/1"
    before = client.get(address).json()
    wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
    production.compose("stop", "--timeout", "2", "redis")
    down = client.get(address)
    assert (down.status_code, down.json(), down.headers["X-Cache"]) == (200, before, "MISS")
    assert_alive(client)
    ready = client.get("/ready")
    assert (ready.status_code, ready.json()["redis"]) == (503 if project.queues else 200, "down")
    if project.queues:
        assert_unavailable(client.post("/reports"))
        assert_unavailable(client.get("/reports/any"))
    if project.stores:
        assert client.put(address, json=PEN | {"price": "1.00"}).status_code == 200
        assert client.get(address).json()["price"] == "1.00"
    production.compose("start", "redis")
    wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
    if project.stores:
        # Entries that outlived a restart may be old for as long as an entry lives, a minute.
        wait_for(lambda: client.get(address).json()["price"] == "1.00", seconds=90)
    wait_for(lambda: client.get("/ready").json().get("redis") == "up")


@pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"], redis=["cache"])
@each_framework
def test_write_that_redis_did_not_hear_of(production: Stack, client: httpx.Client) -> None:
    """What is written while Redis hangs shows after CACHE_SECONDS at the latest."""
    addresses = [client.post("/products", json=PEN).headers["Location"] for _ in range(3)]
    wait_for(lambda: {client.get(address).headers["X-Cache"] for address in addresses} == {"HIT"})
    with production.paused("redis"):
        assert_alive(client)
        for address in addresses:
            assert client.put(address, json=PEN | {"price": "2.00"}).status_code == 200
    wait_for(lambda: {client.get(address).json()["price"] for address in addresses} == {"2.00"}, seconds=90)


@pytest.mark.only_where(redis=["cache-and-queue"])
@each_framework
def test_health_asks_nobody(production: Stack, client: httpx.Client) -> None:
    """Not even a single command is sent to Redis for /health."""

    def commands() -> int:
        said = production.redis("info", "stats")
        return int(said.partition("total_commands_processed:")[2].split()[0])

    before = commands()
    for _ in range(200):
        assert client.get("/health").status_code == 200
    # Redis' own health check, the worker, and what asked for this number
    assert commands() - before < 100


# --- Jobs -------------------------------------------------------------------------------------------------------------


def enqueue(production: Stack, job: str) -> str:
    """Enqueue a call, as in `time.sleep(1)` but as arguments of `enqueue`, and return the id of the job."""
    code = f"""
from app.queue import connect
from app.settings import load_settings
print(connect(load_settings().redis_url).enqueue({job}).id)
"""
    return production.execute("python", "-c", code, service="worker").split()[-1]


@queued
@each_framework
def test_failed_job(project: Project, production: Stack, client: httpx.Client) -> None:
    """A job that raises an exception has failed, and its report says so; the worker goes on."""
    function = "summarise_catalogue" if project.has_products else "describe_worker"
    address = "/reports/" + enqueue(production, f"'app.reports.job.{function}', 'an argument that it does not take'")
    wait_for(lambda: client.get(address).json()["status"] not in ("queued", "started"))
    report = client.get(address)
    assert report.status_code == 200
    assert report.json().items() >= {"status": "failed", "result": None}.items()
    # One whose code is gone, as after a rename
    renamed = enqueue(production, "'app.reports.gone'")
    wait_for(lambda: production.job_status(renamed) == "failed")
    address = client.post("/reports").headers["Location"]
    wait_for(lambda: client.get(address).json()["status"] == "finished")


@queued
@each_framework
def test_redis_is_killed(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """While Redis is away a report gets a 503; it comes back by itself, and each report that was accepted is made."""
    with writing(client, "/reports", None, clients=2) as writes:
        wait_for(lambda: len(writes.acknowledged) > 10)
        kill(production, "redis")
        before = len(writes.acknowledged)
        wait_for(lambda: len(writes.acknowledged) > before + 10, seconds=90)
    lost = set(writes.acknowledged)

    def finished() -> bool:
        """Each report is finished."""
        lost.difference_update([one for one in lost if client.get(one).json().get("status") == "finished"])
        return not lost

    try:
        wait_for(finished, seconds=180)
    finally:
        record_property("requests", f"{writes}, {len(lost)} lost")
    for response in writes.refused:
        assert_unavailable(response)
    assert writes.broken == 0


@queued
@each_framework
def test_redis_of_the_queue_hangs(
    project: Project, production: Stack, client: httpx.Client, record_property: Record
) -> None:
    """While Redis hangs a report gets a 503 in time; what doesn't need it answers."""
    address = client.post("/reports").headers["Location"]
    with production.paused("redis"), ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(client.post, "/reports") for _ in range(8)]
        waiting += [pool.submit(client.get, address) for _ in range(8)]
        assert_alive(client)
        if project.has_products:
            assert client.get("/products").status_code == 200
        answers = [one.result() for one in waiting]
    for one in answers:
        assert_unavailable(one)
    recovered = wait_for(lambda: client.get("/ready").status_code == 200)
    record_property("requests", tell(answers, recovered))
    wait_for(lambda: client.get(address).json()["status"] == "finished")


SLOW_STATEMENT = {
    "flask": """
from sqlalchemy import text
from app.database import db
db.session.execute(text("SELECT SLEEP(4)"))
""",
    "fastapi": """
import asyncio
from sqlalchemy import text
from app.database import standalone_session
from app.settings import load_settings
async def main():
    async with standalone_session(load_settings()) as session:
        await session.execute(text("SELECT SLEEP(4)"))
asyncio.run(main())
""",
}


@pytest.mark.only_where(database=["postgresql", "mariadb"], redis=["queue", "cache-and-queue"])
@pytest.mark.one_for_each("framework", "database")
def test_slow_statement_in_a_job(project: Project, production: Stack) -> None:
    """A statement of a job may take longer than one of a request."""
    code = SLOW_STATEMENT[project.answers["framework"]]
    if project.answers["database"] == "postgresql":
        code = code.replace("SLEEP", "pg_sleep")
    job = enqueue(production, f"'builtins.exec', {code!r}, {{}}")
    wait_for(lambda: production.job_status(job) not in ("queued", "started"))
    assert production.job_status(job) == "finished"


def start_worker(production: Stack) -> None:
    """Start the worker without what it waits for: after a pause Redis counts as unhealthy for half a minute."""
    production.compose("up", "--detach", "--no-deps", "worker")


@queued
@each_framework
def test_stop_waits_for_a_job(production: Stack) -> None:
    """A job that takes longer than Docker's own ten seconds is finished before its worker stops."""
    job = enqueue(production, "'time.sleep', 13")
    wait_for(lambda: production.job_status(job) == "started")
    production.compose("stop", "worker")
    assert production.job_status(job) == "finished"
    assert production.containers()["worker"]["State"]["ExitCode"] == 0
    start_worker(production)


@queued
@each_framework
def test_worker_is_killed_in_a_job(
    project: Project, production: Stack, client: httpx.Client, record_property: Record
) -> None:
    """When a worker's container was killed in a job, that is seen within about a minute: it failed, or is made."""
    job = enqueue(production, "'time.sleep', 20")
    wait_for(lambda: production.job_status(job) == "started")
    project.run("docker", "kill", production.containers()["worker"]["Id"])
    start_worker(production)
    seconds = wait_for(lambda: production.job_status(job) in ("failed", "finished"), seconds=200)
    record_property("requests", f"1 job accepted, {production.job_status(job)} {seconds:.0f} s after the kill")
    address = client.post("/reports").headers["Location"]
    wait_for(lambda: client.get(address).json()["status"] == "finished")


@queued
@each_framework
def test_retries_and_later(production: Stack, client: httpx.Client) -> None:
    """Jobs that are enqueued for later, or to be retried after a while, run."""
    run_later(production)
    # The scheduler is a process of its own, and has to come back as well.
    production.compose("stop", "--timeout", "2", "redis")
    time.sleep(5)
    production.compose("start", "redis")
    wait_for(lambda: client.get("/ready").status_code == 200)
    run_later(production)


def run_later(production: Stack) -> None:
    """Enqueue a job for later and one that fails and is retried, and wait for both."""
    code = """
from datetime import timedelta
from rq import Retry
from app.queue import connect
from app.settings import load_settings
queue = connect(load_settings().redis_url)
print(queue.enqueue_in(timedelta(seconds=1), "time.sleep", 0).id)
print(queue.enqueue("operator.truediv", 1, 0, retry=Retry(max=1, interval=1)).id)
"""
    done, retried = production.execute("python", "-c", code, service="worker").split()[-2:]
    wait_for(lambda: production.job_status(done) == "finished", seconds=120)
    wait_for(lambda: production.job_status(retried) == "failed", seconds=120)


# --- Processes --------------------------------------------------------------------------------------------------------

# Prints the ids of the server's worker processes: children of the process that is the container's init's child.
CHILDREN = """
import pathlib
parents = {}
for directory in pathlib.Path("/proc").glob("[0-9]*"):
    if "tracker" not in directory.joinpath("cmdline").read_text():
        parents[directory.name] = directory.joinpath("stat").read_text().rpartition(")")[2].split()[1]
print(*[name for name, parent in parents.items() if parents.get(parent) == "1"])
"""


@each_framework
def test_killed_worker_process_is_replaced(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """When one of two worker processes is killed the other goes on, and a new one takes its place."""

    def workers() -> set[str]:
        return set(production.execute("python", "-c", CHILDREN).split())

    before = workers()
    assert len(before) == WORKERS
    started = production.containers()["web"]["State"]["StartedAt"]
    victim = min(before)
    production.execute("python", "-c", f"import os; os.kill({victim}, 9)")
    failed = 0
    for _ in range(100):
        try:
            assert client.get("/health").status_code == 200
        except httpx.TransportError:
            # It had accepted the connection, or the kernel had given it to it.
            failed += 1
        time.sleep(0.02)
    record_property("requests", f"100 sent, {failed} failed")
    assert failed <= 5
    wait_for(lambda: len(workers() - {victim}) == WORKERS)
    assert production.containers()["web"]["State"]["StartedAt"] == started


@each_framework
def test_web_container_dies(project: Project, production: Stack, record_property: Record) -> None:
    """When the container's first process is killed, the service comes back by itself."""
    before = production.containers()["web"]["State"]["StartedAt"]
    with load(project.port, rate=20, writes=project.stores) as requests, production.client() as client:
        wait_for(lambda: requests.sent > 20)
        kill(production, "web")
        wait_for(lambda: production.containers()["web"]["State"]["StartedAt"] != before)
        wait_for(lambda: client.get("/ready").status_code == 200)
        # A request that waited in the kernel for the old process has ended by now.
        sent = requests.sent
        wait_for(lambda: requests.sent > sent + 20)
        failed = list(requests.failed)
        wait_for(lambda: requests.sent > sent + 60)
    record_property("requests", str(requests))
    assert requests.failed == failed


# --- Clients ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def connection(production: Stack) -> Iterator[socket.socket]:
    """Open a connection to the service."""
    with socket.create_connection(("127.0.0.1", production.project.port), timeout=120) as opened:
        yield opened


def head(length: int | None) -> bytes:
    """Return the head of a request to create a product, whose body is this long, or is chunked."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{size}\r\n\r\n".encode()


def upload(production: Stack, *, chunked: bool) -> bytes:
    """Send 200 MB, or as much of it as is taken, and return the first line of the answer."""
    block = b" " * MEGABYTE
    with connection(production) as opened:
        try:
            opened.sendall(head(None if chunked else 200 * MEGABYTE))
            for _ in range(200):
                opened.sendall(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer came first
        try:
            return opened.recv(4096).partition(b"\r\n")[0]
        except ConnectionResetError:
            return b""


@stored
@each_framework
def test_enormous_bodies(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """Bodies of 200 MB are refused, nobody else waits for them, and memory doesn't grow with them."""
    container = production.containers()["web"]
    with ThreadPoolExecutor(6) as pool:
        uploads = [pool.submit(upload, production, chunked=bool(number % 2)) for number in range(6)]
        others = 1
        while not wait(uploads, timeout=0.1).done and not all(one.done() for one in uploads):
            assert client.get("/products").status_code == 200
            others += 1
        assert client.get("/products").status_code == 200
        answers = [one.result() for one in uploads]
    record_property("requests", f"6 bodies of 200 MB refused; others: {others} sent, 0 failed")
    # Who goes on sending may find the connection closed, with the answer lost.
    assert {answer.split(b" ")[1] for answer in answers if answer} == {b"413"}, answers
    again = production.containers()["web"]
    assert again["State"]["StartedAt"] == container["State"]["StartedAt"]
    assert not again["State"]["OOMKilled"]


def allow_connections() -> None:
    """Let the tests open as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"], proxy=["none"])
@each_framework
def test_many_bodies_at_once(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """Bodies of which the last byte is missing don't fill the memory: more than the container has, from one client."""
    allow_connections()
    with contextlib.ExitStack() as stay:
        for _ in range(UNFINISHED_BODIES):
            opened = stay.enter_context(connection(production))
            # Who is refused may find the connection closed.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                opened.sendall(head(MEGABYTE) + b" " * (MEGABYTE - 1))
        statuses = [client.get("/products").status_code for _ in range(20)]
    failed = 20 - statuses.count(200)
    record_property("requests", f"{UNFINISHED_BODIES} unfinished bodies of 1 MiB; others: 20 sent, {failed} failed")
    assert failed == 0
    assert not production.containers()["web"]["State"]["OOMKilled"]


@pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"], proxy=["none"])
@each_framework
def test_slow_uploads_and_silent_connections(production: Stack, client: httpx.Client, record_property: Record) -> None:
    """While bodies and headers trickle and connections send nothing others are served; a stopped body is given up."""
    allow_connections()
    started = production.containers()["web"]["State"]["StartedAt"]
    body = b'{"name": "Slow", "price": "1.00" }'
    positions = range(1, len(body) - 1, 4)  # of all but the first and the last byte
    with contextlib.ExitStack() as stay:
        slow = [stay.enter_context(connection(production)) for _ in range(SLOW_BODIES)]
        stopped = [stay.enter_context(connection(production)) for _ in range(2)]
        for one in (*slow, *stopped):
            one.sendall(head(len(body)) + body[:1])
        with contextlib.ExitStack() as silent:
            for _ in range(SILENT_CONNECTIONS):
                silent.enter_context(connection(production))
            assert client.get("/products").status_code == 200
        for _ in range(SLOW_HEADERS):
            stay.enter_context(connection(production)).sendall(b"GET /products HTTP/1.1\r\nHost:")
        for position in positions:
            for one in slow:
                one.sendall(body[position : position + 4])
            assert client.get("/health").status_code == 200
            assert client.get("/products").status_code == 200
            time.sleep(0.2)
        # Not all at once: a busy database refuses what waits for longer than its limits.
        for first in range(0, SLOW_BODIES, 10):
            for one in slow[first : first + 10]:
                one.sendall(body[-1:])
            for one in slow[first : first + 10]:
                assert one.recv(4096).startswith(b"HTTP/1.1 201"), "a slow body that is complete is taken"
        for one in stopped:
            answer = one.recv(4096)
            assert not answer or answer.startswith(b"HTTP/1.1 408"), answer
    record_property(
        "requests",
        f"{SILENT_CONNECTIONS} silent connections, {SLOW_HEADERS} slow headers, {SLOW_BODIES} slow bodies, all of which"
        f" are taken; others: {2 * len(positions) + 1} sent, 0 failed",
    )
    web = production.containers()["web"]
    assert (web["State"]["StartedAt"], web["State"]["Health"]["Status"]) == (started, "healthy")
