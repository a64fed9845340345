"""The command line: its subcommands, and the one place where errors are reported."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

from dockwright.commands import BARE, COMMANDS, find_command, parse, table, wrapped
from dockwright.errors import GeneratorError, UnknownCommandError, UsageError
from dockwright.template import Template, load

EXIT_OUTPUT_ERROR = 1
EXIT_INTERRUPTED = 130
# Windows has no SIGHUP.
STOPS = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
EXIT_STATUSES = {
    0: "done",
    1: "declined, or not possible here; or a check or a proof failed",
    2: "wrong usage, or an answer that can't be used",
    EXIT_INTERRUPTED: "interrupted",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # Don't fail if the terminal's encoding lacks a character of an answer.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    status = 0
    with _stopped_once():
        try:
            status = _try(load(), sys.argv[1:] if argv is None else argv)
            # Flush here: an error while Python exits could not be reported.
            print(end="", flush=True)
        except OSError as error:
            _discard(sys.stdout)
            # A reader such as `head` has closed the pipe: not an error.
            if not status and not isinstance(error, BrokenPipeError):
                _complain(f"error: the output can't be written ({error.strerror})")
            status = status or EXIT_OUTPUT_ERROR
    return status


def _try(template: Template, words: Sequence[str]) -> int:
    """Run the command line, and report errors and interrupts."""
    try:
        return _run(template, words)
    except GeneratorError as error:
        for line in str(error).splitlines():
            # A command is indented.
            _complain(line if line.startswith(" ") else wrapped(f"error: {line}", sys.stderr))
        return error.exit_code
    except (KeyboardInterrupt, EOFError):
        _complain("\nstopped: nothing was written")
        return EXIT_INTERRUPTED


def _complain(sentence: str) -> None:
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        # A terminal that was closed can't show it.
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    # Python flushes once more when it exits, and a failure would become the exit status.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _stopped_once() -> Iterator[None]:
    """Clean up on SIGTERM and SIGHUP as on Ctrl-C, and finish that: a terminal that closes may send two signals."""
    before = {number: signal.getsignal(number) for number in STOPS}
    # What is ignored stays ignored (nohup).
    mine = [number for number, handler in before.items() if handler in {signal.SIG_DFL, signal.default_int_handler}]

    def stop(*_: object) -> None:
        for number in mine:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in mine:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in mine:
            if signal.getsignal(number) is stop:
                signal.signal(number, before[number])


def _run(template: Template, words: Sequence[str]) -> int:
    match words:
        case ["help", str(name), *_] if name in COMMANDS:
            return _run(template, [name, "--help"])
        case ["-h" | "--help" | "help", *_]:
            print(_help())
            return 0
        case ["-V" | "--version", *_]:
            print(f"dockwright {template.version}")
            return 0
        case [str(name), *rest] if not name.startswith("-"):
            if name not in COMMANDS:
                raise UnknownCommandError(name, COMMANDS)
            command = find_command(name)
            return command.run(template, parse(command, template, rest))
    bare = find_command(BARE)
    arguments = parse(bare, template, words)
    if operand := arguments.operand:
        message = f"the command comes first: dockwright {operand if operand in COMMANDS else f'new {operand}'} …"
        raise UsageError(message)
    return bare.run(template, arguments)


def _help() -> str:
    commands = table((name, find_command(name).summary) for name in COMMANDS)
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
            "dockwright -V, or --version, prints the version.",
        )
    )
