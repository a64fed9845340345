"""Every combination of answers that makes a different image or stack: what the tests and CI go through."""

from collections.abc import Mapping
from itertools import product

from dockwright.errors import UnknownOptionError
from dockwright.template import Template, load


def combinations(template: Template | None = None, /, **fixed: str) -> list[dict[str, str]]:
    """Return every allowed combination of the options that have choices.

    A fixed option keeps its one answer; a sampled one stays at its default unless it is fixed.
    Raises UnknownOptionError and InvalidChoiceError for answers that can't be fixed.
    """
    template = template or load()
    axes = {option.name: option.values for option in template.options.values() if option.choices}
    axes |= {name: axes[name][:1] for name in template.sampled}
    for name, answer in fixed.items():
        if name not in axes:
            raise UnknownOptionError(name, axes, whole="a matrix")
        template.options[name].check(answer)
        axes[name] = (answer,)
    every = (dict(zip(axes, answers, strict=True)) for answers in product(*axes.values()))
    return [combination for combination in every if not template.objections(combination)]


def combination_id(combination: Mapping[str, str], template: Template | None = None) -> str:
    """Return the name of a combination: its choices in order, then a sampled one that is not at its default."""
    template = template or load()
    options = [option for option in template.options.values() if option.name in combination]
    main = [option for option in options if option.name not in template.sampled]
    sampled = [option for option in options if option.name in template.sampled]
    unusual = [option for option in sampled if combination[option.name] != option.default]
    return "-".join(combination[option.name] for option in (*main, *unusual))
