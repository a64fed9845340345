"""Production: containers are confined, data survives, logs can be read by machines, and everything stops by itself."""

import json

import httpx
import pytest

from tests.docker.stack import OURS, TLS, Project, Stack, free_port, wait_for

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 2}
stored = pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"])
cached = pytest.mark.only_where(sample=["products"], redis=["cache", "cache-and-queue"])
# The end of a `create_app`, of either framework, that starts a thread and adds routes.
EDIT = """
    import os, threading, time
    app.count = 0

    def count():
        while True:
            app.count += 1
            time.sleep(0.01)

    threading.Thread(target=count, daemon=True).start()

    @app.get("/count")
    def get_count():
        return {"pid": os.getpid(), "count": app.count}

    @app.get("/bug")
    def fail():
        raise RuntimeError("made by a test")

    return app
"""


def test_containers_are_confined(production: Stack) -> None:
    """No container can gain privileges or write to its image; ours have no capability and do not run as root."""
    for name, container in production.containers().items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert all(host[limit] for limit in ("Memory", "NanoCpus", "PidsLimit")), name
        assert host["LogConfig"]["Config"]["max-size"], name
        assert all("size=" in options for options in host["Tmpfs"].values()), name
        if name in OURS:
            assert not host["CapAdd"], name
            assert container["Config"]["User"] == "10001:10001", name
            assert not any(mount["Type"] == "bind" and mount["RW"] for mount in container["Mounts"]), name
        elif name != "proxy":
            assert not any(container["NetworkSettings"]["Ports"].values()), name


def test_data_services_reach_nothing_outside(project: Project, production: Stack) -> None:
    """The network of the database and of Redis leads nowhere else."""
    for name in {"db", "redis"} & set(production.containers()):
        (network,) = production.containers()[name]["NetworkSettings"]["Networks"]
        assert json.loads(project.run("docker", "network", "inspect", network))[0]["Internal"], name


def test_logs_are_json(production: Stack) -> None:
    """Every line of ours is a JSON object, and a request's line carries the id that the client gave it."""
    with production.client() as client:
        assert client.get("/nowhere", headers={"X-Request-ID": "probe-1"}).headers["X-Request-ID"] == "probe-1"
        client.get("/health", headers={"X-Request-ID": "probe-2"})
    containers = production.containers()

    def lines() -> list[str]:
        ours = [name for name in containers if name in OURS and name != "worker"]
        text = production.compose("logs", "--no-color", "--no-log-prefix", *ours)
        if "worker" in containers:
            # Without its stderr: where Redis goes away, RQ's scheduler process dies, and Python prints its traceback.
            text += production.project.run("sh", "-c", f"docker logs {containers['worker']['Id']} 2>/dev/null")
        # A migration that could not connect ended with a sentence; another test had it so.
        return [line for line in text.splitlines() if not line.startswith("database: ")]

    wait_for(lambda: any("probe-1" in line for line in lines()))
    assert [line for line in lines() if not line.startswith("{")] == []
    (line,) = [line for line in map(json.loads, lines()) if line["request_id"] == "probe-1"]
    assert line.items() >= {"method": "GET", "path": "/nowhere", "status": 404}.items()
    assert line.keys() >= {"time", "level", "logger", "message", "duration_ms", "client"}
    assert "probe-2" not in production.compose("logs", "web")


@pytest.mark.one_for_each("framework", "database")
def test_any_user_serves(project: Project, image: str, production: Stack) -> None:
    """The image serves as whatever user a platform chooses, on a read-only root and without any capability."""
    web = production.containers()["web"]
    settings = [part for setting in web["Config"]["Env"] for part in ("--env", setting)]
    networks = [part for name in web["NetworkSettings"]["Networks"] for part in ("--network", name)][:2]
    networks = ["--network", f"{production.name}_data"] if project.needs_secrets else networks
    secrets = [one for one in web["Mounts"] if one["Destination"].startswith("/run/secrets/")]
    mounts = [part for one in secrets for part in ("--volume", f"{one['Source']}:{one['Destination']}:ro")]
    mounts += ["--tmpfs", "/data:mode=1777"] if project.answers["database"] == "sqlite" else []
    confined = ("--user", "123456:0", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 # of a container
    name = f"{project.slug}-user"
    project.run("docker", "run", "--detach", "--name", name, *confined, *settings, *networks, *mounts, image)
    state = ("docker", "inspect", "--format", "{{.State.Health.Status}}", name)
    try:
        wait_for(lambda: project.run(*state) == "healthy\n")
    finally:
        log = project.run("docker", "logs", name)
        project.run("docker", "rm", "--force", name)
    assert "Traceback" not in log


@cached
def test_cached_product_expires(project: Project, production: Stack) -> None:
    """Whatever happens, nothing stays in the cache for longer than CACHE_SECONDS, by default a minute."""
    with production.client() as client:
        address = client.post("/products", json=PEN).headers["Location"] if project.stores else "/products/1"
        wait_for(lambda: client.get(address).headers["X-Cache"] == "HIT")
    keys = production.redis("--scan").split()
    mine = [key for key in keys if not key.startswith("rq:")]
    assert mine
    for key in mine:
        # An entry may have expired since: -2
        ttl = int(production.redis("ttl", key))
        assert ttl in range(-2, 61), key
        assert ttl != -1, key


@pytest.mark.one_for_each("framework", "database")
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


@pytest.mark.one_for_each("framework")
@pytest.mark.only_where(database=["sqlite", "none"], redis=["none"])
def test_code_of_the_owner(project: Project, image: str) -> None:
    """A thread that `create_app` starts is alive in each worker process, because each creates its own application.

    An exception in a route is in the log, under the id that its answer has.
    """
    main = (project.directory / "app" / "main.py").read_text(encoding="utf-8")
    edited = project.directory.parent / "main.py"
    edited.write_text(main.replace("\n    return app\n", EDIT), encoding="utf-8")
    name, port = f"{project.slug}-thread", free_port()
    options = ("--env", "WORKERS=2", "--publish", f"127.0.0.1:{port}:{project.answers['port']}")
    mount = ("--volume", f"{edited}:/app/app/main.py:ro")
    project.run("docker", "run", "--detach", "--name", name, *options, *mount, image)
    counts: dict[int, set[int]] = {}

    def all_count() -> bool:
        """Ask one of the workers, and say whether the counters of two have moved."""
        answer = httpx.get(f"http://127.0.0.1:{port}/count", verify=TLS).json()
        counts.setdefault(answer["pid"], set()).add(answer["count"])
        return len(counts) == 2 and all(len(seen) > 1 for seen in counts.values())

    def traceback() -> bool:
        """Say whether the exception is in the log, in the line of its request."""
        lines = project.run("docker", "logs", name).splitlines()
        return any('"bug-1"' in line and "RuntimeError: made by a test" in line for line in lines)

    try:
        wait_for(all_count)
        answer = httpx.get(f"http://127.0.0.1:{port}/bug", headers={"X-Request-ID": "bug-1"}, verify=TLS)
        assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "bug-1")
        wait_for(traceback, seconds=20)
    finally:
        project.run("docker", "rm", "--force", name)
