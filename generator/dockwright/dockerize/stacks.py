"""What a good compose file has and doesn't have: each rule with the line that breaks it, why, and what to write."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from dockwright.dockerize.findings import RELOADS, SECRET, Finding

DATA = re.compile(r"(?:.*/)?(postgres|postgis|mysql|mariadb|mongo|redis|valkey|rabbitmq|memcached)(?:[:@].*)?$")
KEEPS = re.compile(r"(?:.*/)?(postgres|postgis|mysql|mariadb|mongo)(?:[:@].*)?$")
# A file that has the secret, or a switch such as MARIADB_RANDOM_ROOT_PASSWORD
NO_SECRET = re.compile(r"_FILE=|=(?:0|1|no|yes|false|true)$", re.IGNORECASE)
SOCKET = "/var/run/docker.sock"
PRODUCTION = re.compile(r"prod", re.IGNORECASE)
# A port that is published at no address of its own: 5432:5432, ${PORT}:5432, 5432
EVERYWHERE = re.compile(r"(?:(?:\$\{[^}]*\}|[\d-]+):)?[\d-]+(?:/\w+)?")


class Loader(yaml.SafeLoader):
    """Reads Compose's own tags, such as !reset, as nothing."""


Loader.add_multi_constructor("!", lambda *_: None)


@dataclass(frozen=True)
class Service:
    """A service with the lines of its keys."""

    name: str
    line: int
    values: dict[str, Any]
    lines: dict[str, int]

    @property
    def image(self) -> str:
        """The image's name, with what Compose would put in left out."""
        return str(self.values.get("image") or "")

    @property
    def is_data(self) -> bool:
        """Whether it is a database, a cache or a broker."""
        return "build" not in self.values and DATA.fullmatch(self.image) is not None


def audit_stack(content: str, name: str) -> list[Finding]:
    """Return what is wrong with a compose file, by line; raise yaml.YAMLError if it is none."""
    stack = yaml.load(content, Loader)  # noqa: S506 # a SafeLoader
    root = yaml.compose(content, Loader)
    if not isinstance(stack, dict):
        raise yaml.YAMLError
    if not isinstance(stack.get("services"), dict):
        return []
    services = {each.name: each for each in _services(stack["services"], root)}
    findings = [*_version(root)]
    for service in services.values():
        findings += [*_service(service), *_order(service, services)]
        if PRODUCTION.search(name):
            findings += _production(service)
    return sorted(findings, key=lambda finding: finding.line)


def _services(stack: dict[str, Any], root: Any) -> Iterator[Service]:  # noqa: ANN401 # PyYAML has no types for nodes
    nodes = next(value for key, value in root.value if key.value == "services")
    for key, node in nodes.value:
        line = key.start_mark.line + 1
        values = stack.get(key.value)
        if isinstance(values, dict):
            lines = {each.value: each.start_mark.line + 1 for each, _ in node.value}
            yield Service(key.value, line, values, {each: lines.get(each, line) for each in values})


def _version(root: Any) -> Iterator[Finding]:  # noqa: ANN401 # PyYAML has no types for nodes
    for key, _ in root.value:
        if key.value == "version":
            yield Finding(
                "version", key.start_mark.line + 1, "Compose ignores it, and warns at each command", "nothing"
            )


def _service(service: Service) -> Iterator[Finding]:
    lines = service.lines
    image = service.image
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if image and "build" not in service.values and "@" not in image and "$" not in image and tag in {"", "latest"}:
        why = "the image changes without a change of yours: a start that worked fails another day"
        yield Finding("tag", lines["image"], why, f"image: {image.removesuffix(':latest')}:VERSION")
    if service.values.get("privileged") is True:
        why = "who breaks into this container is root on the machine"
        yield Finding("privileged", lines["privileged"], why, "cap_add, with the one right that it needs")
    volumes = [str(each.get("source", "") if isinstance(each, dict) else each) for each in _list(service, "volumes")]
    if any(each.partition(":")[0] == SOCKET for each in volumes):
        why = "who breaks into this container controls Docker, and so the machine"
        yield Finding("socket", lines["volumes"], why, "nothing: leave the socket out")
    if service.is_data and any(EVERYWHERE.fullmatch(str(each)) for each in _list(service, "ports")):
        why = "everybody who reaches this machine reaches it: Docker publishes ports past the firewall"
        port = str(_list(service, "ports")[0])
        yield Finding(
            "port", lines["ports"], why, f"'127.0.0.1:{port if ':' in port else f'{port}:{port}'}', or no ports"
        )
    if KEEPS.fullmatch(image) and not volumes and "tmpfs" not in service.values:
        why = "its data is gone with the container"
        yield Finding("volume", service.line, why, "volumes, with a name and the directory of the data")


def _order(service: Service, services: dict[str, Service]) -> Iterator[Finding]:
    needed = service.values.get("depends_on")
    for name in needed if isinstance(needed, list) else ():
        if name in services and services[name].is_data:
            why = f"it starts when {name} has started, which is before {name} answers"
            write = f"depends_on: {{{name}: {{condition: service_healthy}}}}, and a healthcheck for {name}"
            yield Finding("order", service.lines["depends_on"], why, write)


def _production(service: Service) -> Iterator[Finding]:
    lines = service.lines
    for each in _list(service, "volumes"):
        source = str(each).partition(":")[0]
        if isinstance(each, str) and source in {".", "./"}:
            why = "what runs is your directory, not the image that was built and tested"
            yield Finding("mount", lines["volumes"], why, "nothing: the image has the code")
    command = service.values.get("command")
    text = " ".join(map(str, command)) if isinstance(command, list) else str(command or "")
    if RELOADS.search(text):
        why = "this is a development server: it is slow, and its debugger runs code for anyone who asks"
        yield Finding("development", lines["command"], why, "nothing, if the image's CMD is for production")
    environment = service.values.get("environment")
    pairs = [f"{name}={value}" for name, value in environment.items()] if isinstance(environment, dict) else environment
    if any(SECRET.search(f" {each}") for each in pairs or () if not NO_SECRET.search(str(each))):
        why = "who has the file has the secret, and it is in git for ever"
        yield Finding("secret", lines["environment"], why, "${NAME:?set it in .env}, or a secret in a file")
    if not service.values.get("restart"):
        why = "after a crash, and after a restart of the machine, it stays down"
        yield Finding("restart", service.line, why, "restart: unless-stopped")


def _list(service: Service, key: str) -> list[Any]:
    value = service.values.get(key)
    return value if isinstance(value, list) else []
