"""The guide: what was written, quoted and explained in a first-year student's words.

Its texts are Markdown in the form of the guide that new projects get: what both say is taken from there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment

from dockwright.dockerize.services import MARIADB, POSTGRESQL
from dockwright.template import Template, load

if TYPE_CHECKING:
    from dockwright.dockerize.plan import Plan

GUIDE = "GUIDE.md"
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
# A list item that explains one or more terms
ITEM = re.compile(r"^- ((?:`[^`]+`, )*`[^`]+`): (.+)\n", re.MULTILINE)
TOP = "At the top"
INDENT = 2
QUOTE = re.compile(r"^```dockerfile\n.*?^```\n+", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Words:
    """Explanations: prose by heading, and the list items that explain terms, by term."""

    sections: Mapping[str, str]
    items: Mapping[str, str]


def explain(plan: "Plan", environment: Environment, context: Mapping[str, Any]) -> str:
    """Return the guide to a plan's files."""
    shared = read_words(load().text(GUIDE, _answers(load(), plan)))
    own = read_words(environment.get_template("words.md.jinja").render(context, shared=shared.sections))
    words = Words(own.sections, {**shared.items, **own.items})
    told: set[str] = set()
    return environment.get_template("GUIDE.md.jinja").render(
        context,
        shared=shared.sections,
        dockerfile="\n".join(_dockerfile(plan.files["Dockerfile"], words)),
        development="\n".join(_compose(plan.files["compose.yaml"], words, told)),
        production="\n".join(_compose(plan.files["compose.prod.yaml"], words, told)),
    )


def read_words(text: str) -> Words:
    """Return what a guide explains: its prose without quotes of the Dockerfile, and its items."""
    _, *parts = HEADING.split(text)
    sections = {
        re.sub(r"^`(.+)`$", r"\1", heading): re.sub(r"\n{3,}", "\n\n", ITEM.sub("", QUOTE.sub("", body))).strip()
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }
    items = {term: match[0].strip() for match in ITEM.finditer(text) for term in re.findall(r"`([^`]+)`", match[1])}
    return Words(sections, items)


def _answers(template: Template, plan: "Plan") -> dict[str, str]:
    """Return the answers of a new project that comes nearest."""
    services = {name for name, _ in plan.around.services}
    # The first stage of two begins with the full image.
    base = "full" if plan.has_build_stage and plan.base == "slim" else plan.base
    answers = template.complete(
        {
            "framework": plan.application.entry.framework,
            "base_image": base,
            "database": MARIADB if MARIADB in services else POSTGRESQL,
            "redis": "queue",
        }
    )
    return answers | {"project_slug": plan.name, "python_version": plan.python.version, "port": str(plan.server.port)}


def _dockerfile(text: str, words: Words) -> Iterator[str]:
    """Yield each instruction as it is there, under the heading that fits it best, and what is new in it."""
    told: set[str] = set()
    above: set[str] = set()
    for instruction in instructions(text):
        keyword = instruction.partition(" ")[0]
        if keyword == "FROM":
            above = set(told)
        heading = max((each for each in words.sections if instruction.startswith(each)), key=len)
        if heading not in told:
            yield f"### `{heading}`\n"
        yield f"```dockerfile\n{instruction}\n```\n"
        if heading in above:
            yield "As in the stage above.\n"
        for section in dict.fromkeys((keyword, heading)):
            if section not in told:
                told.add(section)
                yield f"{words.sections[section]}\n"
        if items := list(_items(dockerfile_terms(instruction), words, told)):
            yield "\n".join((*items, ""))


def _compose(text: str, words: Words, told: set[str]) -> Iterator[str]:
    """Yield what is new in a compose file, service by service."""
    blocks: dict[str, list[str]] = {}
    title, top = TOP, ""
    services = yaml.safe_load(text)["services"]
    for column, term in compose_terms(text):
        if term in services and column > INDENT:
            # It depends on this one, whose turn comes later.
            continue
        if column == 0:
            top, title = term, TOP if title == TOP else "At the end"
        elif column == INDENT and top == "services":
            title = f"The service `{term}`"
        blocks.setdefault(title, []).append(term)
    for title, terms in blocks.items():
        if items := list(_items(terms, words, told)):
            yield "\n".join((f"{title}:", "", *items, ""))


def _items(terms: Iterable[str], words: Words, told: set[str]) -> Iterator[str]:
    """Yield the items for those terms that have not been explained."""
    for term in terms:
        item = words.items.get(term)
        if item and item not in told:
            told.add(item)
            yield item


def instructions(dockerfile: str) -> Iterator[str]:
    """Yield each instruction of a Dockerfile as it is written, without comments."""
    lines: list[str] = []
    for line in dockerfile.splitlines():
        if line.strip() and not line.startswith("#"):
            lines.append(line)
            if not line.endswith("\\"):
                yield "\n".join(lines)
                lines = []


def dockerfile_terms(instruction: str) -> Iterator[str]:
    """Yield what needs words of its own in an instruction: flags, variables, and the name of a stage."""
    keyword, _, rest = instruction.replace("\\\n", " ").partition(" ")
    if keyword == "ENV":
        yield from re.findall(r"(?:^| )([A-Za-z_]+)(?==)", rest)
    if " AS " in rest:
        yield "AS"
    yield from re.findall(r"(?<![\w-])(--mount=(?:type=\w+|from)|--(?!mount)[\w-]+)", rest)


def compose_terms(text: str) -> Iterator[tuple[int, str]]:
    """Yield the keys of a compose file with their columns, its anchors, and the variables that Compose replaces."""
    is_key = False
    for token in yaml.scan(text):
        if isinstance(token, yaml.AnchorToken):
            yield -1, f"&{token.value}"
        elif isinstance(token, yaml.ScalarToken):
            if is_key:
                yield token.start_mark.column, token.value
            yield from ((-1, name) for name in re.findall(r"\$\{(\w+)", token.value))
            is_key = False
        elif isinstance(token, yaml.KeyToken):
            is_key = True
