"""What a set of answers leads to, read from the rendered project."""

from dataclasses import dataclass
from functools import cache

from dockwright.template import Answers, Template


@dataclass(frozen=True)
class Service:
    """A service of the development stack."""

    name: str
    image: str
    port: str | None
    needs: tuple[str, ...]


def render_once(template: Template, answers: Answers) -> dict[str, bytes]:
    """Return the content of each file of the project, by its path."""
    return _render(template, tuple(answers.items()))


def files(template: Template, answers: Answers) -> dict[str, int]:
    """Return the size in bytes of each file of the project, by its path."""
    return {name: len(content) for name, content in render_once(template, answers).items()}


def services(template: Template, answers: Answers) -> list[Service]:
    """Return the services that `docker compose up` starts, in order."""
    import yaml

    stack = yaml.safe_load(render_once(template, answers)["compose.yaml"])
    return [
        Service(
            name,
            service["image"],
            service["ports"][0].rpartition(":")[2] if "ports" in service else None,
            tuple(service.get("depends_on", ())),
        )
        for name, service in stack["services"].items()
    ]


@cache
def _render(template: Template, answers: tuple[tuple[str, str], ...]) -> dict[str, bytes]:
    return template.files(dict(answers))
