"""What the command line asks for: a place for the project, and the answers that are given."""

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dockwright.answers import read_answers
from dockwright.directory import check_contents, check_output_dir, check_target, kept
from dockwright.errors import UsageError
from dockwright.options import choose
from dockwright.template import Answers, Template

# What error messages call the operand
OPERAND = "NAME"


@dataclass(frozen=True)
class Place:
    """A new directory, which gets the project's slug as name, or one that exists."""

    output_dir: Path
    target: Path | None = None

    def directory(self, answers: Answers) -> Path:
        """Return the project's directory."""
        return self.target or self.output_dir / answers["project_slug"]

    def check(self, answers: Answers, *, writes: bool = True) -> None:
        """Raise an error if the project has no place there, or can't be written; change nothing."""
        if self.target:
            check_contents(self.target, writes=writes)
        else:
            check_output_dir(self.output_dir, writes=writes)
            check_target(self.directory(answers))

    def kept(self, files: Mapping[str, object]) -> list[str]:
        """Return which of a project's top-level names are there already, and stay as they are."""
        return kept({name.partition("/")[0] for name in files}, self.target) if self.target else []


@dataclass(frozen=True)
class Request:
    """The command line, with its answers put together."""

    template: Template
    place: Place
    operand: str | None
    # What is given; those of it that follow from the operand; and what error messages call each option
    given: Answers
    implied: Answers
    names: Mapping[str, str]
    switches: set[str]
    preset: str | None
    output_dir: Path | None
    save_as: Path | None
    has_file: bool  # of answers

    @property
    def stated(self) -> dict[str, str]:
        """What is given, else the answers of the preset."""
        preset = self.template.presets[self.preset].answers if self.preset else {}
        return {**preset, **self.given}

    @cached_property
    def answers(self) -> dict[str, str]:
        """What is stated, else defaults."""
        return self.template.complete(self.stated, self.names)

    def repeat(self, answers: Answers) -> str:
        """Return the command that makes a project with these answers at the same place, without questions."""
        from dockwright.report import repeat_command

        return repeat_command(self.template, answers, self.output_dir, self.operand, self.implied)


def read_request(template: Template, arguments: Namespace) -> Request:
    """Put the operand, a file of answers and flags together; raise errors for what can't be used."""
    values, typed = arguments.values, arguments.typed
    paths = {key: _path(values[key], typed[key]) for key in ("answers", "output_dir", "save_answers") if key in values}
    saved = read_answers(template, paths["answers"]) if "answers" in paths else {}
    place, named = _read_operand(template, arguments.operand, paths.get("output_dir", Path()))
    layers = [
        (saved, {name: f"{name} in {paths['answers']}" for name in saved}),
        (named, {"project_name": OPERAND}),
        ({name: answer for name, answer in values.items() if name in template.options}, typed),
    ]
    if place.target:
        # The name of a directory that exists is the weakest reason for an answer.
        layers[:2] = reversed(layers[:2])
    given: dict[str, str] = {}
    names = {option.name: option.flag for option in template.options.values()}
    if preset := values.get("preset"):
        names |= {name: f"{preset}'s {name}" for name in template.presets[preset].answers}
    for answers, called in layers:
        given |= answers
        names |= {name: called.get(name, template.options[name].flag) for name in answers}
    for name, option in template.options.items():
        if option.choices and name in given:
            given[name] = choose(names[name], given[name], option.choices)
    return Request(
        template,
        place,
        arguments.operand,
        given,
        # Where the command is repeated, a directory may have another name.
        dict.fromkeys(named, "") if place.target else named,
        names,
        arguments.switches,
        preset,
        paths.get("output_dir"),
        paths.get("save_answers"),
        "answers" in paths,
    )


def _read_operand(template: Template, operand: str | None, output_dir: Path) -> tuple[Place, dict[str, str]]:
    """Return the place that the operand names, and the answers that follow from it."""
    if operand is None:
        return Place(output_dir), {}
    path = output_dir / _path(operand, OPERAND)
    # An empty operand is a mistake, not this directory. `path.is_dir` raises an error for a name that is too long.
    exists = operand != "" and os.path.isdir(path)  # noqa: PTH112
    if exists:
        check_output_dir(path, writes=False)
    # `.` has a name too, a link has its own, and the root has none.
    name = Path(os.path.abspath(path)).name if exists else path.name  # noqa: PTH100
    if exists and not name:
        return Place(path.parent, path), {}
    slug = name
    if template.objections({"project_slug": name}):
        slug = template.default("project_slug", {"project_name": name})
    named = {"project_name": name, **({"project_slug": slug} if slug else {})}
    return Place(path.parent, path if exists else None), named


def _path(text: str, name: str) -> Path:
    """Return a path; expand `~`, which shells leave alone in `--output-dir=~/projects`."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        message = f"{name} {text} names an unknown user"
        raise UsageError(message) from None
