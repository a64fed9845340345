"""Docker Swarm: `docker stack deploy` of stack.yaml on a swarm of one machine, and updates under load.

The swarm runs on an engine of its own in a sandbox. Requests come through a Caddy beside the stack, as a kernel without
IPVS has no routing mesh: it finds the containers as the mesh does, and sends each request over a new connection.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from dockwright.template import load as load_template
from tests.docker.load import load
from tests.docker.sandbox import Sandbox, require, run, sandbox
from tests.docker.stack import Project, wait_for
from tests.docker.test_deploy import MIGRATION
from tests.docker.test_failures import PEN, Record, writing

# One cell, with all that a stack can have: a swarm takes a minute.
pytestmark = [
    pytest.mark.alone,
    pytest.mark.only_where(deploy=["swarm"], database=["postgresql", "mariadb"], redis=["queue", "cache-and-queue"]),
    pytest.mark.one_for_each("deploy"),
]
RATE = 100  # requests a second
long = pytest.mark.skipif("not config.getoption('--long')", reason="takes a minute: with --long")
FRONT = """
:80 {{
    reverse_proxy {{
        dynamic a tasks.web {port} {{
            refresh 1s
        }}
        lb_try_duration 5s
        transport http {{
            keepalive off
        }}
    }}
}}
"""
# An engine that shares nothing with the one of this machine: @ is the directory of the sandbox.
DOCKERD = (
    "echo {} >@/daemon.json && exec dockerd --config-file @/daemon.json --host unix://@/docker.sock"
    " --data-root @/data --exec-root @/exec --pidfile @/docker.pid"
)


@dataclass(frozen=True)
class Swarm:
    """The stack of a project on a swarm of one machine."""

    project: Project
    machine: Sandbox

    @property
    def context(self) -> Path:
        """The directory that images are built from."""
        return self.machine.directory / "context"

    def docker(self, *arguments: str, expect: int | None = 0, **environment: str) -> str:
        """Run docker on the engine of the swarm, in the directory of the project."""
        host = f"unix://{self.machine.directory}/docker.sock"
        environment["DOCKER_HOST"] = host
        return run("docker", *arguments, expect=expect, cwd=self.project.directory, environment=environment)

    def shell(self, commands: str) -> str:
        """Run commands of a document."""
        environment = {"DOCKER_HOST": f"unix://{self.machine.directory}/docker.sock"}
        shell = ("bash", "-euo", "pipefail", "-c", commands)
        return run(*shell, cwd=self.project.directory, environment=environment, seconds=600)

    def deploy(self, tag: str) -> None:
        """Deploy a version, as the README says."""
        self.docker("stack", "deploy", "--compose-file", "stack.yaml", "--detach=true", self.project.slug, TAG=tag)

    def update(self, tag: str) -> str:
        """Deploy a version over another, wait for the end of the update, and return its state."""
        before = self.service("web")["Version"]["Index"]
        self.deploy(tag)

        def state() -> str:
            service = self.service("web")
            return service.get("UpdateStatus", {}).get("State", "") if service["Version"]["Index"] > before else ""

        wait_for(lambda: state() in ("completed", "rollback_completed", "paused"), seconds=240)
        return state()

    def service(self, name: str) -> dict[str, Any]:
        """Return what the swarm knows of a service."""
        service: dict[str, Any] = json.loads(self.docker("service", "inspect", f"{self.project.slug}_{name}"))[0]
        return service

    def replicas(self) -> dict[str, str]:
        """Return for each service how many of its containers run, and should."""
        lines = self.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").splitlines()
        return {
            name.removeprefix(f"{self.project.slug}_"): replicas
            for name, _, replicas in (line.partition(" ") for line in lines)
        }

    def containers(self, service: str) -> list[str]:
        """Return the ids of the healthy containers of a service."""
        name = f"label=com.docker.swarm.service.name={self.project.slug}_{service}"
        return self.docker("ps", "--quiet", "--filter", name, "--filter", "health=healthy").split()

    def derive(self, tag: str, *lines: str) -> None:
        """Build a version of the image with more instructions, on the engine of the swarm."""
        self.context.mkdir(exist_ok=True)
        dockerfile = "\n".join((f"FROM {self.project.production_image}", *lines))
        (self.context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        self.docker("build", "--quiet", "--tag", f"{self.project.slug}:{tag}", str(self.context))

    def client(self) -> httpx.Client:
        """Return a client of the web service."""
        return httpx.Client(base_url=f"http://{self.machine.address}:8080", timeout=10)

    def version(self) -> str:
        """Return the version that answers."""
        with self.client() as client:
            version: str = client.get("/").json()["version"]
            return version


@pytest.fixture(scope="session")
def swarm(project: Project, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """Deploy the first version, on a swarm that is made for it."""
    require("dockerd")
    if project.answers["deploy"] != "swarm":
        # The answer changes no image: what else it changes is written beside it.
        answers = {**project.answers, "deploy": "swarm"}
        directory = load_template().render(answers, tmp_path_factory.mktemp("swarm"))
        project = replace(project, directory=directory, answers=answers)
        project.run("make", "secrets")
    with sandbox("sh", "-c", DOCKERD) as machine:
        swarm = Swarm(project, machine)
        wait_for(lambda: "Server Version" in swarm.docker("info", expect=None))
        images = [image, *re.findall(r"^ +image: ([a-z]+:[\d.]+)$", stack_file(project), re.MULTILINE), "caddy:2.11"]
        copy(images, f"unix://{machine.directory}/docker.sock")
        swarm.docker("swarm", "init", "--advertise-addr", machine.address)
        node = swarm.docker("info", "--format", "{{.Swarm.NodeID}}").strip()
        swarm.docker("node", "update", "--label-add", "data=true", node)
        swarm.deploy("0.1.0")
        front = machine.directory / "Caddyfile"
        front.write_text(FRONT.format(port=project.answers["port"]))
        swarm.docker("config", "create", "front", str(front))
        swarm.docker(
            *(
                "service",
                "create",
                "--detach",
                "--name",
                "front",
                "--network",
                f"{project.slug}_default",
                "--no-resolve-image",
            ),
            *("--config", "source=front,target=/etc/caddy/Caddyfile"),
            *("--publish", "mode=host,target=80,published=8080", "caddy:2.11"),
        )
        try:
            with swarm.client() as client:
                wait_for(lambda: client.get("/ready").status_code == 200, seconds=240)
        except AssertionError:
            print(swarm.docker("stack", "ps", "--no-trunc", project.slug, expect=None))
            print(swarm.docker("service", "logs", "--tail", "30", f"{project.slug}_web", expect=None))
            print(swarm.docker("service", "logs", "--tail", "30", "front", expect=None))
            raise
        yield swarm


def copy(images: list[str], host: str) -> None:
    """Copy images from the engine that built them to another one."""
    with subprocess.Popen(("docker", "save", *images), stdout=subprocess.PIPE) as save:
        done = subprocess.run(("docker", "--host", host, "load"), stdin=save.stdout, capture_output=True, check=False)
    assert (save.returncode, done.returncode) == (0, 0), done.stderr.decode()


def stack_file(project: Project) -> str:
    """Return the text of the stack file."""
    return (project.directory / "stack.yaml").read_text(encoding="utf-8")


def test_stack_is_complete(project: Project, swarm: Swarm) -> None:
    """Each service runs, hardened: Swarm has kept what its file says."""
    expected = {"web": "2/2", "worker": "1/1", "db": "1/1", "redis": "1/1"}
    expected = {name: count for name, count in expected.items() if name in {*project.services}}
    wait_for(lambda: swarm.replicas().items() >= expected.items(), seconds=120)
    if project.has_database:
        wait_for(lambda: "1/1 completed" in swarm.replicas()["migrate"])
    for name in expected:
        spec = swarm.service(name)["Spec"]["TaskTemplate"]
        container, limits = spec["ContainerSpec"], spec["Resources"]["Limits"]
        assert container["ReadOnly"] is True
        assert container["CapabilityDrop"] == ["ALL"]
        assert limits.keys() == {"NanoCPUs", "MemoryBytes", "Pids"}
        (one, *_) = swarm.containers(name)
        mounts = swarm.docker("exec", one, "cat", "/proc/mounts")
        assert re.search(r" / overlay ro,", mounts)
        if name in ("web", "worker"):
            assert re.search(r" /tmp tmpfs .*size=65536k", mounts)
    if project.queues:
        with swarm.client() as client:
            address = client.post("/reports").headers["Location"]
            wait_for(lambda: client.get(address).json()["status"] == "finished")


def test_update_drops_nothing(project: Project, swarm: Swarm, record_property: Record) -> None:
    """No request fails while a version, with a migration where there are any, replaces another."""
    lines = ["ENV VERSION=0.2.0"]
    if project.has_database:
        (web, *_) = swarm.containers("web")
        heads = swarm.docker("exec", web, "alembic", "heads").split()
        migration = MIGRATION.format(revision="swarm", previous=next(iter(heads), None), statement="SELECT 1")
        swarm.context.mkdir()
        (swarm.context / "swarm.py").write_text(migration, encoding="utf-8")
        lines.append("COPY swarm.py /app/migrations/versions/")
    swarm.derive("0.2.0", *lines)
    with load(8080, host=swarm.machine.address, rate=RATE, writes=False) as requests:
        time.sleep(1)
        assert swarm.update("0.2.0") == "completed"
        time.sleep(1)
    record_property("requests", f"update: {requests}")
    assert requests.failed == []
    assert requests.sent >= 5 * RATE
    assert swarm.version() == "0.2.0"
    if project.has_database:
        (web, *_) = swarm.containers("web")
        assert "swarm (head)" in swarm.docker("exec", web, "alembic", "current")


def test_broken_version_is_rolled_back(swarm: Swarm, record_property: Record) -> None:
    """A version that doesn't start is replaced by the one before, by itself, and no request fails."""
    swarm.derive("0.3.0", "ENV VERSION=0.3.0", "USER 0", 'RUN echo "import missing_module" >app/serve.py', "USER 10001")
    before = swarm.version()
    with load(8080, host=swarm.machine.address, rate=RATE, writes=False) as requests:
        time.sleep(1)
        assert swarm.update("0.3.0") == "rollback_completed"
        time.sleep(1)
    record_property("requests", f"update to a broken version, rolled back: {requests}")
    assert requests.failed == []
    assert swarm.version() == before
    wait_for(lambda: swarm.replicas()["web"] == "2/2")


@long
def test_passwords_are_changed(swarm: Swarm, record_property: Record) -> None:
    """The commands of the README give the stack new passwords; data and jobs are kept, and the service goes on."""
    change_passwords(swarm, record_property)


@long
@pytest.mark.only_where(
    framework=["fastapi"],
    database=["postgresql"],
    redis=["cache-and-queue"],
    sample=["products"],
    deploy=["compose"],
    proxy=["none"],
)
def test_passwords_are_changed_with_postgresql(swarm: Swarm, record_property: Record) -> None:
    """Those for PostgreSQL do, too."""
    change_passwords(swarm, record_property)


def change_passwords(swarm: Swarm, record_property: Record) -> None:
    """Change the passwords of a stack under load, and see what becomes of requests and jobs."""
    directory = swarm.project.directory
    page = (directory / "README.md").read_text(encoding="utf-8").partition("### On Docker Swarm")[2]
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (commands,) = [block for block in blocks if "rm secrets" in block]
    before = {file.name: file.read_text(encoding="utf-8") for file in (directory / "secrets").iterdir()}
    commands = commands.replace("TAG=0.1.0", f"TAG={swarm.version()}")
    with (
        swarm.client() as client,
        load(8080, host=swarm.machine.address, rate=20, writes=False) as requests,
        writing(client, "/products", PEN) as writes,
    ):
        report = client.post("/reports").headers["Location"]
        print(swarm.shell(commands))
        after = {file.name: file.read_text(encoding="utf-8") for file in (directory / "secrets").iterdir()}
        assert after.keys() == before.keys()
        assert not set(after.values()) & set(before.values())

        def changed() -> bool:
            """Each container of the service has the new passwords."""
            # One that is being replaced may stop meanwhile.
            read = ("cat", "/run/secrets/database_password")
            mounted = [swarm.docker("exec", one, *read, expect=None) for one in swarm.containers("web")]
            return mounted == [after["database_password"]] * 2

        wait_for(changed, seconds=240)
        wait_for(lambda: client.get("/ready").status_code == 200)
        wait_for(lambda: swarm.replicas()["worker"] == "1/1", seconds=120)
        assert client.get(report).json()["status"] == "finished"
        address = client.post("/reports").headers["Location"]
        wait_for(lambda: client.get(address).json()["status"] == "finished")
    names = swarm.docker("secret", "ls", "--format", "{{.Name}}").split()
    old = [name for name in names if name.endswith("_password_1")]
    assert len(old) == len(before)
    swarm.docker("secret", "rm", *old)
    with swarm.client() as client:
        lost = [one for one in writes.acknowledged if client.get(one).status_code != 200]
    record_property("requests", f"/health: {requests}; products: {writes}, {len(lost)} lost")
    assert (requests.failed, writes.broken, lost) == ([], 0, [])
    assert {response.status_code for response in writes.refused} <= {503}


def test_killed_replica_is_replaced(swarm: Swarm, record_property: Record) -> None:
    """Another replica takes the place of one that is killed; no more fails than what it was answering."""
    before = swarm.containers("web")
    with load(8080, host=swarm.machine.address, rate=RATE, writes=False) as requests:
        time.sleep(1)
        pid = swarm.docker("inspect", "--format", "{{.State.Pid}}", before[0]).strip()
        swarm.machine.run("kill", "-9", pid)
        wait_for(lambda: len({*swarm.containers("web")} - {before[0]}) == 2, seconds=120)
    record_property("requests", str(requests))
    assert len(requests.failed) <= 3, requests.failed
