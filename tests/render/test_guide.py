"""The guide explains what the project has, all of it, and nothing else."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from dockwright.template import load

# Words -> answers without which a project has nothing to do with them
FOREIGN: dict[str, dict[str, str]] = {
    r"flask": {"framework": "flask"},
    r"fastapi": {"framework": "fastapi"},
    r"postgres\w*": {"database": "postgresql"},
    r"mariadb": {"database": "mariadb"},
    r"sqlite": {"database": "sqlite"},
    r"databases?|migrat\w+|alembic|tables": {"database": "(?!none)"},
    r"redis|REDIS\w+": {"redis": "(?!none)"},
    r"the cache and the queue|a cache may|Redis, the cache": {"redis": ".*cache"},
    r"queues?|worker|jobs?": {"redis": ".*queue"},
    r"caddy\w*|proxy|HTTPS|twin": {"proxy": "caddy"},
    r"prometheus|metrics|alert": {"metrics": "prometheus"},
    r"products": {"sample": "products"},
}


@pytest.fixture(scope="session")
def guide(answers: dict[str, str]) -> str:
    """Return the guide that a project has, or would have: it depends on the other answers alone."""
    template = load()
    return template.text("GUIDE.md", template.complete({**answers, "guide": "student"}))


def test_guide_is_rendered(answers: dict[str, str], texts: dict[str, str]) -> None:
    """A project with a guide has it as it is tested here, and its README links to it."""
    assert ("GUIDE.md" in texts) == ("(GUIDE.md)" in texts["README.md"]) == (answers["guide"] == "student")
    if answers["guide"] == "student":
        assert texts["GUIDE.md"] == load().text("GUIDE.md", load().complete(answers))


def test_dockerfile_is_quoted(guide: str, texts: dict[str, str]) -> None:
    """The guide quotes each line of the Dockerfile but its comments, as it is there, and no other."""
    assert set(code(guide, "dockerfile")) == set(instructions(texts["Dockerfile"]))


def test_dockerfile_is_explained(guide: str, texts: dict[str, str]) -> None:
    """Each instruction has a heading; each of its flags, variables and labels is explained; nothing else is."""
    text = "\n".join(instructions(texts["Dockerfile"]))
    chapter = chapters(guide)["3. The Dockerfile"]
    headings, keywords = (
        re.findall(r"^### `([A-Z]+)`$", chapter, re.MULTILINE),
        re.findall(r"^[A-Z]+", text, re.MULTILINE),
    )
    assert set(headings) == set(keywords)
    assert explained(chapter) == set(dockerfile_terms(text))


def test_compose_files_are_explained(guide: str, texts: dict[str, str]) -> None:
    """The section on a compose file explains each key, anchor and variable that no file before has; none is foreign."""
    before: set[str] = set()
    names = ("compose.yaml", "compose.prod.yaml", "compose.observability.yaml")
    assert {name for name in texts if name.startswith("compose")} <= set(names)
    for name in filter(texts.get, names):
        terms = compose_terms(texts[name])
        assert terms - before <= explained(section(guide, name)) <= terms, name
        before |= terms


def test_nothing_foreign(answers: dict[str, str], guide: str) -> None:
    """The guide doesn't speak of what the project hasn't."""
    for words, needed in FOREIGN.items():
        if not all(re.match(pattern, answers[option]) for option, pattern in needed.items()):
            assert re.findall(rf"^.*\b(?:{words})\b.*$", guide, re.MULTILINE | re.IGNORECASE) == [], words


def test_outputs_are_of_the_default_project(answers: dict[str, str], guide: str) -> None:
    """A project with the default answers shows outputs, and no other does."""
    choices = {option.name: option.default for option in load().options.values() if option.choices}
    default = answers == {**choices, "guide": answers["guide"], "port": load().options["port"].default}
    assert ("```text" in guide) == default


def test_commands_are_one_line_each(guide: str) -> None:
    """A reader types one line at a time: no command goes on in the next line, so bash and PowerShell take it."""
    commands = [line for language in ("sh", "powershell") for line in code(guide, language)]
    assert [line for line in commands if not line or line.endswith(("\\", "`"))] == []


def chapters(guide: str) -> dict[str, str]:
    """Return the text of each chapter by its title."""
    _, *parts = re.split(r"^## ", guide, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts}


def section(guide: str, name: str) -> str:
    """Return the text below the heading that names a file, up to the next heading."""
    found = re.search(rf"^##+ .*`{re.escape(name)}`$(.*?)(?=^##)", guide, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def explained(chapter: str) -> set[str]:
    """Return the terms that a chapter explains: list items that begin with one or more of them, and a colon."""
    items = re.findall(r"^- (`[^`]+`(?:, `[^`]+`)*): ", chapter, re.MULTILINE)
    return {term for item in items for term in re.findall(r"`([^`]+)`", item)}


def code(guide: str, language: str) -> Iterator[str]:
    """Yield the lines of the guide's code in a language."""
    for block in re.findall(rf"^```{language}\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()


def instructions(dockerfile: str) -> Iterator[str]:
    """Yield the lines of a Dockerfile that are neither empty nor comments."""
    for line in dockerfile.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def dockerfile_terms(text: str) -> Iterator[str]:
    """Yield what has to be explained in instructions: flags, variables, labels, and the names of stages."""
    for instruction in text.replace("\\\n", " ").splitlines():
        keyword, _, rest = instruction.partition(" ")
        yield from re.findall(r"--mount=(?:type=\w+|from)|--(?!mount)[a-z-]+", rest)
        if keyword in ("ARG", "ENV", "LABEL"):
            yield from re.findall(r"(?:^| )([A-Za-z_.]+)(?==|$|\s)", re.sub(r'"[^"]*"', "", rest))
        if " AS " in rest:
            yield "AS"


@cache
def compose_terms(text: str) -> frozenset[str]:
    """Return what has to be explained in a compose file: keys, anchors, and variables that Compose replaces."""
    tokens = list(yaml.scan(text))
    anchors = {f"&{token.value}" for token in tokens if isinstance(token, yaml.AnchorToken)}
    return frozenset({*keys(yaml.compose(text)), *anchors, *re.findall(r"\$\{(\w+)", text)})


def keys(node: Any) -> Iterable[str]:  # noqa: ANN401 # PyYAML has no types for nodes
    """Yield the keys of a YAML node and of everything in it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value
            yield from keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from keys(value)
