"""The classroom: its commands work word for word on the default project."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from dockwright.template import load
from tests.docker.stack import Project, wait_for

PRODUCTS = "http://localhost:5000/products"
HEALTH = "http://localhost:5000/health"
COMMANDS = """
docker build -t product-api .
docker run -p 5000:5000 product-api
curl http://localhost:5000/products
curl http://localhost:5000/health
docker compose up
docker compose up --build
docker compose up -d
docker compose logs -f web
docker compose down
docker compose down -v
"""


@pytest.fixture(scope="module")
def default_project(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return the project that `dockwright --no-input` makes, with its own name and port."""
    assert engine
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 5000)), "port 5000 is taken: stop what listens there, and try again"
    answers = load().complete({})
    project = Project(load().render(answers, tmp_path_factory.mktemp("classroom")), answers)
    yield project
    project.run("docker", "rm", "--force", "product-api-class", expect=None)
    project.run("docker", "compose", "down", "--volumes", "--rmi", "local", expect=None)
    project.run("docker", "rmi", "--force", "product-api", "product-api:development", expect=None)


def test_commands_are_documented(default_project: Project) -> None:
    """The README shows each command as the class types it."""
    readme = (default_project.directory / "README.md").read_text(encoding="utf-8")
    assert [command for command in COMMANDS.strip().splitlines() if command not in readme] == []


def test_docker_build_and_run(default_project: Project) -> None:
    """`docker build` and `docker run` alone serve the catalogue, and Ctrl-C's signal ends it."""
    default_project.type("docker build -t product-api .")
    default_project.type("docker run --name product-api-class --detach -p 5000:5000 product-api")
    wait_for(lambda: httpx.get(HEALTH).status_code == 200)
    assert default_project.type("curl --silent http://localhost:5000/health").strip() == '{"status":"ok"}'
    assert '"total":0' in default_project.type("curl --silent http://localhost:5000/products")
    default_project.type("docker stop --signal INT --timeout 30 product-api-class")
    inspect = 'docker inspect --format "{{.State.ExitCode}}" product-api-class'
    assert default_project.type(inspect) == "0\n"
    default_project.type("docker rm product-api-class")


def test_docker_compose(default_project: Project) -> None:
    """`docker compose` starts, shows logs, and takes down, with and without the data."""
    default_project.type("docker compose up -d")
    wait_for(lambda: httpx.get(HEALTH).status_code == 200)
    samples = httpx.get(PRODUCTS).json()["total"]
    assert samples > 0
    assert httpx.post(PRODUCTS, json={"name": "Ink", "price": "9.90"}).status_code == 201
    default_project.type("docker compose up --build -d")
    assert "POST /products 201" in default_project.type("docker compose logs web")
    default_project.type("docker compose down")
    default_project.type("docker compose up -d")
    wait_for(lambda: httpx.get(PRODUCTS).json()["total"] == samples + 1)
    default_project.type("docker compose down -v")
    default_project.type("docker compose up -d")
    wait_for(lambda: httpx.get(PRODUCTS).json()["total"] == samples)
    default_project.type("docker compose down -v")
