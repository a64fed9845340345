"""The command `new`: take answers from where they are given, ask for the rest, and write the project."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dockwright.answers import check_new_file, read_answers, write_answers
from dockwright.commands import Command, Flag, table
from dockwright.directory import check_contents, check_output_dir, check_target, kept
from dockwright.errors import NoTerminalError, UsageError, UselessOptionError
from dockwright.git import check_git, enclosing_repository, init_repository
from dockwright.options import Choice, choose
from dockwright.template import RECORD, Answers, Template

EXIT_DECLINED = 1
OPERAND = "NAME"
README = "README.md"


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    template: Template
    # The parent of the new directory, or the directory that exists
    output_dir: Path
    target: Path | None
    # The answers that are given, those of them that follow from the operand, and what error messages call each
    given: Answers
    implied: Answers
    names: Mapping[str, str]
    preset: str | None
    switches: set[str]

    @cached_property
    def answers(self) -> dict[str, str]:
        """The given answers, those of the preset, and defaults."""
        preset = self.template.presets[self.preset].answers if self.preset else {}
        return self.template.complete({**preset, **self.given}, self.names)

    def directory(self, answers: Answers) -> Path:
        """Return the project's directory."""
        return self.target or self.output_dir / answers["project_slug"]

    def kept(self, files: Mapping[str, object]) -> list[str]:
        """Return the names of the files that are there and stay as they are."""
        return kept({name.partition("/")[0] for name in files}, self.target) if self.target else []


def flags(template: Template) -> list[Flag]:
    """Return the flags besides those of the answers."""
    presets = tuple(Choice(preset.name, f"{preset.name}: {preset.why}") for preset in template.presets.values())
    return [
        Flag(("--no-input", "-y"), "ask nothing: what is not given is the default"),
        Flag(("--plain",), "ask in numbered lines, without moving the cursor"),
        Flag(("--preset",), "A set of answers to start from", "NAME", presets),
        Flag(("--answers",), f"take answers from TOML, JSON or a {RECORD}", "FILE"),
        Flag(("--save-answers",), "write the answers to a new .toml or .json", "FILE"),
        Flag(("--output-dir",), "create the project's directory there, not here", "DIR"),
        Flag(("--git",), "run `git init`, unless in a repository already"),
        Flag(("--dry-run",), "show answers, services and files; write nothing"),
        Flag(("--diff",), "show what would change there; write nothing"),
        Flag(("--json",), "print JSON"),
    ]


def run(template: Template, arguments: Namespace) -> int:
    """Write a project, or show what would be written; return the exit status."""
    typed, switches = arguments.typed, arguments.switches
    looks = [typed[key] for key in ("dry_run", "diff") if key in switches]
    for key in ("git", "save_answers"):
        if looks and key in typed:
            raise UselessOptionError(typed[key], f"{looks[0]} writes nothing")
    if "json" in switches and not looks and "no_input" not in switches:
        message = "--json prints no questions: add --no-input, --dry-run or --diff"
        raise UsageError(message)

    request = _read(template, arguments)
    if looks:
        _show(request)
        return 0
    save_as = _path(arguments.values, typed, "save_answers")
    if save_as:
        check_new_file(save_as)
    if "git" in switches:
        check_git()
    answers = request.answers if "no_input" in switches else _ask(request)
    if answers is None:
        print("Nothing was written.")
        return EXIT_DECLINED
    _write(request, answers, save_as, arguments.operand, _path(arguments.values, typed, "output_dir"))
    return 0


def _read(template: Template, arguments: Namespace) -> Request:
    """Put the operand, a file of answers and flags together; flags win."""
    values, typed = arguments.values, arguments.typed
    file = _path(values, typed, "answers")
    saved = read_answers(template, file) if file else {}
    flags = {name: answer for name, answer in values.items() if name in template.options}
    output_dir, target, named = _path(values, typed, "output_dir") or Path(), None, {}
    if arguments.operand is not None:
        path = output_dir / _expand(arguments.operand, OPERAND)
        # Not `path.is_dir`: it raises an error for a name that is too long.
        target = path if arguments.operand and os.path.isdir(path) else None  # noqa: PTH112
        output_dir = path.parent
        if target:
            check_output_dir(target)
        name = Path(os.path.abspath(path)).name if target else path.name  # noqa: PTH100 # links are not followed
        named = {"project_name": name}
        if slug := _slug(template, name):
            named["project_slug"] = slug
    layers = [
        (saved, {name: f"{name} in {file}" for name in saved}),
        (named, {"project_name": OPERAND}),
        (flags, typed),
    ]
    if target:
        # The name of a directory that exists is the weakest reason for an answer.
        layers[:2] = reversed(layers[:2])
    given: dict[str, str] = {}
    names = {option.name: option.flag for option in template.options.values()}
    for answers, called in layers:
        given |= answers
        names |= {name: called.get(name, names[name]) for name in answers}
    for name, option in template.options.items():
        if option.choices and name in given:
            given[name] = choose(names[name], given[name], option.values)
    return Request(
        template, output_dir, target, given, {} if target else named, names, values.get("preset"), arguments.switches
    )


def _slug(template: Template, name: str) -> str:
    """Return a name that can be a slug as it is; else the slug that it leads to."""
    if template.objections({"project_slug": name}):
        return template.default("project_slug", {"project_name": name})
    return name


def _ask(request: Request) -> Answers | None:
    template = request.template
    template.check(request.given, request.names)
    if request.target:
        check_contents(request.target)
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError(option.flag for option in template.options.values())

    from dockwright.wizard import ask

    return ask(
        template,
        request.given,
        request.output_dir,
        plain="plain" in request.switches,
        target=request.target,
        preset=request.preset,
    )


def _show(request: Request) -> None:
    """Print what would be written, or how it differs from what is there."""
    from dockwright import preview
    from dockwright.diff import differences
    from dockwright.report import describe

    template, answers = request.template, request.answers
    directory = request.directory(answers)
    if "diff" not in request.switches:
        if request.target:
            check_contents(request.target)
        else:
            check_output_dir(request.output_dir)
            check_target(directory)
    files, services = preview.files(template, answers), preview.services(template, answers)
    stays = request.kept(files)
    changes = "".join(differences(template.files(answers), directory)) if "diff" in request.switches else None
    if "json" in request.switches:
        plan: dict[str, Any] = {
            "version": template.version,
            "directory": str(directory.absolute()),
            "answers": answers,
            "services": [asdict(service) for service in services],
            "files": files,
            "kept": stays,
        }
        print(json.dumps(plan if changes is None else {**plan, "diff": changes}, indent=2))
    elif changes is not None:
        print(changes, end="")
    else:
        print(*table(describe(template, answers, request.output_dir, request.target).items()), "", sep="\n")
        rows = [(s.name, s.image, s.port or "", f"after {', '.join(s.needs)}" if s.needs else "") for s in services]
        print("Services of `docker compose up`, with their ports:", "", *table(rows), "", sep="\n")
        print(f"{len(files)} files, {sum(files.values()):,} bytes:", "", sep="\n")
        print(*table((name, f"{size:,}") for name, size in files.items()), "", sep="\n")
        if stays:
            print(f"Kept as they are: {', '.join(stays)}.")
        print("Nothing was written.")


def _write(
    request: Request, answers: Answers, save_as: Path | None, operand: str | None, output_dir: Path | None
) -> None:
    """Write the project, and print what comes next."""
    from dockwright.report import quote, repeat_command, start

    template, project = request.template, request.directory(answers)
    if request.target:
        stays = template.render_into(answers, request.target)
    else:
        stays = []
        template.render(answers, request.output_dir)
    if save_as:
        write_answers(save_as, answers)
    repository = None
    if "git" in request.switches:
        repository = enclosing_repository(project)
        if not repository:
            init_repository(project)
    readme = template.text(README, answers) if README in stays else (project / README).read_text(encoding="utf-8")
    steps = start(project, readme, answers["port"])
    repeat = repeat_command(template, answers, output_dir, operand, request.implied)
    if "json" in request.switches:
        result = {
            "version": template.version,
            "directory": str(project.absolute()),
            "answers": answers,
            "kept": stays,
            "next": [*steps.commands, steps.request],
            "repeat": repeat,
        }
        print(json.dumps(result, indent=2))
        return
    where = "the project into this directory" if str(project) == "." else project
    print(f"Wrote {where}. Start it:", "", *steps.lines(), sep="\n")
    if stays:
        compare = quote(["dockwright", "new", str(project), "--answers", str(project / RECORD), "--diff"])
        print(
            "",
            f"Kept as they were: {', '.join(stays)}. What Dockwright would write there:",
            "",
            f"  {compare}",
            sep="\n",
        )
    if repository:
        print("", f"No git repository was made: {repository} is one already.", sep="\n")
    if "no_input" not in request.switches:
        print("", f"To generate it again, with Dockwright {template.version}:", "", f"  {repeat}", sep="\n")


def _path(values: Mapping[str, str], typed: Mapping[str, str], key: str) -> Path | None:
    return _expand(values[key], typed[key]) if key in values else None


def _expand(text: str, name: str) -> Path:
    """Return a path; expand `~`, which shells leave alone in `--output-dir=~/projects`."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        message = f"{name} {text} names an unknown user"
        raise UsageError(message) from None


COMMAND = Command(
    "new",
    "write a new project; this is also what bare `dockwright` does",
    run,
    flags,
    lambda template: tuple(template.options.values()),
    "NAME or DIRECTORY",
)
