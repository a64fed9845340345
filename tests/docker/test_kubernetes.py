"""Kubernetes: the manifests of `k8s/production` run with Podman, and answer the contract.

There is no cluster here. Podman starts the Deployments and the migration from what kustomize makes of the manifests;
what only a cluster does (Services, rollouts, probes over HTTP, network policies) is not tested.
"""

import json
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.docker import test_contract as contract
from tests.docker.sandbox import Sandbox, require, run, sandbox
from tests.docker.stack import Project, Stack, wait_for

pytestmark = [
    pytest.mark.alone,
    pytest.mark.only_where(deploy=["kubernetes"], base_image=["slim", "alpine"]),
    pytest.mark.one_for_each("framework"),
]
# Podman's state is in these directories: the sandbox has its own.
SETUP = "for each in /run /dev/shm /var/lib/cni; do mount -t tmpfs tmpfs $each; done; while :; do sleep 60; done"
OVERLAY = """
resources:
  - ../production
images:
  - name: registry.example.com/{slug}
    newName: localhost/{slug}
replicas:
  - name: web
    count: 1
patches:
  - target:
      kind: Deployment
      name: web
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/ports/0/hostPort
        value: 8080
"""
# Podman 4.3 mounts a Secret as it is encoded: the pods get the directory of a file instead.
SECRETS = """
  - target:
      name: web|worker|migrate
      kind: Deployment|Job
    patch: |
      - op: replace
        path: /spec/template/spec/volumes/1
        value:
          name: secrets
          hostPath:
            path: {secrets}
"""


@dataclass(frozen=True)
class Pods(Stack):
    """The pods of a project, and the data services that they connect to."""

    machine: Sandbox

    def podman(self, *arguments: str, expect: int | None = 0) -> str:
        """Run podman with a storage of its own."""
        return self.machine.run(*podman(self.machine), *arguments, expect=expect)

    def execute(self, *command: str, service: str = "web", stdin: str | None = None) -> str:
        """Run a command in a container."""
        assert stdin is None
        return self.podman("exec", {"web": "web-pod-0-web"}.get(service, service), *command)

    def state(self, name: str) -> dict[str, Any]:
        """Return what Podman knows of a container."""
        state: dict[str, Any] = json.loads(self.podman("inspect", name))[0]["State"]
        return state

    def describe(self) -> str:
        """Return the state and the logs of the containers."""
        names = self.podman("ps", "--all", "--format", "{{.Names}}").split()
        return "\n".join((self.podman("ps", "--all"), *(self.podman("logs", "--tail", "20", name) for name in names)))

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Open a client of the web service."""
        with httpx.Client(base_url=f"http://{self.machine.address}:8080", timeout=10) as client:
            yield client


def podman(machine: Sandbox) -> tuple[str, ...]:
    """Return the command that runs podman in the sandbox."""
    directory = machine.directory
    paths = (option for name in ("root", "runroot", "tmpdir") for option in (f"--{name}", str(directory / name)))
    return "env", f"CONTAINERS_CONF={directory / 'containers.conf'}", "podman", *paths


def configuration(directory: Path) -> str:
    """Return a configuration of Podman that needs neither systemd nor rights to raise limits."""
    files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    limits = [f"{name}={most}:{most}" for name, most in (("nofile", files), ("nproc", processes)) if most > 0]
    return (
        f"[containers]\ndefault_ulimits = {json.dumps(limits)}\n"
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        f'[network]\nnetwork_config_dir = "{directory / "networks"}"\n'
    )


@pytest.fixture(scope="session")
def pods(project: Project, image: str) -> Iterator[Pods]:
    """Start the data services, migrate, and start the rest, as `make rollout` does."""
    require("podman", "kubectl", "runc")
    Path("/var/lib/cni").mkdir(parents=True, exist_ok=True)
    with sandbox("sh", "-c", SETUP) as machine:
        pods = Pods(project, "k8s", "k8s", machine)
        (machine.directory / "containers.conf").write_text(configuration(machine.directory), encoding="utf-8")
        data = [name for name in ("db", "redis") if name in project.services]
        stack = yaml.safe_load((project.directory / "compose.prod.yaml").read_text(encoding="utf-8"))["services"]
        load(machine, [image, *(stack[name]["image"] for name in data)])
        for name in data:
            start(pods, name, stack[name])
        manifests = render(pods)
        try:
            if project.has_database:
                migrate(pods, manifests)
            play(pods, "all", manifests)
            with pods.client() as client:
                wait_for(lambda: client.get("/ready").status_code == 200)
        except AssertionError:
            print(pods.describe())
            raise
        yield pods


def load(machine: Sandbox, images: list[str]) -> None:
    """Copy images from the engine that built them."""
    enter = ("nsenter", "--target", str(machine.pid), "--mount", "--net", "--pid")
    # With this registry in their names, Podman keeps the names as they are.
    names = [f"localhost/{image}" for image in images]
    for image, name in zip(images, names, strict=True):
        run("docker", "tag", image, name)
    try:
        with subprocess.Popen(("docker", "save", *names), stdout=subprocess.PIPE) as save:
            load = (*enter, *podman(machine), "load", "--quiet")
            done = subprocess.run(load, stdin=save.stdout, capture_output=True, check=False)
    finally:
        run("docker", "image", "rm", *names)
    assert (save.returncode, done.returncode) == (0, 0), done.stderr.decode()


def start(pods: Pods, name: str, service: dict[str, Any]) -> None:
    """Start a data service, with the settings that it has in Compose."""
    directory = pods.project.directory
    options = [f"--env={key}={value}" for key, value in service.get("environment", {}).items()]
    mounts = {directory / "secrets" / secret: f"/run/secrets/{secret}" for secret in service["secrets"]}
    mounts |= {directory / Path(config["target"]).name: config["target"] for config in service.get("configs", ())}
    options += [f"--volume={source}:{target}:ro" for source, target in mounts.items()]
    options += [f"--user={service['user']}"] if "user" in service else []
    # Compose has a second dollar for each that it passes on.
    command = [part.replace("$$", "$") for part in service.get("command", ())]
    image = f"localhost/{service['image']}"
    pods.podman("run", "--detach", "--network=host", f"--name={name}", *options, image, *command)


def render(pods: Pods) -> list[dict[str, Any]]:
    """Return the manifests of production, with addresses and an image that are here."""
    project, address = pods.project, pods.machine.address
    overlay = project.directory / "k8s" / "test"
    overlay.mkdir()
    text = OVERLAY.format(slug=project.slug)
    settings = []
    if project.has_database or project.has_redis:
        secrets = pods.machine.directory / "secrets"
        shutil.copytree(project.directory / "secrets", secrets)
        secrets.chmod(0o755)
        text += SECRETS.format(secrets=secrets)
        settings.append(f"DATABASE_URL={project.answers['database']}://app@{address}/app")
    if project.has_redis:
        settings.append(f"REDIS_URL=redis://app@{address}/0")
    if settings:
        generator = [{"name": "settings", "behavior": "merge", "literals": settings}]
        text += yaml.safe_dump({"configMapGenerator": generator})
    (overlay / "kustomization.yaml").write_text(f"namespace: {project.slug}\n{text}", encoding="utf-8")
    return list(yaml.safe_load_all(run("kubectl", "kustomize", str(overlay))))


def migrate(pods: Pods, manifests: list[dict[str, Any]]) -> None:
    """Run the migration: Podman 4.3 knows no Job, so its pod is started."""
    (job,) = (one for one in manifests if one["kind"] == "Job")
    template = job["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], "name": "migrate"}}

    def migrated() -> bool:
        """Run the migration, and say whether it succeeded: the database may still be starting."""
        play(pods, "migrate", [*(one for one in manifests if one["kind"] == "ConfigMap"), pod])
        wait_for(lambda: pods.state("migrate-migrate")["Status"] == "exited")
        return bool(pods.state("migrate-migrate")["ExitCode"] == 0)

    wait_for(migrated)


def play(pods: Pods, name: str, manifests: list[dict[str, Any]]) -> None:
    """Let Podman start what it knows of the manifests."""
    file = pods.machine.directory / f"{name}.yaml"
    file.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    pods.podman("kube", "play", "--replace", "--network", "podman", str(file))


def test_contract(project: Project, pods: Pods) -> None:
    """The service answers what it answers in Compose, and its worker works."""
    contract.test_health(project, pods)
    contract.test_description(project, pods)
    contract.test_head(project, pods)
    contract.test_errors_have_one_shape(project, pods)
    if project.stores:
        contract.test_catalogue(pods)
    if project.queues:
        contract.test_report(project, pods)


def test_restricted(project: Project, pods: Pods) -> None:
    """Each process of the pods has a numeric user, no capability and no way to more, and can't write but to /tmp."""
    for name in ["web-pod-0-web", *["worker-pod-0-worker"] * project.queues]:
        status = pods.machine.run("cat", f"/proc/{pods.state(name)['Pid']}/status")
        assert re.search(r"^Uid:\t10001\t10001\t", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        pods.podman("exec", name, "touch", "/tmp/probe")  # noqa: S108 # in the container
        assert "Read-only" in pods.podman("exec", name, "touch", "/app/probe", expect=1)


def test_stops_by_itself(project: Project, pods: Pods) -> None:
    """SIGTERM, which Kubernetes sends, ends the service and the worker by themselves."""
    for name in ["web-pod-0-web", *["worker-pod-0-worker"] * project.queues]:
        pods.podman("stop", "--time", "30", name)
        assert pods.state(name)["ExitCode"] == 0, name
    if project.queues:
        # While it waits for Redis it has no handler yet: a signal ends what is not PID 1, and is lost on what is.
        pods.podman("stop", "redis")
        pods.podman("start", "worker-pod-0-worker")
        wait_for(lambda: "waiting for Redis" in pods.podman("logs", "--tail", "1", "worker-pod-0-worker"))
        pods.podman("stop", "--time", "30", "worker-pod-0-worker")
        assert pods.state("worker-pod-0-worker")["ExitCode"] == 128 + signal.SIGTERM
