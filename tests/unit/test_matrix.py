"""The matrix has every combination that leads to a different image or stack; its sample has every pair of answers."""

import json
from collections.abc import Iterator
from itertools import combinations as subsets
from itertools import product
from math import prod
from pathlib import Path

import pytest

from dockwright.errors import InvalidChoiceError, UnknownOptionError
from dockwright.matrix import cells, combination_id, combinations, sample
from dockwright.template import Template, load
from tests.unit.checkout import CONFLICT, CONFLICTING, add_option, copy_template
from tests.unit.conftest import Run

# Conflicts of three answers, which together rule out a pair that no single one rules out
RULED_OUT = {"framework": "fastapi", "extra": "b"}
CONFLICTS = [
    CONFLICT,
    {"when": {"extra": "c", "framework": "flask", "redis": "cache"}, "why": "no"},
    *({"when": {**RULED_OUT, "base_image": image}, "why": "no"} for image in load().options["base_image"].values),
]


def count(template: Template, *without: str) -> int:
    """Return the number of combinations of the main options, without those named."""
    options = template.options.values()
    return prod(
        len(option.values) for option in options if option.choices and option.name not in (*template.sampled, *without)
    )


def pairs(combination: dict[str, str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield each pair of answers to two options."""
    return subsets(combination.items(), 2)


def possible_pairs(template: Template) -> set[tuple[tuple[str, str], ...]]:
    """Return each pair of answers that occurs in some allowed combination of all options, found by trying them all."""
    options = [option for option in template.options.values() if option.choices]
    every = (
        dict(zip((option.name for option in options), answers, strict=True))
        for answers in product(*(option.values for option in options))
    )
    return {pair for answers in every if not template.objections(answers) for pair in pairs(answers)}


@pytest.fixture(params=["shipped", "conflict", "extra", "extra-conflicts"])
def variant(request: pytest.FixtureRequest, tmp_path: Path, template: Template) -> Template:
    """Return the template as it is, with made-up conflicts, with a made-up sampled option, and with both."""
    match request.param:
        case "conflict":
            return copy_template(tmp_path / "copy", _conflicts=[CONFLICT])
        case "extra":
            return copy_template(tmp_path / "copy", **add_option("extra", "a", "b", "c"))
        case "extra-conflicts":
            return copy_template(tmp_path / "copy", **add_option("extra", "a", "b", "c"), _conflicts=CONFLICTS)
    return template


def test_every_combination_is_there_once(template: Template) -> None:
    """The choices of the main options are multiplied; sampled options are at their default."""
    every = combinations()
    assert len(every) == len({tuple(answers.items()) for answers in every}) == count(template)
    assert {tuple(answers) for answers in every} == {tuple(o.name for o in template.options.values() if o.choices)}
    for name in template.sampled:
        assert {answers[name] for answers in every} == {template.options[name].default}


def test_sample_has_every_pair_of_answers(variant: Template) -> None:
    """Every possible pair of answers to two options is in the sample, which is small and has no conflict."""
    chosen = sample(variant)
    assert {pair for combination in chosen for pair in pairs(combination)} == possible_pairs(variant)
    # The made-up conflicts of three answers leave less room.
    assert len(chosen) <= (21 if variant.definition["_conflicts"] == CONFLICTS else 20)


def test_sample_is_deterministic(variant: Template) -> None:
    """The sample depends on the options only, so that all workers of a test run collect the same tests."""
    assert sample(variant) == sample(Template(variant.root))


def test_sample_distinguishes_cells_by_their_main_answers(template: Template) -> None:
    """No two combinations of the sample differ in sampled options only: together they cost one image and stack each."""
    main = [[answers[name] for name in answers if name not in template.sampled] for answers in sample()]
    assert all(main.count(answers) == 1 for answers in main)


def test_ids_are_unique(variant: Template) -> None:
    """No two cells share an id."""
    every = cells(variant)
    assert len({combination_id(answers, variant) for answers in every}) == len(every)


def test_cells_are_all_combinations_and_the_sample(variant: Template) -> None:
    """The cells are the combinations and the sample, each once."""
    every = cells(variant)
    assert every[: len(combinations(variant))] == combinations(variant)
    assert all(answers in every for answers in sample(variant))
    assert all(every.count(answers) == 1 for answers in every)


def test_sampled_option_is_in_the_id_only_when_unusual() -> None:
    """An id has the main answers in order, and at its end the sampled options that are not at their default."""
    fixed = {"framework": "flask", "base_image": "alpine", "database": "postgresql", "redis": "queue"}
    assert [combination_id(answers) for answers in combinations(**fixed)] == ["flask-alpine-postgresql-queue"]
    (older,) = combinations(**fixed, python_version="3.13", sample="none")
    assert combination_id(older) == "flask-alpine-postgresql-queue+python_version-3.13+sample-none"


def test_fixed_option_keeps_its_answer(template: Template) -> None:
    """A fixed option has one answer in every combination."""
    assert {answers["database"] for answers in combinations(database="mariadb")} == {"mariadb"}
    assert len(combinations(database="mariadb")) == count(template, "database")


def test_only_choices_can_be_fixed() -> None:
    """Free text and unknown choices are refused."""
    with pytest.raises(UnknownOptionError):
        combinations(port="5000")
    with pytest.raises(InvalidChoiceError):
        combinations(redis="yes")


def test_conflict_is_subtracted(conflicted: Template) -> None:
    """No matrix has a combination in conflict."""
    allowed = combinations(conflicted)
    assert len(allowed) == count(conflicted) - count(conflicted, *CONFLICTING)
    assert not any(CONFLICTING.items() <= answers.items() for answers in [*allowed, *sample(conflicted)])


def test_text_is_an_id_per_line(dockwright: Run) -> None:
    """The plain list has one id per line."""
    assert dockwright("matrix").stdout.splitlines() == [combination_id(answers) for answers in combinations()]


def test_json_has_ids_and_answers(dockwright: Run) -> None:
    """The JSON list has the id and the answers of each combination."""
    listed = json.loads(dockwright("matrix", "--format", "json", "--redis", "cache").stdout)
    assert listed == [{"id": combination_id(a), "answers": a} for a in combinations(redis="cache")]


def test_github_matrix_is_one_line(dockwright: Run) -> None:
    """The matrix for a workflow is one line of JSON with an `include` list."""
    output = dockwright("matrix", "--format", "github").stdout
    assert output.count("\n") == 1
    assert json.loads(output) == {"include": [{"id": combination_id(a), **a} for a in combinations()]}
