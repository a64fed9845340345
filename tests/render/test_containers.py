"""The Dockerfile and the compose files match the answers, and follow good practice."""

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
import yaml

from dockwright.dockerize.audit import audit
from dockwright.dockerize.stacks import audit_stack
from dockwright.matrix import combination_id, sample
from dockwright.template import load
from tests.render.conftest import Complaints

FILES = ("compose.yaml", "compose.prod.yaml")
Services = dict[str, dict[str, Any]]


@pytest.fixture(params=FILES)
def stack(texts: dict[str, str], request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the content of a compose file."""
    return read_stack(texts[request.param])


@pytest.fixture
def development(texts: dict[str, str]) -> Services:
    """Return the services of the development stack."""
    services: Services = read_stack(texts["compose.yaml"])["services"]
    return services


@pytest.fixture
def production(texts: dict[str, str]) -> dict[str, Any]:
    """Return the production stack."""
    return read_stack(texts["compose.prod.yaml"])


def test_check(texts: dict[str, str]) -> None:
    """`dockwright check` finds nothing in the Dockerfile and in the compose files."""
    assert audit(texts["Dockerfile"]) == []
    for name, text in texts.items():
        if name.startswith("compose"):
            assert audit_stack(text, name) == [], name


def test_dockerfile(project: Path, hadolint: str, complaints: Complaints) -> None:
    """Hadolint finds nothing in the Dockerfile."""
    assert complaints(project, ["Dockerfile"], [hadolint, "--no-color", "Dockerfile"]) == ""


def test_base_image(answers: dict[str, str], texts: dict[str, str]) -> None:
    """The base image and the version of Python are those of the answers."""
    variant = "" if answers["base_image"] == "full" else f"-{answers['base_image']}"
    assert f"FROM python:{answers['python_version']}{variant} AS " in texts["Dockerfile"].splitlines()[0]


@pytest.mark.parametrize("settings", [[], ["--env-file", ".env.example"]], ids=["bare", "env"])
@pytest.mark.parametrize("file", FILES)
def test_compose(project: Path, compose: list[str], complaints: Complaints, file: str, settings: list[str]) -> None:
    """Compose accepts the file, without settings and with those of .env.example."""
    command = [*compose, *settings, "--file", file, "config", "--quiet"]
    assert complaints(project, [file, ".env.example"], command) == ""


@pytest.mark.parametrize("file", FILES)
def test_services(answers: dict[str, str], texts: dict[str, str], file: str) -> None:
    """The stack has exactly the services that the answers need; a proxy and its twin of web in production only."""
    behind_proxy = answers["proxy"] != "none" and file == "compose.prod.yaml"
    expected = {
        "proxy": behind_proxy,
        "twin": behind_proxy,
        "web": True,
        "worker": "queue" in answers["redis"],
        "migrate": answers["database"] != "none",
        "db": answers["database"] in ("postgresql", "mariadb"),
        "redis": answers["redis"] != "none",
    }
    assert set(read_stack(texts[file])["services"]) == {name for name, wanted in expected.items() if wanted}


def test_references(stack: dict[str, Any]) -> None:
    """Every volume, network and secret that a service names is defined, and every defined one is used."""
    services = stack["services"].values()
    named = {
        "volumes": {volume for service in services for volume in volumes(service) if re.match(r"\w", volume)},
        "networks": {network for service in services for network in service.get("networks", [])} - {"default"},
        "secrets": {secret for service in services for secret in service.get("secrets", [])},
        "configs": {config["source"] for service in services for config in service.get("configs", [])},
    }
    assert named == {kind: set(stack.get(kind, {})) for kind in named}
    assert {needed for service in services for needed in service.get("depends_on", ())} <= set(stack["services"])


def test_images(stack: dict[str, Any]) -> None:
    """Every image has a version tag, and only the web service builds one; others that run it don't ask a registry."""
    ours = {
        name for name, service in stack["services"].items() if service["image"] == stack["services"]["web"]["image"]
    }
    for name, service in stack["services"].items():
        tag = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", service["image"]).partition(":")[2]
        assert re.fullmatch(r"\d+(\.\d+)*|development", tag), name
        assert ("build" in service) == (name in ("web", "twin")), name
        assert (service.get("pull_policy") == "never") == (name in ours - {"web", "twin"}), name


def test_order(answers: dict[str, str], stack: dict[str, Any]) -> None:
    """Services wait until Redis is healthy and the migrations have finished; data services have health checks."""
    for name in {"web", "twin", "worker"} & set(stack["services"]):
        expected = {"migrate": "service_completed_successfully"} if answers["database"] != "none" else {}
        expected |= {"redis": "service_healthy"} if answers["redis"] != "none" else {}
        assert conditions(stack["services"][name]) == expected, name
    if "proxy" in stack["services"]:
        assert conditions(stack["services"]["proxy"]) == {"web": "service_healthy"}
    if "db" in stack["services"]:
        assert conditions(stack["services"]["migrate"]) == {"db": "service_healthy"}
    for name in {"db", "redis", "worker"} & set(stack["services"]):
        assert stack["services"][name]["healthcheck"]["test"], name


def test_development_ports(answers: dict[str, str], development: Services) -> None:
    """In development all ports are bound to this machine's loopback address: the data services' too, but not fixed."""
    ports = {name: service["ports"] for name, service in development.items() if "ports" in service}
    inside = {"postgresql": "5432", "mariadb": "3306"}.get(answers["database"])
    expected = {"web": [f"127.0.0.1:${{PORT:-{answers['port']}}}:{answers['port']}"]}
    expected |= {"db": [f"127.0.0.1::{inside}"]} if inside else {}
    expected |= {"redis": ["127.0.0.1::6379"]} if answers["redis"] != "none" else {}
    assert ports == expected


def test_development_source(development: Services) -> None:
    """In development the code on the host is mounted."""
    assert development["web"]["build"] == {"context": ".", "target": "development"}
    # Also after a change of the dependencies, `up` alone is enough.
    assert development["web"]["pull_policy"] == "build"
    for name in {"web", "worker", "migrate"} & set(development):
        assert ".:/app" in development[name]["volumes"], name


def test_data_of_the_tests(development: Services) -> None:
    """The project's tests drop and empty a database and a Redis of their own, not those of the development stack."""
    settings = development["web"]["environment"]
    addresses = {name: settings[name] for name in ("DATABASE_URL", "REDIS_URL") if "//" in settings.get(name, "")}
    tested = {name: settings[f"TEST_{name}"] for name in addresses if not addresses[name].startswith("sqlite:")}
    for name, address in tested.items():
        server, _, data = address.rpartition("/")
        assert server.rpartition("@")[2].rpartition("/")[2] == addresses[name].split("/")[2].rpartition("@")[2]
        assert data != addresses[name].rpartition("/")[2], name


def test_production_hardened(production: dict[str, Any]) -> None:
    """In production every service has a read-only root, no capabilities, and limits."""
    for name, service in production["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert "privileged" not in service, name
        assert name in ("db", "proxy") or "cap_add" not in service, name
        assert all("size=" in mount for mount in service["tmpfs"]), name


def test_production_job(texts: dict[str, str], production: dict[str, Any]) -> None:
    """In production a worker that is stopped has the time to finish the longest job."""
    if "worker" in production["services"]:
        (longest,) = re.findall(r"^TIMEOUT_SECONDS = (\d+)$", texts["app/queue.py"], re.MULTILINE)
        assert int(production["services"]["worker"]["stop_grace_period"].removesuffix("s")) > int(longest)


def test_statements_of_a_job(answers: dict[str, str], texts: dict[str, str], stack: dict[str, Any]) -> None:
    """The worker has the settings of the web service, but its statements may take as long as the longest job."""
    if "worker" in stack["services"]:
        (longest,) = re.findall(r"^TIMEOUT_SECONDS = (\d+)$", texts["app/queue.py"], re.MULTILINE)
        more = {} if answers["database"] == "none" else {"STATEMENT_SECONDS": int(longest)}
        assert stack["services"]["worker"]["environment"] == stack["services"]["web"]["environment"] | more


def test_signals_arrive(stack: dict[str, Any]) -> None:
    """An init process passes signals on to each service that runs Python."""
    for name in {"web", "twin", "worker", "migrate"} & set(stack["services"]):
        assert stack["services"][name].get("init"), name


def test_production_database_can_stop(production: dict[str, Any]) -> None:
    """In production a database has more than the default ten seconds to write its data when it is stopped."""
    if "db" in production["services"]:
        assert int(production["services"]["db"]["stop_grace_period"].removesuffix("s")) > 10


def test_data_is_kept(answers: dict[str, str], stack: dict[str, Any]) -> None:
    """A database and a queue have a named volume, mounted where the image keeps its data; a cache has none."""
    paths = {"postgresql": "/var/lib/postgresql", "mariadb": "/var/lib/mysql"}
    services = stack["services"]
    if answers["database"] in paths:
        assert services["db"]["volumes"] == [f"database:{paths[answers['database']]}"]
    if answers["database"] == "sqlite":
        for name in {"web", "worker", "migrate"} & set(services):
            assert "data:/data" in services[name]["volumes"], name
    if answers["redis"] != "none":
        assert services["redis"].get("volumes", []) == (["redis:/data"] if "queue" in answers["redis"] else [])
        assert ("--appendonly" in " ".join(services["redis"]["command"])) == ("queue" in answers["redis"])


def test_health_checks(texts: dict[str, str], stack: dict[str, Any]) -> None:
    """Health checks have a start interval, so that `up --wait` takes no longer than the start; databases use TCP."""
    assert re.search(r"^HEALTHCHECK .*--start-period=\S+ --start-interval=", texts["Dockerfile"], re.MULTILINE)
    checks = {name: service["healthcheck"] for name, service in stack["services"].items() if "healthcheck" in service}
    for name, check in checks.items():
        assert check.get("disable") or {"test", "start_period", "start_interval"} <= set(check), name
    if "db" in checks:
        command = checks["db"]["test"]
        assert "--host=127.0.0.1" in command if "pg_isready" in command else "--connect" in command


def test_health_checks_are_frequent(texts: dict[str, str]) -> None:
    """A server that hangs is seen within about a minute."""
    (check,) = re.findall(r"^HEALTHCHECK (.*)$", texts["Dockerfile"], re.MULTILINE)
    seconds = {name: float(value) for name, value in re.findall(r"--([a-z-]+)=([\d.]+)s\b", check)}
    assert 1 <= seconds["timeout"] < seconds["interval"] <= 30


def test_worker_check(texts: dict[str, str], stack: dict[str, Any]) -> None:
    """A worker is healthy while it has a heartbeat, and unhealthy some minutes after the last one."""
    if "worker" in stack["services"]:
        *program, code = stack["services"]["worker"]["healthcheck"]["test"]
        assert program == ["CMD", "python", "-c"]
        (heartbeat,) = re.findall(r"Path\(\"(/tmp/\w+)\"\)\.touch\(\)", texts["app/worker.py"])
        assert heartbeat in code
        assert check_heartbeats(code.replace(heartbeat, "{}"), 0, 60, 180) == [0, 0, 1]


def test_port(answers: dict[str, str], texts: dict[str, str]) -> None:
    """The image exposes the chosen port, the service listens on it by default, and no file has another port."""
    default = load().options["port"].default
    assert re.findall(r"^EXPOSE (.*)", texts["Dockerfile"], re.MULTILINE) == [answers["port"]]
    assert answers["port"] in texts["app/settings.py"]
    if answers["port"] != default:
        pattern = re.compile(rf":{default}\b|port\W.*\b{default}\b", re.IGNORECASE)
        # The registry of the guide's own listens on 5000 in its container.
        own = {name: re.sub(r":5000 registry\b", "", text) for name, text in texts.items()}
        assert [name for name, text in own.items() if pattern.search(text)] == []


def test_production_source(production: dict[str, Any]) -> None:
    """In production the code in the image runs: nothing of the host is mounted."""
    build = production["services"]["web"]["build"]
    assert (build["context"], build["target"]) == (".", "production")
    for name, service in production["services"].items():
        assert all(re.match(r"\w", volume) for volume in volumes(service)), name


def test_production_network(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production the data services are on an internal network only; behind a proxy, only that is published."""
    services = production["services"]
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    behind_proxy = answers["proxy"] != "none"
    if behind_proxy:
        assert set(ports) == {"proxy"}
        assert all(port.startswith("${ADDRESS:-127.0.0.1}:") for port in ports["proxy"])
        assert services["proxy"]["networks"] == ["front"]
    else:
        assert ports == {"web": [f"${{ADDRESS:-127.0.0.1}}:${{PORT:-{answers['port']}}}:{answers['port']}"]}
    for name in {"db", "redis"} & set(services):
        assert services[name]["networks"] == ["data"], name
        assert production["networks"]["data"]["internal"] is True
        # On the internal network alone, the published port would not work.
        assert services["web"]["networks"] == ["front" if behind_proxy else "default", "data"]


def test_production_secrets(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production passwords are files for the services that need them, and never in the environment."""
    database = ["database_password"] if answers["database"] in ("postgresql", "mariadb") else []
    redis = ["redis_password"] if answers["redis"] != "none" else []
    wanted = {"db": ["database_admin_password", *database], "redis": redis, "proxy": []}
    for name, service in production["services"].items():
        assert service.get("secrets", []) == wanted.get(name, [*database, *redis]), name
        settings = service.get("environment", {})
        assert [key for key in settings if "PASSWORD" in key and not key.endswith("_FILE")] == []
        assert not re.search(r"://[^/]*:[^/]*@", " ".join(map(str, settings.values()))), name


def test_account_in_redis(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production the service's account has no dangerous command but INFO, which RQ needs, and only for a queue."""
    if "redis" in production["services"]:
        rules = production["services"]["redis"]["command"][-1].split("'")
        (account,) = (rule for rule in rules if "-@dangerous" in rule)
        assert account.partition("-@dangerous")[2].split() == (["+info"] if "queue" in answers["redis"] else [])


def test_production_migration_network(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production the migration reaches the database and nothing else."""
    if "migrate" in production["services"]:
        migrate = production["services"]["migrate"]
        served = answers["database"] != "sqlite"
        expected = (["data"], None) if served else (None, "none")
        assert (migrate.get("networks"), migrate.get("network_mode")) == expected


def test_production_connections(answers: dict[str, str], texts: dict[str, str], production: dict[str, Any]) -> None:
    """As they are, the settings leave room for the containers that OPERATIONS.md tells to start, by its own rule."""
    if answers["database"] in ("postgresql", "mariadb"):
        page = texts["OPERATIONS.md"]
        (allowed,) = re.findall(r"(?:PostgreSQL|MariaDB) allows (\d+), a few of which", page)
        (most,) = re.findall(r"`WORKERS` . \(`POOL_SIZE` \+ 1\).* below (\d+)", page)
        settings = {
            name: int(default)
            for name, default in re.findall(r"^ +(\w+): \$\{\1:-(\d+)\}$", texts["compose.prod.yaml"], re.MULTILINE)
        }
        scaled = dict(re.findall(r"scale (\w+)=(\d+)$", page, re.MULTILINE))
        twin = "twin" in production["services"]
        connections = settings["WORKERS"] * (settings["POOL_SIZE"] + 1) * (int(scaled.get("web", 1)) + twin)
        assert connections + int(scaled.get("worker", 0)) < int(most) < int(allowed)


def test_production_redis_has_room(answers: dict[str, str], production: dict[str, Any]) -> None:
    """In production Redis has a limit of its own below the container's, with room for the copy that it saves.

    At the limit a cache forgets whatever it has, and a queue nothing but what expires: a job that waits does not.
    """
    if "redis" in production["services"]:
        redis = production["services"]["redis"]
        forgets = "--maxmemory-policy allkeys-" in " ".join(redis["command"])
        assert forgets == ("queue" not in answers["redis"])
        (memory,) = re.findall(r"--maxmemory (\d+)mb", " ".join(redis["command"]))
        assert redis["deploy"]["resources"]["limits"]["memory"] == "1G"
        assert 0 < int(memory) <= 1024 / 2


PASSWORDS = [cell for cell in sample() if cell["database"] == "postgresql" and cell["redis"] != "none"][:1]


@pytest.mark.skipif(not shutil.which("make"), reason="NOT TESTED: make secrets: make is not installed")
@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
@pytest.mark.parametrize("answers", PASSWORDS, ids=combination_id, indirect=True)
def test_passwords(project: Path) -> None:
    """`make secrets` writes what production mounts: readable by each container's user, in a closed directory, once."""
    directory = project / "secrets"
    names = read_stack((project / "compose.prod.yaml").read_text(encoding="utf-8"))["secrets"].keys()
    for umask in (0o022, 0o077):
        written: list[dict[str, bytes]] = []
        try:
            for _ in range(2):
                done = subprocess.run(["make", "secrets"], cwd=project, umask=umask, check=False, capture_output=True)
                assert done.returncode == 0, done.stderr
                written.append({file.name: file.read_bytes() for file in directory.iterdir()})
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o644}
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        assert written[0] == written[1], "all are kept"
        assert written[0].keys() == names
        assert len(set(written[0].values())) == len(names)
        assert all(re.fullmatch(rb"[0-9a-f]{64}", password) for password in written[0].values())


def test_proxy_limits(texts: dict[str, str]) -> None:
    """Caddy limits the time for header, body and idleness and the size of headers, with a domain and without one."""
    if "Caddyfile" in texts:
        blocks = dict(re.findall(r"^\tservers (\S+) \{\n(.*?)^\t\}$", texts["Caddyfile"], re.DOTALL | re.MULTILINE))
        assert blocks.keys() == {":80", ":443"}
        for block in blocks.values():
            limits = dict(re.findall(r"^\t+(read_header|read_body|idle|max_header_size) (\S+)$", block, re.MULTILINE))
            assert limits.keys() == {"read_header", "read_body", "idle", "max_header_size"}
        ours = [re.sub(r"\t+(#|protocols).*\n", "", block) for block in blocks.values()]
        assert ours[0] == ours[1]
        # Without a site of its own, the redirect of port 80 has Caddy's default limits.
        assert re.search(r"^:80 \{$", texts["Caddyfile"], re.MULTILINE)


def test_observability(texts: dict[str, str], production: dict[str, Any]) -> None:
    """Prometheus is confined like the rest, keeps its numbers, and asks each container that serves."""
    if "compose.observability.yaml" in texts:
        stack = read_stack(texts["compose.observability.yaml"])
        (prometheus,) = stack["services"].values()
        for key in ("restart", "read_only", "cap_drop", "security_opt", "logging"):
            assert prometheus[key] == production["services"]["web"][key], key
        assert prometheus["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
        assert all(port.startswith("127.0.0.1:") for port in prometheus["ports"])
        assert [*volumes(prometheus)] == [*stack["volumes"]] != []
        assert prometheus["healthcheck"]["test"]
        (network,) = stack["networks"].values()
        shared = production["services"]["web"].get("networks", ["default"])[0]
        assert network["name"] == f"{production['name']}_{shared}"
        (scrape,) = yaml.safe_load(texts["observability/prometheus.yaml"])["scrape_configs"]
        served = [name for name in production["services"] if name in ("web", "twin")]
        assert [name for one in scrape["dns_sd_configs"] for name in one["names"]] == served


@cache
def read_stack(text: str) -> dict[str, Any]:
    """Return the content of a compose file."""
    stack: dict[str, Any] = yaml.safe_load(text)
    return stack


@cache
def check_heartbeats(code: str, *ages: int) -> list[int]:
    """Return how the check of a worker ends for heartbeats that are this old, in seconds."""
    with NamedTemporaryFile() as file:
        command = [sys.executable, "-c", code.format(file.name)]
        ends = []
        for age in ages:
            os.utime(file.name, (time.time() - age,) * 2)
            ends.append(subprocess.run(command, check=False).returncode)
        return ends


def volumes(service: dict[str, Any]) -> Iterator[str]:
    """Yield the source of each mount of a service."""
    for volume in service.get("volumes", []):
        yield volume.partition(":")[0]


def conditions(service: dict[str, Any]) -> dict[str, str]:
    """Return the services that a service waits for, with the condition."""
    return {name: needed["condition"] for name, needed in service.get("depends_on", {}).items()}
