"""The Dockerfile and the compose files say what the answers call for, as their tools and good practice have it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.render.conftest import Complaints

FILES = ("compose.yaml", "compose.prod.yaml")
Services = dict[str, dict[str, Any]]


@pytest.fixture(params=FILES)
def stack(texts: dict[str, str], request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a stack, as its compose file describes it."""
    return read_stack(texts[request.param])


@pytest.fixture
def development(texts: dict[str, str]) -> Services:
    """Return the services that a developer runs."""
    services: Services = read_stack(texts["compose.yaml"])["services"]
    return services


@pytest.fixture
def production(texts: dict[str, str]) -> dict[str, Any]:
    """Return the stack that production runs."""
    return read_stack(texts["compose.prod.yaml"])


def test_dockerfile(project: Path, hadolint: str, complaints: Complaints) -> None:
    """Hadolint has nothing to say of the Dockerfile."""
    assert complaints(project, ["Dockerfile"], [hadolint, "--no-color", "Dockerfile"]) == ""


def test_base_image(answers: dict[str, str], texts: dict[str, str]) -> None:
    """The image starts from the one that was asked for, with the Python that was asked for."""
    variant = "" if answers["base_image"] == "full" else f"-{answers['base_image']}"
    assert f"FROM python:{answers['python_version']}{variant} AS " in texts["Dockerfile"].splitlines()[0]


@pytest.mark.parametrize("settings", [[], ["--env-file", ".env.example"]], ids=["bare", "env"])
@pytest.mark.parametrize("file", FILES)
def test_compose(project: Path, compose: list[str], complaints: Complaints, file: str, settings: list[str]) -> None:
    """Compose accepts the file, with the settings that are offered as an example and without any."""
    command = [*compose, *settings, "--file", file, "config", "--quiet"]
    assert complaints(project, [file, ".env.example"], command) == ""


def test_services(answers: dict[str, str], stack: dict[str, Any]) -> None:
    """There are the services that the answers call for, and no others."""
    expected = {
        "web": True,
        "worker": "queue" in answers["redis"],
        "migrate": answers["database"] != "none",
        "db": answers["database"] in ("postgresql", "mariadb"),
        "redis": answers["redis"] != "none",
    }
    assert set(stack["services"]) == {name for name, wanted in expected.items() if wanted}


def test_references(stack: dict[str, Any]) -> None:
    """Whatever a service names is defined, and whatever is defined is used."""
    services = stack["services"].values()
    named = {
        "volumes": {volume for service in services for volume in volumes(service) if re.match(r"\w", volume)},
        "networks": {network for service in services for network in service.get("networks", [])} - {"default"},
        "secrets": {secret for service in services for secret in service.get("secrets", [])},
    }
    assert named == {kind: set(stack.get(kind, {})) for kind in named}
    assert {needed for service in services for needed in service.get("depends_on", ())} <= set(stack["services"])


def test_images(stack: dict[str, Any]) -> None:
    """Every image has a tag that says which one it is, and only the service's own is built here."""
    for name, service in stack["services"].items():
        tag = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", service["image"]).partition(":")[2]
        assert re.fullmatch(r"\d+(\.\d+)*|development", tag), name
        assert ("build" in service) == (name == "web"), name


def test_order(answers: dict[str, str], stack: dict[str, Any]) -> None:
    """Nothing starts before what it needs: Redis healthy, the database brought up to date by who waits for it."""
    for name in {"web", "worker"} & set(stack["services"]):
        expected = {"migrate": "service_completed_successfully"} if answers["database"] != "none" else {}
        expected |= {"redis": "service_healthy"} if answers["redis"] != "none" else {}
        assert conditions(stack["services"][name]) == expected, name
    if "db" in stack["services"]:
        assert stack["services"]["migrate"]["depends_on"] == ["db"]
    for name in {"db", "redis", "worker"} & set(stack["services"]):
        assert stack["services"][name]["healthcheck"]["test"], name


def test_development_ports(answers: dict[str, str], development: Services) -> None:
    """In development only this machine reaches the service, and nobody a data service but the service itself."""
    ports = {name: service["ports"] for name, service in development.items() if "ports" in service}
    assert ports == {"web": [f"127.0.0.1:${{PORT:-{port(answers)}}}:{port(answers)}"]}


def test_development_source(development: Services) -> None:
    """In development the code that runs is the code on the host."""
    assert development["web"]["build"] == {"context": ".", "target": "development"}
    for name in {"web", "worker", "migrate"} & set(development):
        assert ".:/app" in development[name]["volumes"], name


def test_production_hardened(production: dict[str, Any]) -> None:
    """In production no service can write to its image, gain a right, or take more than its share of the host."""
    for name, service in production["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert "privileged" not in service, name
        assert name in ("db", "redis") or "cap_add" not in service, name


def test_production_job(texts: dict[str, str], production: dict[str, Any]) -> None:
    """In production a worker that is told to stop has the time that a job may take."""
    if "worker" in production["services"]:
        (longest,) = re.findall(r"^TIME_LIMIT_SECONDS = (\d+)$", texts["app/jobs.py"], re.MULTILINE)
        assert int(production["services"]["worker"]["stop_grace_period"].removesuffix("s")) > int(longest)


def test_production_source(production: dict[str, Any]) -> None:
    """In production the code that runs is the image's: nothing of the host is mounted."""
    assert production["services"]["web"]["build"] == {"context": ".", "target": "production"}
    for name, service in production["services"].items():
        assert all(re.match(r"\w", volume) for volume in volumes(service)), name


def test_production_network(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production the data services reach nothing and are reached by nothing but the services of the stack."""
    services = production["services"]
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"web": [f"${{PORT:-{port(answers)}}}:{port(answers)}"]}
    for name in {"db", "redis"} & set(services):
        assert services[name]["networks"] == ["data"], name
        assert production["networks"]["data"]["internal"] is True
        # A service that is on an internal network only has no published port.
        assert services["web"]["networks"] == ["default", "data"]


def test_production_secrets(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production a password is a file for those who need it, and never a setting."""
    has_password = answers["database"] in ("postgresql", "mariadb")
    for name, service in production["services"].items():
        wanted = has_password and name != "redis"
        assert service.get("secrets", []) == (["database_password"] if wanted else []), name
        settings = service.get("environment", {})
        assert [
            key for key in settings if "PASSWORD" in key and not key.endswith(("_FILE", "RANDOM_ROOT_PASSWORD"))
        ] == []
        assert not re.search(r"://[^/]*:[^/]*@", " ".join(map(str, settings.values()))), name


@cache
def read_stack(text: str) -> dict[str, Any]:
    """Return what a compose file describes."""
    stack: dict[str, Any] = yaml.safe_load(text)
    return stack


def volumes(service: dict[str, Any]) -> Iterator[str]:
    """Yield the source of each of a service's mounts."""
    for volume in service.get("volumes", []):
        yield volume.partition(":")[0]


def conditions(service: dict[str, Any]) -> dict[str, str]:
    """Return what a service waits for, and until when."""
    return {name: needed["condition"] for name, needed in service.get("depends_on", {}).items()}


def port(answers: dict[str, str]) -> str:
    """Return the port that the service listens on."""
    return answers.get("port", "5000")
