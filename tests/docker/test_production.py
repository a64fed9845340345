"""Production, every combination: the stack starts healthy, keeps the contract, keeps its data, and stops at once."""

import json
from concurrent.futures import ThreadPoolExecutor, wait

import httpx
import pytest

from tests.docker.stack import OURS, TLS, Project, Stack, wait_for

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 2}
cached = pytest.mark.only_where(redis=("cache", "cache-and-queue"))
queued = pytest.mark.only_where(redis=("queue", "cache-and-queue"))
stored = pytest.mark.only_where(database=("sqlite", "postgresql", "mariadb"))


def test_every_service_is_healthy(project: Project, production: Stack) -> None:
    """`up --wait` ends with every service healthy, and the migrations applied."""
    states = {
        name: container["State"].get("Health", container["State"])["Status"]
        for name, container in production.containers().items()
    }
    expected = {"web": "healthy"}
    if project.stores:
        expected["migrate"] = "exited"
    if project.answers["database"] in ("postgresql", "mariadb"):
        expected["db"] = "healthy"
    if project.answers["redis"] != "none":
        expected["redis"] = "healthy"
    if project.queues:
        expected["worker"] = "healthy"
    assert states == expected


def test_containers_are_confined(production: Stack) -> None:
    """No container can gain privileges or write to its image; ours have no capability and do not run as root."""
    for name, container in production.containers().items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert all(host[limit] for limit in ("Memory", "NanoCpus", "PidsLimit")), name
        assert host["LogConfig"]["Config"]["max-size"], name
        if name in OURS:
            assert not host["CapAdd"], name
            assert container["Config"]["User"] == "10001:10001", name
            assert not any(mount["Type"] == "bind" and mount["RW"] for mount in container["Mounts"]), name
        else:
            assert not any(container["NetworkSettings"]["Ports"].values()), name


def test_health(project: Project, production: Stack) -> None:
    """The service is alive and ready, with the state of each dependency that it has."""
    ready = {"status": "ready"}
    if project.stores:
        ready["database"] = "up"
    if project.answers["redis"] != "none":
        ready["redis"] = "up"
    with production.client() as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/ready").json() == ready


def test_description(project: Project, production: Stack) -> None:
    """The API describes itself, reports included where there are any."""
    with production.client() as client:
        description = client.get("/openapi.json").json()
        assert client.get("/docs").headers["Content-Type"].startswith("text/html")
    assert description["openapi"].startswith("3.1")
    assert description["info"]["title"] == project.answers["project_name"]
    assert ("/reports" in description["paths"]) == project.queues
    assert ("post" in description["paths"]["/products"]) == project.stores


@stored
def test_catalogue(production: Stack) -> None:
    """A product is created, listed, replaced and deleted, at the address that its creation returned."""
    with production.client() as client:
        created = client.post("/products", json=PEN)
        assert created.status_code == 201
        address = created.headers["Location"]
        assert created.json().items() >= PEN.items()
        assert client.get(address).json() == created.json()
        page = client.get("/products", params={"page": 1, "page_size": 100}).json()
        assert created.json() in page["items"]
        assert page["total"] == len(page["items"])
        replaced = client.put(address, json={"name": "Pencil", "price": "1.5"})
        assert replaced.json().items() >= {"name": "Pencil", "price": "1.50", "stock": 0, "description": ""}.items()
        assert client.get(address).json() == replaced.json()
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404


@pytest.mark.only_where(database=("none",))
def test_sample_catalogue(production: Stack) -> None:
    """Without a database there is a sample, and a write is not allowed."""
    with production.client() as client:
        page = client.get("/products").json()
        assert page["total"] == len(page["items"]) > 0
        for product in page["items"]:
            assert client.get(f"/products/{product['id']}").json() == product
        for method, address in (("POST", "/products"), ("PUT", "/products/1"), ("DELETE", "/products/1")):
            refused = client.request(method, address, json=PEN)
            assert (refused.status_code, refused.json()["status"]) == (405, 405)


def test_errors_have_one_shape(project: Project, production: Stack) -> None:
    """Whatever goes wrong is answered with problem details."""
    with production.client() as client:
        wrong = {
            404: [client.get("/nowhere"), client.get("/products/999999"), client.get("/products/99999999999999999999")],
            405: [client.patch("/products")],
            422: [client.get("/products", params={"page": 0}), client.get("/products", params={"page_size": 1000})],
        }
        if project.stores:
            changes = ({"price": "-1"}, {"name": "\0"}, {"stock": 2**40})
            wrong[422] += [client.post("/products", json=PEN | change) for change in changes]
            wrong[400] = [client.post("/products", content="{", headers={"Content-Type": "application/json"})]
    for status, responses in wrong.items():
        for response in responses:
            assert response.headers["Content-Type"] == "application/problem+json", response.request.url
            assert response.json().keys() >= {"type", "title", "status", "detail"}
            assert (response.status_code, response.json()["status"]) == (status, status), response.request.url


def test_logs_are_json(production: Stack) -> None:
    """Every line of ours is a JSON object, and a request's line carries the id that the client gave it."""
    with production.client() as client:
        assert client.get("/products", headers={"X-Request-ID": "probe-1"}).headers["X-Request-ID"] == "probe-1"
    text = production.compose("logs", "--no-color", "--no-log-prefix", *ours(production))
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["path"] for line in lines if line["request_id"] == "probe-1"] == ["/products"]


@cached
def test_cache(project: Project, production: Stack) -> None:
    """A product is read once and then found in the cache, until it changes."""
    production.execute("redis-cli", "flushall", service="redis")
    with production.client() as client:
        address = client.post("/products", json=PEN).headers["Location"] if project.stores else "/products/2"
        first = client.get(address)
        assert first.headers["X-Cache"] == "MISS"
        wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
        assert client.get(address).json() == first.json()
        if project.stores:
            client.put(address, json=PEN | {"price": "35.00"})
            changed = client.get(address)
            assert (changed.headers["X-Cache"], changed.json()["price"]) == ("MISS", "35.00")
            wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
            assert client.get(address).json() == changed.json()
            # Redis, or what lies between, may close a connection at any time: the write that finds out still counts.
            production.execute("redis-cli", "client", "kill", "type", "normal", service="redis")
            client.put(address, json=PEN | {"price": "36.00"})
            wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
            assert client.get(address).json()["price"] == "36.00"


@pytest.mark.only_where(redis=("cache", "cache-and-queue"), database=("sqlite", "postgresql", "mariadb"))
def test_write_that_redis_did_not_hear_of(production: Stack) -> None:
    """What is written while Redis takes too long is told to it as soon as it answers, by whichever worker wrote it."""
    with production.client() as client:
        addresses = [client.post("/products", json=PEN).headers["Location"] for _ in range(3)]
        wait_for(lambda: {client.get(address).headers["X-Cache"] for address in addresses} == {"HIT"})
        with production.paused("redis"):
            for address in addresses:
                assert client.put(address, json=PEN | {"price": "2.00"}).status_code == 200

        def fresh() -> bool:
            """Every product is read from the cache, as it was last written."""
            answers = [client.get(address) for address in addresses]
            return {(one.headers["X-Cache"], one.json()["price"]) for one in answers} == {("HIT", "2.00")}

        wait_for(fresh, seconds=20)


@queued
def test_queue(production: Stack) -> None:
    """A report that was asked for is made by the worker."""
    with production.client() as client:
        accepted = client.post("/reports")
        assert accepted.status_code == 202
        assert accepted.json()["status"] == "queued"
        wait_for(lambda: client.get(accepted.headers["Location"]).json()["status"] == "finished")
        report = client.get(accepted.headers["Location"]).json()
        assert report["id"] == accepted.json()["id"]
        assert report["result"]["products"] == client.get("/products").json()["total"]
        assert client.get("/reports/unknown").status_code == 404


@cached
def test_stopped_redis_changes_nothing_but_speed(project: Project, production: Stack) -> None:
    """While Redis is down products are read and written, and what changed meanwhile is never read stale afterwards."""
    with production.client() as client:
        address = client.post("/products", json=PEN).headers["Location"] if project.stores else "/products/1"
        before = client.get(address).json()
        wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
        production.compose("stop", "--timeout", "2", "redis")
        down = client.get(address)
        assert (down.status_code, down.json(), down.headers["X-Cache"]) == (200, before, "MISS")
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()["redis"]) == (503 if project.queues else 200, "down")
        if project.stores:
            assert client.put(address, json=PEN | {"price": "1.00"}).status_code == 200
        production.compose("start", "redis")
        if project.stores:
            assert client.get(address).json()["price"] == "1.00"
        wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
        if project.stores:
            assert client.get(address).json()["price"] == "1.00"


@pytest.mark.only_where(base_image=("slim",), database=("none",), redis=("queue",))
def test_stop_waits_for_a_job(production: Stack) -> None:
    """A job that takes longer than Docker's own ten seconds is finished before its worker stops."""
    long = """
import os
from app import jobs
queue = jobs.connect(os.environ["REDIS_URL"])
print(queue.enqueue("time.sleep", 13).id)
"""
    job = production.execute("python", "-c", long, service="worker").strip()
    with production.client() as client:
        wait_for(lambda: client.get(f"/reports/{job}").json()["status"] == "started")
        production.compose("stop", "worker")
        assert client.get(f"/reports/{job}").json()["status"] == "finished"
    assert production.containers()["worker"]["State"]["ExitCode"] == 0
    production.compose("start", "worker")


@pytest.mark.only_where(redis=("queue",), database=("none",))
def test_stop_between_a_command_and_its_answer(production: Stack) -> None:
    """A worker that is told to stop when it has just asked Redis for a job ends in order, and soon."""
    told = """
import os, signal
from redis.connection import Connection
from app import worker
send = Connection.send_packed_command
def send_and_tell(self, command, **options):
    send(self, command, **options)
    if b"BLMOVE" in b"".join(command):
        os.kill(os.getpid(), signal.SIGTERM)
Connection.send_packed_command = send_and_tell
worker.main()
"""
    production.execute("timeout", "10", "python", "-c", told, service="worker")


@pytest.mark.only_where(base_image=("slim",), database=("postgresql",), redis=("none",))
def test_product_that_is_deleted_meanwhile(production: Stack) -> None:
    """Of two who change and delete the same product at once, nobody is told that the server has failed."""
    with production.client() as client, ThreadPoolExecutor(2) as pool:
        for _ in range(40):
            address = client.post("/products", json=PEN).headers["Location"]
            changed = pool.submit(client.put, address, json=PEN | {"price": "2.00"})
            deleted = pool.submit(client.delete, address)
            assert changed.result().status_code in (200, 404)
            assert deleted.result().status_code == 204


@pytest.mark.only_where(base_image=("slim",), database=("postgresql", "mariadb"), redis=("cache",))
def test_ready_while_the_database_hangs(production: Stack) -> None:
    """Who asks whether the service is ready is told in time which dependency is not, however often it is asked."""
    with production.client() as client, ThreadPoolExecutor(8) as pool:
        assert client.get("/ready").status_code == 200
        with production.paused("db"):
            address = client.base_url.join("/ready")
            # It takes two seconds; where all go to the same worker of Flask, four have to wait for its other threads.
            for ready in pool.map(lambda _: httpx.get(address, timeout=8, verify=TLS), range(24)):
                assert (ready.status_code, ready.json()["database"], ready.json()["redis"]) == (503, "down", "up")
        wait_for(lambda: client.get("/ready").status_code == 200)


@pytest.mark.sampled
@pytest.mark.only_where(framework=("fastapi",), database=("mariadb",), redis=("cache",))
def test_cached_product_waits_for_no_connection(production: Stack) -> None:
    """While every connection waits for a database that has stopped answering, what is cached is still served."""
    with production.client() as client, ThreadPoolExecutor(60) as pool:
        address = client.post("/products", json=PEN).headers["Location"]
        wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
        with production.paused("db"):
            # More than two workers have connections, whichever of them gets how many.
            catalogue = client.base_url.join("/products")
            waiting = [pool.submit(httpx.get, catalogue, timeout=20, verify=TLS) for _ in range(60)]
            assert not wait(waiting, timeout=1).done
            # Each on a connection of its own: any worker may answer it.
            for _ in range(8):
                hit = httpx.get(client.base_url.join(address), timeout=2, verify=TLS)
                assert hit.headers["X-Cache"] == "HIT"


def test_data_survives(project: Project, production: Stack) -> None:
    """What was written is there after a restart, and after the stack was taken down and started again."""
    kept: dict[str, object] = {}
    with production.client() as client:
        if project.stores:
            created = client.post("/products", json=PEN)
            kept[created.headers["Location"]] = created.json()
        if project.queues:
            address = client.post("/reports").headers["Location"]
            wait_for(lambda: client.get(address).json()["status"] == "finished")
            kept[address] = client.get(address).json()
    for steps in (["restart"], ["down", "up --detach --wait"]):
        for step in steps:
            production.compose(*step.split())
        with production.client() as client:
            wait_for(lambda: client.get("/ready").status_code == 200)
            for address, content in kept.items():
                assert client.get(address).json() == content, steps


def test_stops_at_once(production: Stack) -> None:
    """`docker compose stop` ends every container of ours by itself: none is left to be killed after three seconds."""
    mine = ours(production)
    production.compose("stop", "--timeout", "3", *mine)
    ended = production.containers()
    assert {name: ended[name]["State"]["ExitCode"] for name in mine} == dict.fromkeys(mine, 0)


def ours(stack: Stack) -> list[str]:
    """Return the services that run an image of ours."""
    return [name for name in stack.containers() if name in OURS]
