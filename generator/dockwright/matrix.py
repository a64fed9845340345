"""The combinations of answers that the tests and CI go through."""

from collections.abc import Mapping
from itertools import product

from dockwright.errors import UnknownOptionError
from dockwright.template import Template, load


def combinations(template: Template | None = None, /, **fixed: str) -> list[dict[str, str]]:
    """Return every allowed combination of the options that have choices.

    A fixed option has one answer; a sampled option has its default unless it is fixed.
    Raises UnknownOptionError and InvalidChoiceError for answers that can't be fixed.
    """
    template = template or load()
    axes = _axes(template)
    axes |= {name: axes[name][:1] for name in template.sampled}
    for name, answer in fixed.items():
        if name not in axes:
            raise UnknownOptionError(name, axes, owner="a matrix")
        template.options[name].check(answer)
        axes[name] = (answer,)
    every = (dict(zip(axes, answers, strict=True)) for answers in product(*axes.values()))
    return [combination for combination in every if not template.objections(combination)]


def sample(template: Template | None = None, /) -> list[dict[str, str]]:
    """Return a few combinations in which every allowed pair of answers to two options occurs, sampled options included.

    A covering array, by the in-parameter-order algorithm: add one option after another, those of conflicts first, then
    those with the most choices. Give each row the answer that covers the most missing pairs; put the pairs that are
    still missing into rows where their options are open, or else into new rows.
    """
    template = template or load()
    axes = _axes(template)
    in_conflict = {name for conflict in template.definition["_conflicts"] for name in conflict["when"]}
    rows: list[dict[str, str]] = []
    missing: list[dict[str, str]] = []

    def answer(row: dict[str, str], name: str) -> None:
        def value(choice: str) -> tuple[int, int]:
            items = {**row, name: choice}.items()
            return sum(pair.items() <= items for pair in missing), -sum(other.get(name) == choice for other in rows)

        row[name] = max((choice for choice in axes[name] if _is_possible(template, {**row, name: choice})), key=value)
        missing[:] = [pair for pair in missing if not pair.items() <= row.items()]

    covered: list[str] = []
    for name in sorted(axes, key=lambda name: (name not in in_conflict, -len(axes[name]))):
        others = [{other: choice} for other in covered for choice in axes[other]] or [{}]
        pairs = ({**other, name: choice} for other in others for choice in axes[name])
        missing += [pair for pair in pairs if _is_possible(template, pair)]
        for row in rows:
            answer(row, name)
        for pair in missing:
            fitting = (row for row in rows if _fits(row, pair) and _is_possible(template, row | pair))
            row = next(fitting, {})
            if not row:
                rows.append(row)
            row |= pair
        missing.clear()
        covered.append(name)
    for row in rows:
        for name in [name for name in axes if name not in row]:
            answer(row, name)
    return [{name: row[name] for name in axes} for row in rows]


def cells(template: Template | None = None, /) -> list[dict[str, str]]:
    """Return every combination, followed by those of the sample that are not among them."""
    every = combinations(template)
    return every + [combination for combination in sample(template) if combination not in every]


def combination_id(combination: Mapping[str, str], template: Template | None = None) -> str:
    """Return the name of a combination: its main answers, then `+option-answer` for each unusual sampled one."""
    template = template or load()
    options = [option for option in template.options.values() if option.choices and option.name in combination]
    main = [combination[option.name] for option in options if option.name not in template.sampled]
    unusual = [
        f"+{option.name}-{combination[option.name]}"
        for option in options
        if option.name in template.sampled and combination[option.name] != option.default
    ]
    return "-".join(main) + "".join(unusual)


def _axes(template: Template) -> dict[str, tuple[str, ...]]:
    return {option.name: option.values for option in template.options.values() if option.choices}


def _fits(row: Mapping[str, str], pair: Mapping[str, str]) -> bool:
    return all(row.get(name, choice) == choice for name, choice in pair.items())


def _is_possible(template: Template, answers: Mapping[str, str]) -> bool:
    """Tell whether some allowed combination has these answers; only the options of conflicts can prevent it."""
    conflicts = template.definition["_conflicts"]
    left = sorted({name for conflict in conflicts for name in conflict["when"]} - answers.keys())
    choices = product(*(template.options[name].values for name in left))
    return any(not template.objections({**answers, **dict(zip(left, choice, strict=True))}) for choice in choices)
