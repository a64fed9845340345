"""What answers lead to: the files, the services and who talks to whom, read from a rendered project."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from dockwright.template import Answers, Template


@dataclass(frozen=True)
class Service:
    """A service of the development stack; `port` is its fixed one on this machine, `once` that it ends by itself."""

    name: str
    image: str
    port: str | None
    needs: tuple[str, ...]
    once: bool = False


def files(template: Template, answers: Answers) -> dict[str, int]:
    """Return the size in bytes of each file of the project, by its path."""
    return {name: len(content) for name, content in render_once(template, answers).items()}


def services(template: Template, answers: Answers) -> list[Service]:
    """Return the services of the development stack, in order."""
    return list(_services(render_once(template, answers)["compose.yaml"]))


def render_once(template: Template, answers: Answers) -> Mapping[str, bytes]:
    """Return the content of each file of the project, by its path; render only what has not been rendered before."""
    return _render(template, tuple(sorted(answers.items())))


def talks(stack: Sequence[Service]) -> dict[str, list[str]]:
    """Return each service that stays, with those that it talks to, also through a service that runs once."""
    by_name = {service.name: service for service in stack}

    def needs(service: Service) -> Iterator[str]:
        for name in service.needs:
            yield from needs(by_name[name]) if by_name[name].once else [name]

    return {service.name: list(dict.fromkeys(needs(service))) for service in stack if not service.once}


def drawing(stack: Sequence[Service]) -> list[str]:
    """Draw who talks to whom."""
    by_name = {service.name: service for service in stack}
    partners = talks(stack)
    asked = {name for others in partners.values() for name in others}
    titles = {name: f"{name} :{port}" if (port := by_name[name].port) else name for name in partners}
    callers = [name for name in partners if name not in asked]
    left = max((len(titles[name]) for name in callers), default=0)
    right = max(map(len, asked), default=0)
    lines = []
    described = set()
    for caller in callers:
        others = partners[caller]
        if not others:
            lines.append(titles[caller])
        for number, name in enumerate(others):
            start = f"{titles[caller]} {'─' * (left - len(titles[caller]) + 1)}" if number == 0 else " " * (left + 2)
            fork = "─" if len(others) == 1 else "┬" if number == 0 else "└" if number == len(others) - 1 else "├"
            image = "" if name in described else f"  {by_name[name].image}"
            lines.append(f"{start}{fork}─▶ {name:{right}}{image}".rstrip())
            described.add(name)
    return lines


def tree(paths: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return the entries at the top of the project: directories with the number of their files, then files."""
    counts = Counter(path.partition("/")[0] for path in paths if "/" in path)
    directories = [(f"{name}/", f"{count} files" if count > 1 else "1 file") for name, count in sorted(counts.items())]
    return [*directories, *((path, "") for path in sorted(paths) if "/" not in path)]


# cookiecutter changes the working directory of the process: one rendering at a time.
_RENDERING = Lock()


@lru_cache(maxsize=128)
def _render(template: Template, answers: tuple[tuple[str, str], ...]) -> Mapping[str, bytes]:
    with _RENDERING:
        return template.files(dict(answers))


@lru_cache(maxsize=128)
def _services(compose: bytes) -> tuple[Service, ...]:
    import yaml

    definitions: dict[str, Any] = yaml.safe_load(compose)["services"]
    once = {
        name
        for definition in definitions.values()
        for name, need in definition.get("depends_on", {}).items()
        if need["condition"] == "service_completed_successfully"
    }
    return tuple(
        Service(
            name,
            definition["image"],
            next(filter(None, map(_port, definition.get("ports", ()))), None),
            tuple(definition.get("depends_on", ())),
            name in once,
        )
        for name, definition in definitions.items()
    )


def _port(published: str) -> str | None:
    """Return the port on this machine, without the variable that overrides it, or None if it is a free one."""
    addressed = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", published).rpartition(":")[0]
    return addressed.rpartition(":")[2] or None
