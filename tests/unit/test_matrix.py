"""The matrix holds every combination that makes a different image or stack, and no other."""

import json

import pytest

from dockwright.errors import InvalidChoiceError, UnknownOptionError
from dockwright.matrix import combination_id, combinations
from dockwright.template import Template
from tests.unit.checkout import CLASH
from tests.unit.conftest import Run


def test_every_combination_is_there_once(template: Template) -> None:
    """The choices of all options but the sampled ones are multiplied: 96 combinations, each with every option."""
    every = combinations()
    assert len(every) == len({tuple(answers.items()) for answers in every}) == 96
    assert {tuple(answers) for answers in every} == {tuple(o.name for o in template.options.values() if o.choices)}


def test_ids_are_unique() -> None:
    """No two combinations share an id."""
    assert len({combination_id(answers) for answers in combinations()}) == 96


def test_sampled_option_is_in_the_id_only_when_unusual() -> None:
    """An id holds the choices in order, and a sampled option at its end when it is not at its default."""
    fixed = {"framework": "flask", "base_image": "alpine", "database": "postgresql", "redis": "queue"}
    assert [combination_id(answers) for answers in combinations(**fixed)] == ["flask-alpine-postgresql-queue"]
    older = combinations(**fixed, python_version="3.13")
    assert [combination_id(answers) for answers in older] == ["flask-alpine-postgresql-queue-3.13"]


def test_fixed_option_keeps_its_answer() -> None:
    """A fixed option takes part with one answer."""
    assert {answers["database"] for answers in combinations(database="mariadb")} == {"mariadb"}
    assert len(combinations(database="mariadb")) == 24


def test_what_is_no_choice_cannot_be_fixed() -> None:
    """Free text and unknown choices are refused."""
    with pytest.raises(UnknownOptionError):
        combinations(port="5000")
    with pytest.raises(InvalidChoiceError):
        combinations(redis="yes")


def test_conflict_is_subtracted(conflicted: Template) -> None:
    """A combination in conflict is in no matrix."""
    allowed = combinations(conflicted)
    assert len(allowed) == 90
    assert not any(CLASH.items() <= answers.items() for answers in allowed)


def test_text_is_an_id_per_line(dockwright: Run) -> None:
    """The plain list holds the ids."""
    assert dockwright("matrix").stdout.splitlines() == [combination_id(answers) for answers in combinations()]


def test_json_holds_ids_and_answers(dockwright: Run) -> None:
    """The JSON list pairs each id with its answers."""
    listed = json.loads(dockwright("matrix", "--format", "json", "--redis", "cache").stdout)
    assert listed == [{"id": combination_id(a), "answers": a} for a in combinations(redis="cache")]


def test_github_matrix_is_one_line(dockwright: Run) -> None:
    """What a workflow's matrix takes is one line of JSON, with an `include` list."""
    output = dockwright("matrix", "--format", "github").stdout
    assert output.count("\n") == 1
    assert json.loads(output) == {"include": [{"id": combination_id(a), **a} for a in combinations()]}
