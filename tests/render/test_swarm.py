"""stack.yaml, for Docker Swarm, matches the answers and the file for Compose, and follows good practice."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dockwright.matrix import combination_id, sample
from tests.render.conftest import Complaints

CELLS = [cell for cell in sample() if cell["deploy"] == "swarm"]
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
    """The stack has the services of production, with the same images, settings and grace periods."""
    services, others = stack["services"], compose_stack["services"]
    assert services.keys() == others.keys()
    for name, service in services.items():
        for key in ("image", "environment", "secrets", "stop_grace_period"):
            assert service.get(key) == others[name].get(key), (name, key)
        assert sorted(service.get("networks", ())) == sorted(others[name].get("networks", ())), name
    if "redis" in services:
        assert services["redis"]["command"] == others["redis"]["command"]
    assert stack.get("volumes", {}).keys() == compose_stack.get("volumes", {}).keys()


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


def test_updates(stack: dict[str, Any]) -> None:
    """The service and its worker are replaced when the new version is healthy, and else rolled back."""
    for name in {"web", "worker"} & stack["services"].keys():
        deploy = stack["services"][name]["deploy"]
        assert deploy["update_config"]["order"] == deploy["rollback_config"]["order"] == "start-first"
        assert deploy["update_config"]["failure_action"] == "rollback"
        assert ("entrypoint" in stack["services"][name]) == ("migrate" in stack["services"])
    assert stack["services"]["web"]["deploy"]["replicas"] >= 2
    if "migrate" in stack["services"]:
        assert stack["services"]["migrate"]["deploy"]["mode"] == "replicated-job"


def test_data_stays(stack: dict[str, Any]) -> None:
    """What has a volume stays on one machine, and is not started twice on it."""
    for name, service in stack["services"].items():
        if any(isinstance(mount, str) for mount in service["volumes"]):
            deploy = service["deploy"]
            assert deploy["placement"] == {"constraints": ["node.labels.data == true"]}, name
            assert deploy.get("replicas", 1) == 1
            assert deploy.get("update_config", {}).get("order", "stop-first") == "stop-first"
