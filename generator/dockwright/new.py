"""The command `new`: show a project, or ask for what is not given and write it."""

import json
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from dockwright.answers import check_new_file, read_answers, write_answers
from dockwright.commands import Command, Flag, table, wrapped
from dockwright.directory import check_contents
from dockwright.errors import GeneratorError, NoTerminalError, StoppedError, UsageError, UselessOptionError
from dockwright.git import check_git, enclosing_repository, init_repository
from dockwright.options import Choice
from dockwright.request import Request, read_request
from dockwright.template import RECORD, Answers, Template

EXIT_DECLINED = 1
README = "README.md"


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
        # One line for both, so that the help fits a screen
        Flag(("--diff",), "show what would change there; write nothing", row="show what would change; --json: as JSON"),
        Flag(("--json",), "print JSON", row=None),
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

    request = read_request(template, arguments)
    if looks:
        _show(request)
        return 0
    if request.save_as:
        check_new_file(request.save_as)
    if "git" in switches:
        check_git()
    answers, confirmed = (request.answers, True) if "no_input" in switches else _ask(request)
    if not confirmed:
        print("Nothing was written. These answers as a command:", "", f"  {request.repeat(answers)}", sep="\n")
        return EXIT_DECLINED
    project, kept = _write(request, answers)
    try:
        _conclude(request, answers, project, kept)
    except KeyboardInterrupt:
        raise StoppedError(project) from None
    return 0


def _show(request: Request) -> None:
    """Print what would be written, or how it differs from what is there."""
    from dockwright import preview
    from dockwright.diff import differences
    from dockwright.report import describe, ignore_warning

    template, place, answers = request.template, request.place, request.answers
    diff = "diff" in request.switches
    if not diff:
        place.check(answers, writes=False)
    files, services = preview.files(template, answers), preview.services(template, answers)
    changes, notes = "", list[str]()
    if diff:
        directory = place.directory(answers)
        dropped, notes = _dropped(request, directory)
        changes = "".join(differences(preview.render_once(template, answers), directory, dropped))
    kept = place.kept(files)
    if "json" in request.switches:
        plan = {
            "version": template.version,
            "directory": str(place.directory(answers).absolute()),
            "answers": answers,
            "services": [asdict(service) for service in services],
            "files": files,
            "kept": kept,
        }
        print(json.dumps(plan | ({"diff": changes} if diff else {}), indent=2))
        _note(notes)
        return
    if diff:
        print(changes, end="")
        _note(notes)
        return
    rows = [
        (service.name, service.image, service.port or "", f"after {', '.join(service.needs)}" if service.needs else "")
        for service in services
    ]
    print(
        *table(describe(template, answers, place.output_dir, place.target).items()),
        "",
        "Services of `docker compose up`, with their ports:",
        *(f"  {line}" for line in table(rows)),
        "",
        f"{len(files)} files, {sum(files.values()):,} bytes:",
        *(f"  {line}" for line in table((name, f"{size:,}") for name, size in files.items())),
        "",
        *([f"Kept as they are: {', '.join(kept)}."] if kept else ()),
        *filter(None, [ignore_warning(template, answers, place.directory(answers))]),
        "Nothing was written.",
        sep="\n",
    )


def _note(lines: list[str]) -> None:
    """Print lines on standard error, below the output: that may be long, and piped to `git apply`."""
    print(end="", flush=True)
    for line in lines:
        print(wrapped(line, sys.stderr), file=sys.stderr)


def _dropped(request: Request, directory: Path) -> tuple[list[str], list[str]]:
    """Return the files that the answers in the directory's record led to, and these answers don't.

    Return also the lines that the reader of a diff has to know.
    """
    from dockwright.preview import files
    from dockwright.report import compare_command

    record = directory / RECORD
    if not record.is_file():
        return [], []
    notes = []
    if not request.has_file:
        notes = [f"note: these are not the answers in {record}; for those:", f"  {compare_command(directory)}"]
    try:
        before = files(request.template, request.template.complete(read_answers(request.template, record)))
    except GeneratorError as error:
        return [], [*notes, f"note: files that are no longer needed are not shown: {error}"]
    return sorted(before.keys() - files(request.template, request.answers).keys()), notes


def _ask(request: Request) -> tuple[Answers, bool]:
    template, place = request.template, request.place
    template.check(request.stated, request.names)
    if place.target:
        check_contents(place.target)
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError(option.flag for option in template.options.values())

    from dockwright.wizard import ask

    return ask(
        template,
        request.given,
        place.output_dir,
        repeat=request.repeat,
        target=place.target,
        preset=request.preset,
        plain="plain" in request.switches,
    )


def _write(request: Request, answers: Answers) -> tuple[Path, list[str]]:
    """Write the project; return its directory, and the names in it that were there and are kept."""
    if request.place.target:
        return request.place.target, request.template.render_into(answers, request.place.target)
    return request.template.render(answers, request.place.output_dir), []


def _conclude(request: Request, answers: Answers, project: Path, kept: list[str]) -> None:
    """Do what was asked for besides, and print what comes next."""
    from dockwright.report import compare_command, ignore_warning, start

    template = request.template
    if request.save_as:
        write_answers(request.save_as, answers)
    repository = enclosing_repository(project) if "git" in request.switches else None
    if "git" in request.switches and not repository:
        init_repository(project)
    readme = template.text(README, answers) if README in kept else (project / README).read_text(encoding="utf-8")
    steps = start(project, readme, answers["port"], kept=README in kept)
    repeat = request.repeat(answers)
    if "json" in request.switches:
        result = {
            "version": template.version,
            "directory": str(project.absolute()),
            "answers": answers,
            "kept": kept,
            "next": [*steps.commands, steps.request],
            "repeat": repeat,
        }
        print(json.dumps(result, indent=2))
        return
    asked = "no_input" not in request.switches
    where = "the project into this directory" if str(project) == "." else project
    lines = [*([""] if asked else ()), f"Wrote {where}. Start it:", "", *steps.lines()]
    if kept:
        further = ", and how to go on" if README in kept else ""
        lines += ["", f"Kept as they were: {', '.join(kept)}. What Dockwright would write there{further}:", ""]
        lines += [f"  {compare_command(project)}"]
    if warning := ignore_warning(template, answers, project):
        lines += ["", warning]
    if repository:
        lines += ["", f"No git repository was made: {repository} is one already."]
    if asked:
        lines += ["", f"To generate it again elsewhere, with Dockwright {template.version}:", "", f"  {repeat}"]
    print(*(wrapped(line, sys.stdout) for line in lines), sep="\n")


COMMAND = Command(
    "new",
    "write a new project; this is also what bare `dockwright` does",
    run,
    flags,
    lambda template: tuple(template.options.values()),
    "NAME or DIRECTORY",
)
