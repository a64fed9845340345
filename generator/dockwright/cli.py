"""The command line: its subcommands, and the one place where errors are reported."""

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from io import TextIOWrapper

from dockwright import completion, listing, new
from dockwright.commands import Command, parse, table
from dockwright.dockerize import audit
from dockwright.dockerize import command as dockerize
from dockwright.errors import GeneratorError, UnknownCommandError, UsageError
from dockwright.options import choose
from dockwright.template import Template, load

COMPLETION = "completion"
EXIT_OUTPUT_ERROR = 1
EXIT_INTERRUPTED = 130
EXIT_STATUSES = {
    0: "done",
    1: "refused or declined: nothing was written; or a proof or a check failed",
    2: "wrong usage: nothing was written",
    EXIT_INTERRUPTED: "interrupted: nothing was written",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # Clean up on SIGTERM and SIGHUP as on Ctrl-C, unless they are ignored (nohup).
    for stop in {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
        if signal.getsignal(stop) is signal.SIG_DFL:
            signal.signal(stop, signal.default_int_handler)
    # Don't fail if the terminal's encoding lacks a character of an answer.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(load(), sys.argv[1:] if argv is None else argv)
        finally:
            # Flush here: an error while Python exits could not be reported.
            print(end="", flush=True)
    except GeneratorError as error:
        for sentence in str(error).splitlines():
            print(f"error: {sentence}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        # Python flushes again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # A reader such as `head` has closed the pipe: not an error.
        if not isinstance(error, BrokenPipeError):
            print(f"error: the output can't be written ({error.strerror})", file=sys.stderr)
        return EXIT_OUTPUT_ERROR
    except (KeyboardInterrupt, EOFError):
        print("\nstopped: nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED


def _run(template: Template, words: Sequence[str]) -> int:
    match words:
        case ["-h" | "--help" | "help", *_]:
            print(_help())
            return 0
        case ["--version", *_]:
            print(f"dockwright {template.version}")
            return 0
        case [str(name), *rest] if not name.startswith("-"):
            if name not in COMMANDS:
                raise UnknownCommandError(name, COMMANDS)
            command = COMMANDS[name]
            return command.run(template, parse(command, template, rest))
    # Without a subcommand, flags are those of `new`.
    arguments = parse(new.COMMAND, template, words)
    if operand := arguments.operand:
        message = f"the command comes first: dockwright {operand if operand in COMMANDS else f'new {operand}'} …"
        raise UsageError(message)
    return new.COMMAND.run(template, arguments)


def _help() -> str:
    commands = table((command.name, command.summary) for command in COMMANDS.values())
    return "\n".join(
        (
            "usage: dockwright [COMMAND] [--FLAG ...]",
            "",
            "Generate a containerised Flask or FastAPI service from a few answers.",
            "",
            "commands; `dockwright COMMAND --help` lists the flags of one:",
            *(f"  {line}" for line in commands),
            "",
            "exit status:",
            *(f"  {line}" for line in table((str(status), meaning) for status, meaning in EXIT_STATUSES.items())),
            "",
            "dockwright --version prints the version.",
        )
    )


def _complete(template: Template, arguments: Namespace) -> int:
    if not arguments.operand:
        message = f"name a shell: dockwright {COMPLETION} {' | '.join(completion.SHELLS)}"
        raise UsageError(message)
    shell = choose(f"SHELL of `dockwright {COMPLETION}`", arguments.operand, completion.SHELLS)
    print(completion.SHELLS[shell](template, COMMANDS.values()), end="")
    return 0


# A subcommand is added here.
COMMANDS = {
    command.name: command
    for command in (
        new.COMMAND,
        dockerize.COMMAND,
        audit.COMMAND,
        listing.MATRIX,
        listing.PRESETS,
        Command(
            COMPLETION,
            f"print what a shell completes with: {', '.join(completion.SHELLS)}",
            _complete,
            operand="SHELL",
            operands=tuple(completion.SHELLS),
        ),
    )
}
