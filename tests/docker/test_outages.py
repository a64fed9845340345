"""Failures that take long: a full disk, a load of a minute, many replicas, a reboot. With `--long` only."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from tests.docker.load import load
from tests.docker.sandbox import Sandbox, require, run, sandbox
from tests.docker.stack import Project, Stack, free_port, running, wait_for
from tests.docker.test_failures import PEN, Record, assert_unavailable, each_framework, served, upload, writing

# What a volume holds until it is full, in MB
SIZES = {"data": 8, "database": 400, "redis": 48}


@pytest.fixture
def small(project: Project, image: str, tmp_path: Path) -> Iterator[Stack]:
    """Start production on volumes that are soon full."""
    assert image
    copy = replace(project, directory=tmp_path / f"{project.slug}-small", port=free_port())
    shutil.copytree(project.directory, copy.directory)
    file = copy.directory / "compose.prod.yaml"
    head, _, volumes = file.read_text(encoding="utf-8").partition("\nvolumes:\n")
    for name, size in SIZES.items():
        options = f"{{type: tmpfs, device: tmpfs, o: 'size={size}m,mode=1777'}}"
        volumes = volumes.replace(f"  {name}:\n", f"  {name}:\n    driver_opts: {options}\n")
    file.write_text(f"{head}\nvolumes:\n{volumes}", encoding="utf-8")
    settings = f"PORT={copy.port}\nIMAGE={project.slug}\n"
    (copy.directory / ".env").write_text(settings, encoding="utf-8")
    with running(copy, "compose.prod.yaml", f"{copy.slug}-prod", "up --detach --wait") as stack:
        yield stack


def fill(stack: Stack, service: str, directory: str) -> None:
    """Fill a volume to its last byte."""
    said = stack.compose(
        *("exec", "--no-TTY", service, "dd", "if=/dev/zero", f"of={directory}/fill", "bs=4k"), expect=None
    )
    assert "No space left" in said, said


@pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"], proxy=["none"])
@pytest.mark.one_for_each("framework", "database")
def test_disk_of_the_database_is_full(project: Project, small: Stack, record_property: Record) -> None:
    """Writes get a 503 while reads go on; when there is room again, so do writes, and nothing is lost."""
    service, directory = {
        "sqlite": ("web", "/data"),
        "postgresql": ("db", "/var/lib/postgresql"),
        "mariadb": ("db", "/var/lib/mysql"),
    }[project.answers["database"]]
    body = PEN | {"description": "x" * 2_000}
    with small.client() as client:
        written = [client.post("/products", json=body).headers["Location"] for _ in range(20)]
        fill(small, service, directory)
        refused = 0
        while refused < 5 and len(written) < 20_000:
            response = client.post("/products", json=body)
            if response.status_code == 201:
                written.append(response.headers["Location"])
            else:
                assert_unavailable(response)
                refused += 1
        assert refused == 5, "the disk was never full"
        assert client.get("/health").status_code == 200
        small.execute("rm", f"{directory}/fill", service=service)
        wait_for(lambda: client.post("/products", json=body).status_code == 201, seconds=180)
        lost = [one for one in written if client.get(one).status_code != 200]
    record_property("requests", f"{len(written)} written, {refused} refused, {len(lost)} lost")
    assert lost == []


@pytest.mark.only_where(redis=["queue", "cache-and-queue"], proxy=["none"])
@each_framework
def test_disk_of_redis_is_full(small: Stack, record_property: Record) -> None:
    """Reports get a 503, and the worker waits; when there is room again, all that were accepted are made."""
    with small.client() as client:
        accepted = [client.post("/reports").headers["Location"] for _ in range(5)]
        fill(small, "redis", "/data")
        wait_for(lambda: client.post("/reports").status_code == 503, seconds=120)
        assert_unavailable(client.post("/reports"))
        time.sleep(20)
        assert client.get("/health").status_code == 200
        small.execute("rm", "/data/fill", service="redis")
        wait_for(lambda: client.post("/reports").status_code == 202, seconds=180)
        accepted.append(client.post("/reports").headers["Location"])
        wait_for(
            lambda: {client.get(address).json()["status"] for address in accepted} == {"finished"},
            seconds=120,
        )
        record_property("requests", f"{len(accepted)} reports accepted, all made")
        # It may start again to wait, but not over and over.
        assert small.containers()["worker"]["RestartCount"] <= 2


@served
@each_framework
def test_enormous_bodies_for_long(production: Stack, record_property: Record) -> None:
    """While bodies of 200 MB are sent for 40 seconds, all others are served."""
    end = time.monotonic() + 40

    def send() -> None:
        while time.monotonic() < end:
            upload(production, chunked=False)

    with load(production.project.port, rate=10, writes=True) as requests, ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(send) for _ in range(4)]:
            one.result()
    record_property("requests", str(requests))
    assert requests.failed == []


@pytest.mark.only_where(proxy=["caddy"], database=["postgresql"])
@each_framework
@pytest.mark.parametrize(("replicas", "pool_size"), [(7, ""), (13, "2")])
def test_many_replicas(
    project: Project, production: Stack, record_property: Record, replicas: int, pool_size: str
) -> None:
    """Seven replicas have room in the database as it is, and thirteen with a smaller POOL_SIZE."""
    environment = project.directory / ".env"
    before = environment.read_text(encoding="utf-8")
    try:
        if pool_size:
            environment.write_text(f"{before}POOL_SIZE={pool_size}\n", encoding="utf-8")
        production.compose("up", "--detach", "--wait", "--no-deps", "--scale", f"web={replicas}", "web")
        with load(project.port, rate=50, writes=project.stores) as requests:
            time.sleep(20)
        record_property("requests", f"{replicas} replicas: {requests}")
        assert requests.failed == []
        assert "too many clients" not in production.compose("logs", "db")
    finally:
        environment.write_text(before, encoding="utf-8")
        production.compose("up", "--detach", "--wait", "--no-deps", "--scale", "web=1", "web")


# A machine that starts its engine again after a reboot; @ is the directory of the sandbox.
BOOT = (
    "echo {} >@/daemon.json; while true; do rm -f @/docker.pid; dockerd --config-file @/daemon.json"
    " --host unix://@/docker.sock --data-root @/data --exec-root @/exec --pidfile @/docker.pid; done"
)


@dataclass(frozen=True)
class Machine:
    """A host of production, with an engine of its own."""

    project: Project
    sandbox: Sandbox

    def docker(self, *arguments: str, expect: int | None = 0) -> str:
        """Run docker on it, in the directory of the project."""
        environment = {"DOCKER_HOST": f"unix://{self.sandbox.directory}/docker.sock", "ADDRESS": "0.0.0.0"}  # noqa: S104
        return run("docker", *arguments, expect=expect, cwd=self.project.directory, environment=environment)

    def copy(self, *images: str) -> None:
        """Copy images from the engine that built them."""
        with subprocess.Popen(("docker", "save", *images), stdout=subprocess.PIPE) as save:
            load = ("docker", "--host", f"unix://{self.sandbox.directory}/docker.sock", "load")
            subprocess.run(load, stdin=save.stdout, check=True, capture_output=True)

    def reboot(self) -> None:
        """Kill every process at once; the engine is started again."""
        self.sandbox.run("kill", "-9", "-1", expect=None)


@pytest.mark.only_where(
    sample=["products"], database=["postgresql", "mariadb"], redis=["queue", "cache-and-queue"], proxy=["none"]
)
@pytest.mark.one_for_each("framework", "database")
def test_reboot(project: Project, image: str, record_property: Record) -> None:
    """After a reboot everything comes back by itself, and nothing that was acknowledged is lost."""
    require("dockerd")
    with sandbox("sh", "-c", BOOT) as box:
        machine = Machine(project, box)
        wait_for(lambda: "Server Version" in machine.docker("info", expect=None))
        production = (project.directory / "compose.prod.yaml").read_text(encoding="utf-8")
        names = re.findall(r"^ +image: ([a-z]+:[\d.]+)$", production, re.MULTILINE)
        machine.copy(image, *names)
        machine.docker("compose", "--file", "compose.prod.yaml", "up", "--detach", "--wait", "--no-build")
        address = f"http://{box.address}:{project.port}"
        with httpx.Client(base_url=address, timeout=10) as client:
            with writing(client, "/products", PEN) as products, writing(client, "/reports", None, clients=1) as reports:
                wait_for(lambda: len(products.acknowledged) > 50)
                machine.reboot()
            wait_for(lambda: client.get("/ready").status_code == 200, seconds=180)
            lost = [one for one in products.acknowledged if client.get(one).status_code != 200]
            record_property("requests", f"products: {products}, {len(lost)} lost; reports: {reports}")
            assert lost == []
            wait_for(
                lambda: {client.get(one).json()["status"] for one in reports.acknowledged} == {"finished"}, seconds=180
            )
            client.post("/products", json=PEN).raise_for_status()
