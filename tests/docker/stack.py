"""A generated project and its stacks of containers, driven as a user drives them."""

import contextlib
import json
import os
import random
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pytest_docker.plugin import get_docker_services

# Services that come from the project's own images; the others are the database and Redis.
OURS = ("web", "worker", "migrate")
# What lies around in a checkout, in its root and among the source, and never reaches an image.
PLANTED = (
    *(".git/config", ".env", ".env.local", ".env.production", "id_rsa", "dev.sqlite3", ".venv/pyvenv.cfg"),
    *("app/.env", "app/.env.local", "app/dev.sqlite3", "app/local.db"),
    *("app/__pycache__/main.cpython-314.pyc", "tests/id_rsa"),
)
REDIS_CLI = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli --raw --user app "$@"'
SECRET = "never-in-an-image"  # noqa: S105 # what the tests look for
# Shared, because each client would otherwise load the CA certificates: twenty times as long as a request.
TLS = httpx.create_ssl_context()


@dataclass(frozen=True)
class Project:
    """A generated project on disk, and the answers that it was made from."""

    directory: Path
    answers: Mapping[str, str]
    port: int = 0  # of the host, where its web service is published

    @property
    def slug(self) -> str:
        """The name that its images and stacks begin with."""
        return self.directory.name

    @property
    def has_database(self) -> bool:
        """Whether there is a database, and so there are migrations."""
        return self.answers["database"] != "none"

    @property
    def has_products(self) -> bool:
        """Whether it starts with the sample."""
        return self.answers["sample"] == "products"

    @property
    def has_redis(self) -> bool:
        """Whether there is a Redis."""
        return self.answers["redis"] != "none"

    @property
    def stores(self) -> bool:
        """Whether products can be written."""
        return self.has_products and self.has_database

    @property
    def queues(self) -> bool:
        """Whether a worker makes reports."""
        return "queue" in self.answers["redis"]

    @property
    def needs_secrets(self) -> bool:
        """Whether production has passwords."""
        return self.has_server or self.has_redis

    @property
    def has_server(self) -> bool:
        """Whether the database is a service of its own."""
        return self.answers["database"] in ("postgresql", "mariadb")

    @property
    def services(self) -> dict[str, str]:
        """The state that each service is in once a stack has started."""
        states = {"web": "healthy"}
        if self.has_database:
            states["migrate"] = "exited"
        if self.has_server:
            states["db"] = "healthy"
        if self.has_redis:
            states["redis"] = "healthy"
        if self.queues:
            states["worker"] = "healthy"
        return states

    @property
    def production_services(self) -> dict[str, str]:
        """The state that each service of production is in once it has started."""
        return self.services | ({"proxy": "healthy"} if self.answers["proxy"] != "none" else {})

    @property
    def production_image(self) -> str:
        """The tag that the production stack builds and runs."""
        return f"{self.slug}:0.1.0"

    def run(self, *command: str, stdin: str | None = None, expect: int | None = 0) -> str:
        """Run a command in the project and return all that it printed; AssertionError where it ends otherwise."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**os.environ, "BUILDKIT_PROGRESS": "plain"},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        if expect is not None and done.returncode != expect:
            message = f"{' '.join(command)} ended with {done.returncode}, not {expect}:\n{done.stdout[-8000:]}"
            raise AssertionError(message)
        return done.stdout

    def litter(self) -> None:
        """Leave in the checkout what a developer has lying around."""
        for name in PLANTED:
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"KEY={SECRET}\n")

    def remove_images(self) -> None:
        """Remove every image that was built, also those that a later build has taken the tag from."""
        filters = [f"reference={self.slug}"]
        filters += [f"label=com.docker.compose.project={name}" for name in (self.slug, f"{self.slug}-prod")]
        for one in filters:
            images = set(self.run("docker", "images", "--quiet", "--filter", one).split())
            if images:
                self.run("docker", "rmi", "--force", *images)

    def type(self, line: str) -> str:
        """Run a command as it stands in a book."""
        return self.run(*shlex.split(line))

    def build(self, target: str = "production", *, tag: str | None = None) -> str:
        """Build an image as `docker build` does, and return the log of its steps."""
        return self.run("docker", "build", "--target", target, "--tag", tag or f"{self.slug}:check", ".")


@dataclass(frozen=True)
class Stack:
    """The services of one compose file of a project."""

    project: Project
    file: str
    name: str

    def compose(self, *arguments: str, stdin: str | None = None, expect: int | None = 0) -> str:
        """Run `docker compose` on this stack."""
        command = ("docker", "compose", "--file", self.file, "--project-name", self.name, *arguments)
        return self.project.run(*command, stdin=stdin, expect=expect)

    def execute(self, *command: str, service: str = "web", stdin: str | None = None) -> str:
        """Run a command in a running service."""
        return self.compose("exec", "--no-TTY", service, *command, stdin=stdin)

    def job_status(self, job: str) -> str:
        """Return the status of a job, as RQ keeps it in Redis."""
        return self.redis("hget", f"rq:job:{job}", "status").strip()

    def redis(self, *arguments: str) -> str:
        """Run `redis-cli` in production, with the account of the service."""
        return self.execute("sh", "-c", REDIS_CLI, "sh", *arguments, service="redis")

    def describe(self) -> str:
        """Return the state of every service, and the end of its log."""
        logs = (self.compose("logs", "--no-color", "--tail", "40", name, expect=None) for name in self.project.services)
        return "\n".join((self.compose("ps", "--all", expect=None), *(log[-8000:] for log in logs)))

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine knows of each service's container."""
        mine = f"label=com.docker.compose.project={self.name}"
        ids = self.project.run("docker", "ps", "--all", "--quiet", "--filter", mine).split()
        found = json.loads(self.project.run("docker", "inspect", *ids))
        return {container["Config"]["Labels"]["com.docker.compose.service"]: container for container in found}

    @contextlib.contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Freeze a service, as if its machine had stopped answering."""

        def frozen() -> bool:
            """Freeze the service, and say whether it is."""
            # With version 1 of cgroups runc fails at this now and then, and leaves it to who called to try again.
            self.compose("pause", service, expect=None)
            return bool(self.containers()[service]["State"]["Paused"])

        wait_for(frozen, seconds=20)
        try:
            yield
        finally:
            self.compose("unpause", service)

    @contextlib.contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Open a client of the web service."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.project.port}", timeout=10, verify=TLS) as client:
            yield client


@contextlib.contextmanager
def running(project: Project, file: str, name: str, start: str) -> Iterator[Stack]:
    """Start a stack, and leave nothing of it behind, whatever happens."""
    stack = Stack(project, file, name)
    remove = "down --volumes --remove-orphans --timeout 1"
    services = get_docker_services("docker compose", str(project.directory / file), name, [start], [remove])
    with contextlib.ExitStack() as stay:
        try:
            stay.enter_context(services)
        except Exception as error:  # noqa: BLE001 # what pytest-docker raises
            description = stack.describe()
            # pytest-docker takes a stack down only if it came up.
            stack.compose(*remove.split(), expect=None)
            message = f"{file} of {project.slug} did not start: {error}\n{description}"
            raise AssertionError(message) from None
        yield stack


def remove_leftovers(name: str) -> None:
    """Remove whatever the engine has under names that this is a part of."""
    for kind, filtered, remove in (
        ("container ls --all", "name={}", "container rm --force --volumes"),
        ("network ls", "name={}", "network rm"),
        ("volume ls", "name={}", "volume rm"),
        ("image ls", "reference=*{}*", "image rm --force"),
    ):
        find = ("docker", *kind.split(), "--quiet", "--filter", filtered.format(name))
        found = set(subprocess.run(find, capture_output=True, text=True, check=False).stdout.split())
        if found:
            subprocess.run(("docker", *remove.split(), *found), capture_output=True, check=False)


def free_port() -> int:
    """Return a port of the host that nobody listens on, and that neither the system nor another worker gives away."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + worker % 12 * 1_000
    while True:
        port = random.randrange(first, first + 1_000)  # noqa: S311 # to be apart from other runs', not to be secret
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def wait_for(condition: Callable[[], object], seconds: float = 60) -> float:
    """Wait until a condition holds, and return for how many seconds; AssertionError where it never does."""
    start = time.monotonic()
    pause = 0.05
    while time.monotonic() - start < seconds:
        with contextlib.suppress(httpx.TransportError):
            if condition():
                return time.monotonic() - start
        time.sleep(pause)
        pause = min(1.1 * pause, 1)
    message = f"{condition.__doc__ or condition} did not hold within {seconds} seconds"
    raise AssertionError(message)
