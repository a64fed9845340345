"""The command `dockerize`: look at an application, show the plan, write the files, and prove that they work."""

import json
import os
import re
import shutil
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from dockwright.commands import Command, Flag
from dockwright.errors import GeneratorError, StoppedError, UsageError, UselessOptionError
from dockwright.options import Choice
from dockwright.questions import Entry, Interface, Question
from dockwright.template import RECORD, Template

if TYPE_CHECKING:
    # Parsing and rendering wait until the command runs.
    from dockwright.dockerize.applications import Candidate
    from dockwright.dockerize.plan import Plan, View, Wishes
    from dockwright.dockerize.writing import Changes

EXIT_DECLINED = 1
# A name in a file like .env
ASSIGNED = re.compile(r"(?m)^\s*(?:export\s+)?(\w+)\s*=")
PROVE = (
    "Build and start it now, to prove that it works? It takes some minutes the first time, and leaves nothing running."
)


def flags(template: Template) -> list[Flag]:
    """Return the command's flags."""
    bases = template.options["base_image"].choices
    return [
        Flag(("--app",), "the application, where several are found", "MODULE:NAME"),
        Flag(
            ("--base-image", "--image"),
            "the base image",
            "CHOICE",
            tuple(Choice(each.value, each.text) for each in bases),
        ),
        Flag(("--python",), "the version of Python, such as 3.13", "VERSION"),
        Flag(("--port",), "the port that the server listens on", "NUMBER"),
        Flag(("--latest",), "don't go back to the versions of the day that old dependencies are from"),
        Flag(("--offline",), "don't ask the package index for versions and wheels"),
        Flag(
            ("--guide",),
            "also write a guide to what was written",
            "CHOICE",
            tuple(Choice(each.value, each.text) for each in template.options["guide"].choices),
        ),
        Flag(("--no-input", "-y"), "ask nothing, and write the files"),
        Flag(("--plain",), "ask in numbered lines, without moving the cursor"),
        Flag(("--prove",), "build it, start it and request it, in Docker"),
        Flag(("--force",), "replace files that are there, and keep copies of them"),
        Flag(("--dry-run",), "show the plan; write nothing"),
        Flag(("--diff",), "show what would change; write nothing"),
        Flag(("--json",), "print JSON; with --no-input, the files are written, too"),
    ]


def run(_: Template, arguments: Namespace) -> int:
    """Look, show, write and prove; return the exit status."""
    from dockwright.dockerize.guide import GUIDE
    from dockwright.dockerize.plan import beside_dockerfile, choose_application, look, make_plan

    switches = arguments.switches
    _check_flags(arguments)
    root = Path(arguments.operand or ".")
    if not root.is_dir():
        message = f"{root} is no directory: name the application's directory"
        raise UsageError(message)
    _check_origin(root)
    is_shown = bool(switches & {"dry_run", "diff"})
    asks = not is_shown and "no_input" not in switches and sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()
    interface = _interface(plain="plain" in switches) if asks else None
    wishes = _wishes(arguments)
    view = look(root)
    application = choose_application(view, wishes.app) or _ask_application(view, interface)
    plan = make_plan(view, application, wishes)
    _check_origin(root / plan.home)
    if wishes.guide and "force" not in switches and (kept := _explained(plan, root / plan.home)):
        wishes = replace(wishes, guide=False)
        plan = make_plan(view, application, wishes)
        note = f"{GUIDE} is not written: it would explain our {kept[0]}, and yours stays (--force replaces it)"
        plan = replace(plan, notes=(*plan.notes, note))
    if "force" not in switches:
        plan = beside_dockerfile(plan, root / plan.home)
    if is_shown:
        return _show(plan, root / plan.home, switches)
    if not interface and "no_input" not in switches:
        message = (
            "there is no terminal to ask in before files are written: pass --no-input to write them, or --dry-run to "
            "see the plan"
        )
        raise UsageError(message)
    return _write(view, plan, wishes, root, switches, interface)


def _check_origin(directory: Path) -> None:
    """Raise GeneratorError for a project that `dockwright new` has written."""
    from dockwright.report import compare_command, quote

    if (directory / RECORD).is_file() and (directory / "Dockerfile").is_file():
        check = quote(["dockwright", "check", *([str(directory)] if directory != Path() else [])])
        message = (
            f"{directory.resolve().name} was written by `dockwright new`, and has its Dockerfile already: `{check}` "
            f"looks at it, `{compare_command(directory)}` shows what has changed since"
        )
        raise GeneratorError(message)


def _explained(plan: "Plan", directory: Path) -> list[str]:
    """Return the files that the guide explains, and that stay as somebody else has written them."""
    from dockwright.dockerize.plan import FILES
    from dockwright.dockerize.writing import compare

    return [name for name in compare(plan.files, directory).different if name in FILES]


def _check_flags(arguments: Namespace) -> None:
    typed, switches = arguments.typed, arguments.switches
    looks = [typed[key] for key in ("dry_run", "diff") if key in switches]
    for key in ("force", "prove"):
        if looks and key in switches:
            raise UselessOptionError(typed[key], f"{looks[0]} writes nothing")
    if "json" in switches and not looks and "no_input" not in switches:
        message = "--json prints no questions: add --no-input, --dry-run or --diff"
        raise UsageError(message)


def _wishes(arguments: Namespace) -> "Wishes":
    from dockwright.dockerize.plan import Wishes

    values = arguments.values
    return Wishes(
        values.get("app", ""),
        _port(values["port"]) if "port" in values else None,
        _python(values["python"]) if "python" in values else "",
        values.get("base_image", "slim"),
        latest="latest" in arguments.switches,
        offline="offline" in arguments.switches,
        guide=values.get("guide") == "student",
    )


def _write(  # noqa: PLR0913, PLR0917 # what it depends on
    view: "View", plan: "Plan", wishes: "Wishes", root: Path, switches: set[str], interface: Interface | None
) -> int:
    """Show the plan, write it and prove it."""
    from dockwright.dockerize.writing import compare, write

    directory, quiet = root / plan.home, "json" in switches
    changes, force = compare(plan.files, directory), "force" in switches
    if not quiet:
        print(*_lines(plan, changes), "", sep="\n")
    if interface and changes.written(force=force) and not _agrees(interface, _question(changes, force=force)):
        print("Nothing was written.")
        return EXIT_DECLINED
    changes = write(plan.files, directory, force=force)
    proof = None
    try:
        if "prove" in switches or (interface and shutil.which("docker") and _agrees(interface, PROVE)):
            from dockwright.dockerize.prove import prove

            proof = prove(view, plan, wishes, directory, (lambda _: None) if quiet else print)
            plan = proof.plan
    except (KeyboardInterrupt, EOFError):
        raise StoppedError(directory) from None
    if quiet:
        kept = [] if force else list(changes.different)
        result = plan.data() | {"written": list(changes.written(force=force)), "kept": kept}
        print(json.dumps(result | ({"proof": proof.data()} if proof else {}), indent=2))
    else:
        print(*_conclusion(plan, root, changes, force=force), sep="\n")
    return 0


def _show(plan: "Plan", directory: Path, switches: set[str]) -> int:
    from dockwright.diff import differences
    from dockwright.dockerize.writing import compare

    changes = compare(plan.files, directory)
    diff = (
        "".join(differences({name: text.encode() for name, text in plan.files.items()}, directory))
        if "diff" in switches
        else ""
    )
    if "json" in switches:
        print(json.dumps(plan.data() | ({"diff": diff} if "diff" in switches else {}), indent=2))
    elif "diff" in switches:
        print(diff, end="")
    else:
        last = "Nothing was written. --diff shows the text of each file."
        print(*_lines(plan, changes), "", last, sep="\n")
    return 0


def _question(changes: "Changes", *, force: bool) -> str:
    """Return the question that names what is written."""
    parts = [f"write {', '.join(changes.new)}"] if changes.new else []
    parts += [f"replace {', '.join(changes.different)} and keep copies"] if force and changes.different else []
    question = ", and ".join(parts)
    return f"{question[0].upper()}{question[1:]}?"


def _lines(plan: "Plan", changes: "Changes") -> list[str]:
    """Return the plan as text."""
    from dockwright.dockerize.installing import CONSTRAINTS

    rows = plan.rows()
    column = max(map(len, rows)) + 2
    width = max(shutil.get_terminal_size().columns - 1, 60)
    lines = []
    for title, (value, reason) in rows.items():
        for position, (text, indent) in enumerate(((value, column), (reason, column + 2))):
            heading = f"{title:{column}}" if position == 0 else " " * indent
            lines += wrap(text, width, initial_indent=heading, subsequent_indent=" " * indent, break_on_hyphens=False)
    where = "" if plan.home == "." else f" in {plan.home}"
    lines += ["", f"Files{where}: {', '.join(plan.files)}"]
    if plan.constraints:
        manifest = plan.requirements.files[0]
        lines.append(f"{CONSTRAINTS} has the versions to install, because {manifest} doesn't fix them all.")
    if changes.different:
        lines.append(f"There already, and different: {', '.join(changes.different)}")
    for note in plan.notes:
        lines += wrap(f"Note: {note}.", width, subsequent_indent="  ", break_on_hyphens=False)
    return lines


def _conclusion(plan: "Plan", root: Path, changes: "Changes", *, force: bool) -> list[str]:
    from dockwright.dockerize.audit import audit, report
    from dockwright.dockerize.plan import EXAMPLE
    from dockwright.report import WINDOWS

    written = changes.written(force=force)
    untouched = "Nothing was written." if changes.different else "Everything is there already: nothing was changed."
    lines = [f"Wrote {', '.join(written)}." if written else untouched]
    env = root / plan.home / ".env"
    if changes.different and not force:
        lines.append(
            f"Kept: {', '.join(changes.different)}. --diff shows how ours differ, --force replaces and keeps copies."
        )
        if "Dockerfile" in changes.different:
            lines.append(f"The compose files expect the code in /app, and a server on port {plan.server.port}.")
            file = root / plan.home / "Dockerfile"
            lines += report(file, audit(file.read_text(encoding="utf-8", errors="replace")))
    if missing := _missing(plan, env):
        them = "them" if len(missing) > 1 else "it"
        lines.append(f"Add to your .env, as {EXAMPLE} has {them}: {', '.join(missing)}.")
    return [*lines, *_steps(plan, root, windows=WINDOWS)]


def _steps(plan: "Plan", root: Path, *, windows: bool) -> list[str]:
    """Return how to start it and see it answer, on a port that is free on this machine."""
    from dockwright.dockerize.plan import EXAMPLE
    from dockwright.report import curl, free_port, place_of, quote, up_command

    place, port = place_of(root / plan.home), str(plan.server.port)
    free = free_port(port)
    steps = [
        *([f"cd {quote([place], windows=windows)}"] if place != "." else []),
        *([f"cp {EXAMPLE} .env"] if plan.required and not (root / plan.home / ".env").exists() else []),
        up_command(free, port, windows=windows),
    ]
    return [
        "Start it:",
        "",
        *(f"  {step}" for step in steps),
        "",
        "In another terminal:",
        "",
        f"  {curl(windows=windows)} http://localhost:{free}{plan.around.health or '/'}",
    ]


def _missing(plan: "Plan", env: Path) -> list[str]:
    """Return the settings that an existing .env lacks."""
    from dockwright.dockerize.plan import EXAMPLE

    if not env.is_file():
        return []
    there = set(ASSIGNED.findall(env.read_text(encoding="utf-8", errors="replace")))
    return [name for name in ASSIGNED.findall(plan.files.get(EXAMPLE, "")) if name not in there]


def _ask_application(view: "View", interface: Interface | None) -> "Candidate":
    candidates = view.candidates
    if interface is None:
        known = "".join(f"\n  --app {quote_target(each.flag)}  ({each.evidence[0]})" for each in candidates)
        message = f"there are several applications, and nothing says which one is meant: pass one of{known}"
        if bare := candidates[0].bare:
            flag = candidates[0].flag
            message = (
                f"{flag} has no routes when it is imported: {bare}. Make a module that does, such as wsgi.py, and "
                f"pass its name, or pass one of{known}"
            )
        raise UsageError(message)
    entries = tuple(Entry(str(i), each.flag, "; ".join(each.evidence)) for i, each in enumerate(candidates))
    return candidates[int(interface.ask(Question("Which application?", "0", entries)))]


def quote_target(target: str) -> str:
    """Return a target as it is typed in a shell."""
    from dockwright.report import quote

    return quote([target])


def _agrees(interface: Interface, wording: str) -> bool:
    entries = (Entry("yes", "Yes", words=("y",)), Entry("no", "No", words=("n",)))
    return interface.ask(Question(wording, "yes", entries)) == "yes"


def _interface(*, plain: bool) -> Interface:
    from dockwright.plain import Plain
    from dockwright.wizard import is_plain

    if plain or is_plain(os.environ):
        return Plain()
    from dockwright.screen import Screen

    return Screen()


def _python(text: str) -> str:
    from dockwright.dockerize.python import KNOWN

    if not re.fullmatch(r"3\.[0-9]{1,2}", text):
        message = f"--python '{text}' can't be used: use a version of Python 3, such as 3.13"
        raise UsageError(message)
    if text not in KNOWN:
        message = f"--python '{text}' can't be used: use a version from {KNOWN[0]} to {KNOWN[-1]}"
        raise UsageError(message)
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 2**16:
        message = f"--port '{text}' can't be used: use a number from 1 to 65535"
        raise UsageError(message)
    return int(text)


COMMAND = Command(
    "dockerize",
    "write containers for a Flask or FastAPI application that exists",
    run,
    flags,
    operand="DIRECTORY",
)
