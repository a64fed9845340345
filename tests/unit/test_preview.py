"""What answers lead to is read from the real template: files, services, and who talks to whom."""

import json
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
import yaml

from dockwright.matrix import combination_id, sample
from dockwright.panel import LINES, MEASURED_OPTIONS, Panel
from dockwright.preview import Service, drawing, files, render_once, services, talks, tree
from dockwright.template import Template, render

FULL = {"database": "postgresql", "redis": "cache-and-queue", "port": "8123"}
SERVICES = [
    Service("web", "shop:development", "8123", ("migrate", "redis")),
    Service("worker", "shop:development", None, ("migrate", "redis")),
    Service("migrate", "shop:development", None, ("db",), once=True),
    Service("db", "postgres:18", None, ()),
    Service("redis", "redis:8", None, ()),
]


def test_files_are_those_that_are_written(template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths and sizes are those of the project, and nothing is left of the rendering."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    answers = {**FULL, "project_name": "Never rendered before"}
    sizes = files(template, answers)
    assert not list((tmp_path / "temporary").iterdir())
    project = render(answers, tmp_path)
    assert sizes == {
        path.relative_to(project).as_posix(): path.stat().st_size for path in project.rglob("*") if path.is_file()
    }


def test_services_are_those_of_the_stack(template: Template) -> None:
    """Images, fixed ports, what a service waits for and what runs once are those of compose.yaml."""
    assert services(template, {**FULL, "project_slug": "shop"}) == SERVICES


def test_same_answers_are_rendered_once(template: Template) -> None:
    """A second look at the same answers takes no rendering."""
    assert render_once(template, FULL) is render_once(template, dict(reversed(FULL.items())))


@pytest.mark.parametrize("combination", sample(), ids=combination_id)
def test_drawing_has_every_talk(template: Template, combination: dict[str, str]) -> None:
    """Each long-running service is drawn, with an arrow to each that it reaches through its environment."""
    stack = yaml.safe_load(render_once(template, combination)["compose.yaml"])["services"]
    reached = {
        name: {
            host for url in service.get("environment", {}).values() for host in re.findall("//.*?([a-z]+)/", str(url))
        }
        for name, service in stack.items()
    }
    partners = talks(services(template, combination))
    assert {name: set(others) for name, others in partners.items()} == {
        name: reached[name] & stack.keys() for name in partners
    }
    drawn = drawing(services(template, combination))
    assert sum(line.count("▶") for line in drawn) == sum(map(len, partners.values()))
    # It fits a terminal of 40 columns, below its title.
    assert max(map(len, drawn)) <= 35


def test_drawing() -> None:
    """Callers are on the left with their port, what they call on the right with its image."""
    assert drawing(SERVICES) == [
        "web :8123 ─┬─▶ db     postgres:18",
        "           └─▶ redis  redis:8",
        "worker ────┬─▶ db",
        "           └─▶ redis",
    ]


def test_tree_counts_what_is_in_a_directory() -> None:
    """Directories come first, with the number of all files in them."""
    paths = {"b": 1, "a/c": 1, "a/d/e": 1, "f/g": 1}
    assert tree(paths) == [("a/", "2 files"), ("f/", "1 file"), ("b", "")]


def test_sizes_are_measured_for_every_image(template: Template) -> None:
    """Each framework is measured on each base image."""
    measured = template.definition["_measured"]
    pairs = product(*(template.options[name].values for name in MEASURED_OPTIONS))
    assert list(measured["megabytes"]) == ["-".join(pair) for pair in pairs]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured["date"])


def test_sizes_of_base_images_are_those_of_the_labels(template: Template) -> None:
    """What the generated guide says of a base image's size is what the wizard says."""
    sizes = template.definition["_base_image_sizes"]
    choices = {choice.value: choice.text for choice in template.options["base_image"].choices}
    assert {name: f"about {size};" in choices[name] for name, size in sizes.items()} == dict.fromkeys(choices, True)


def test_panel_compares_with_the_baseline(template: Template) -> None:
    """The facts of a choice are there once `changed` was called; files are compared with those of the baseline."""
    outcomes = {name: {"redis": name} for name in ("none", "queue")}
    with ThreadPoolExecutor(1) as executor:
        panel = Panel(template, outcomes, "none", json.dumps, executor)
        changes: list[bool] = []
        assert panel.facts("queue") == {}
        panel.start("queue", lambda: changes.append(True))
    assert len(changes) == len(outcomes)
    facts = panel.facts("queue")
    assert facts.keys() == LINES.keys()
    assert "worker" in facts["Services"][0]
    assert json.loads(facts["Command"][0]) == template.complete({"redis": "queue"})
    assert " MB on top of python:3.14-slim (measured on " in facts["Image"][0]
    assert facts["Files"][1].startswith("+ app/queue.py  ")
    assert len(panel.facts("none")["Files"]) == 1


def test_panel_says_why_there_is_nothing(conflicted: Template) -> None:
    """Where the answers can't be used together, the panel says why."""
    with ThreadPoolExecutor(1) as executor:
        panel = Panel(conflicted, {"none": {"database": "none", "redis": "queue"}}, "none", json.dumps, executor)
        panel.start("none", lambda: None)
    assert panel.facts("none")["Services"][0].startswith("database=none with redis=queue can't be used")
