"""stack.yaml, for Docker Swarm, matches the answers and the file for Compose, and follows good practice."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockwright.matrix import combination_id, sample
from tests.render.conftest import Complaints

CELLS = [cell for cell in sample() if cell["deploy"] == "swarm"]
# What Swarm ignores, or has in another form
REWORDED = {
    *("build", "depends_on", "network_mode", "ports", "pull_policy", "restart", "security_opt"),
    *("deploy", "shm_size", "tmpfs", "volumes"),
}
# What makes a service wait, as Swarm knows no order
WAITS = {"web": {"entrypoint", "command", "healthcheck"}, "worker": {"entrypoint"}, "migrate": {"command"}}
pytestmark = pytest.mark.parametrize("answers", CELLS, ids=combination_id, indirect=True)


@pytest.fixture
def stack(texts: dict[str, str]) -> dict[str, Any]:
    """Return the content of the file for Swarm."""
    content: dict[str, Any] = yaml.safe_load(texts["stack.yaml"])
    return content


@pytest.fixture
def compose_stack(texts: dict[str, str]) -> dict[str, Any]:
    """Return the content of the file for Compose."""
    content: dict[str, Any] = yaml.safe_load(texts["compose.prod.yaml"])
    return content


def test_docker_accepts_it(project: Path, compose: list[str], complaints: Complaints) -> None:
    """`docker stack` accepts the file."""
    assert complaints(project, ["stack.yaml"], [compose[0], "stack", "config", "--compose-file", "stack.yaml"]) == ""


def test_services_are_those_of_compose(stack: dict[str, Any], compose_stack: dict[str, Any]) -> None:
    """The stack is that of Compose, but for what Swarm has in other words."""
    services, others = stack["services"], compose_stack["services"]
    assert services.keys() == others.keys()
    for name, service in services.items():
        reworded = REWORDED | WAITS.get(name, set())
        for key in (service.keys() | others[name].keys()) - reworded:
            mine, theirs = service.get(key), others[name].get(key)
            assert (sorted(mine) == sorted(theirs)) if key == "networks" else (mine == theirs), (name, key)
    for key in ("networks", "volumes", "configs"):
        assert stack.get(key) == compose_stack.get(key), key
    files = {name: {"file": secret["file"]} for name, secret in stack.get("secrets", {}).items()}
    assert files == compose_stack.get("secrets", {})


def test_mounts_are_those_of_compose(stack: dict[str, Any], compose_stack: dict[str, Any]) -> None:
    """Each service has the volumes and the temporary file systems of Compose, with the same sizes."""
    for name, service in compose_stack["services"].items():
        temporary = dict(mount.split(":size=") for mount in service["tmpfs"])
        temporary |= {"/dev/shm": service["shm_size"]} if "shm_size" in service else {}  # noqa: S108 # in a container
        sizes = {path: int(size.removesuffix("m")) * 1024 * 1024 for path, size in temporary.items()}
        mounts = stack["services"][name]["volumes"]
        assert {one["target"]: one["tmpfs"]["size"] for one in mounts if isinstance(one, dict)} == sizes, name
        assert [one for one in mounts if isinstance(one, str)] == service.get("volumes", []), name


def test_hardened(stack: dict[str, Any], compose_stack: dict[str, Any]) -> None:
    """Every service has a read-only root, no capabilities that it has no use for, limits, and a /tmp with a size."""
    for name, service in stack["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add") == compose_stack["services"][name].get("cap_add"), name
        assert service["deploy"]["resources"] == compose_stack["services"][name]["deploy"]["resources"], name
        temporary = [mount for mount in service["volumes"] if isinstance(mount, dict)]
        assert all(mount["type"] == "tmpfs" and mount["tmpfs"]["size"] > 0 for mount in temporary), name
        # Swarm would ignore these without a word.
        assert service.keys().isdisjoint({"build", "depends_on", "restart", "security_opt", "tmpfs", "shm_size"}), name


def test_passwords(texts: dict[str, str], stack: dict[str, Any]) -> None:
    """The commands of README.md that change the passwords give each secret another name, and the services know it."""
    if "secrets" in stack:
        (pattern,) = re.findall(r'sed -i "s/(_password_.*?)/', texts["README.md"])
        names = {key: secret["name"] for key, secret in stack["secrets"].items()}
        changed = yaml.safe_load(re.sub(pattern, "_password_2", texts["stack.yaml"], flags=re.MULTILINE))
        assert changed["services"] == stack["services"]
        assert changed["secrets"].keys() == names.keys()
        assert not {secret["name"] for secret in changed["secrets"].values()} & set(names.values())


def test_updates(texts: dict[str, str], stack: dict[str, Any]) -> None:
    """The service and its worker are replaced when the new version is healthy, and else rolled back, as README says."""
    page = texts["README.md"].partition("### On Docker Swarm")[2]
    (healthy,) = re.findall(r"isn't healthy within (\d+) seconds", page)
    (dies,) = re.findall(r"ends within (\d+) seconds", page)
    for name in {"web", "worker"} & stack["services"].keys():
        service, deploy = stack["services"][name], stack["services"][name]["deploy"]
        assert deploy["update_config"]["order"] == deploy["rollback_config"]["order"] == "start-first"
        assert deploy["update_config"]["failure_action"] == "rollback"
        assert deploy["update_config"]["monitor"] == f"{dies}s"
        assert ("entrypoint" in service) == ("migrate" in stack["services"])
    assert stack["services"]["web"]["deploy"]["replicas"] >= 2
    (image,) = re.findall(r"^HEALTHCHECK (.*) \\$", texts["Dockerfile"], re.MULTILINE)
    check = dict(re.findall(r"--([a-z-]+)=(\d+)s", image))
    check |= {key: value.removesuffix("s") for key, value in stack["services"]["web"].get("healthcheck", {}).items()}
    # Docker takes three failures for unhealthy.
    assert int(check.get("start_period") or check["start-period"]) + 3 * int(check["interval"]) == int(healthy)
    if "migrate" in stack["services"]:
        deploy = stack["services"]["migrate"]["deploy"]
        assert deploy["mode"] == "replicated-job"
        # A migration that fails is not tried again, and is that of Compose.
        assert deploy["restart_policy"] == {"condition": "none"}


def test_migration_is_that_of_compose(stack: dict[str, Any], compose_stack: dict[str, Any]) -> None:
    """Once the database answers, the migration is the command of Compose."""
    if "migrate" in stack["services"]:
        (*_, script) = stack["services"]["migrate"]["command"]
        assert script.endswith(f"done; exec {' '.join(compose_stack['services']['migrate']['command'])}")


def test_data_stays(stack: dict[str, Any]) -> None:
    """What has a volume stays on one machine, and is not started twice on it."""
    for name, service in stack["services"].items():
        if any(isinstance(mount, str) for mount in service["volumes"]):
            deploy = service["deploy"]
            assert deploy["placement"] == {"constraints": ["node.labels.data == true"]}, name
            assert deploy["endpoint_mode"] == "dnsrr", name
            assert deploy.get("replicas", 1) == 1
            assert deploy.get("update_config", {}).get("order", "stop-first") == "stop-first"
