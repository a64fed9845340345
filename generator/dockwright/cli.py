"""The command line: flags from the template's options, and the one place where errors are reported."""

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from textwrap import wrap
from typing import Any, NoReturn

from dockwright import __version__
from dockwright.errors import (
    GeneratorError,
    NoTerminalError,
    UnknownCommandError,
    UnknownOptionError,
    UsageError,
    UselessOptionError,
)
from dockwright.matrix import combination_id, combinations
from dockwright.options import Option
from dockwright.template import Answers, Template, check_output_dir, check_target, load

FLAGS = ("--no-input", "--dry-run", "--output-dir", "--format", "--help", "--version")
EXIT_DECLINED = EXIT_OUTPUT_ERROR = 1
EXIT_INTERRUPTED = 130


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
            return _run(load(), argv)
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


def _run(template: Template, argv: Sequence[str] | None) -> int:
    given = _parse(template, argv)
    if given.pop("command", None) == "matrix":
        _list_combinations(template, given, given.pop("format", "text"))
        return 0
    no_input, dry_run = given.pop("no_input", False), given.pop("dry_run", False)
    output_dir = given.pop("output_dir", None)

    if dry_run:
        _show(template, template.complete(given), output_dir or Path())
        return 0
    answers = template.complete(given) if no_input else _ask(template, given, output_dir or Path())
    if answers is None:
        print("Nothing was written.")
        return EXIT_DECLINED
    _make(template, answers, output_dir, repeatable=not no_input)
    return 0


def _list_combinations(template: Template, fixed: Answers, output_format: str) -> None:
    by_id = {combination_id(answers, template): answers for answers in combinations(template, **fixed)}
    if output_format == "json":
        print(json.dumps([{"id": name, "answers": answers} for name, answers in by_id.items()], indent=2))
    elif output_format == "github":
        print(json.dumps({"include": [{"id": name, **answers} for name, answers in by_id.items()]}))
    else:
        print(*by_id, sep="\n")


def _show(template: Template, answers: Answers, output_dir: Path) -> None:
    from dockwright.report import describe

    check_output_dir(output_dir)
    check_target(output_dir / answers["project_slug"])
    rows = describe(template, answers, output_dir)
    width = max(map(len, rows))
    print(*(f"{title:{width}}  {text}" for title, text in rows.items()), "", "Nothing was written.", sep="\n")


def _ask(template: Template, given: Answers, output_dir: Path) -> Answers | None:
    template.check(given)
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError(option.flag for option in template.options.values())

    from dockwright.wizard import ask

    return ask(template, given, output_dir)


def _make(template: Template, answers: Answers, output_dir: Path | None, *, repeatable: bool) -> None:
    from dockwright.report import next_commands, repeat_command

    project = template.render(answers, output_dir or Path())
    print(f"Wrote {project}. Next:", "", *(f"  {line}" for line in next_commands(project)), sep="\n")
    if repeatable:
        print(
            "",
            "To generate it again without questions:",
            "",
            f"  {repeat_command(template, answers, output_dir)}",
            sep="\n",
        )


class _Parser(argparse.ArgumentParser):
    """A parser that raises errors for `main` to report."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that keeps line breaks, and indents the continuation of a long explanation."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        parts = []
        for line in text.splitlines():
            choice = re.match(r"  \S+ +", line)
            parts += wrap(line, width, subsequent_indent=" " * (choice.end() if choice else 0))
        return parts


def _parse(template: Template, argv: Sequence[str] | None) -> dict[str, Any]:
    parser = _parser(template.options.values())
    namespace, unknown = parser.parse_known_intermixed_args(argv)
    if unknown:
        raise UnknownOptionError(
            unknown[0].partition("=")[0], [*FLAGS, *(option.flag for option in template.options.values())]
        )
    given = vars(namespace)
    if given.get("command", "matrix") != "matrix":
        raise UnknownCommandError(given["command"], ["matrix"])
    matrix = "command" in given
    reason = "a matrix writes no project" if matrix else "it belongs to `dockwright matrix`"
    for name in ("no_input", "dry_run", "output_dir") if matrix else ("format",):
        if name in given:
            raise UselessOptionError(name, reason)
    return given


def _directory(text: str) -> Path:
    """Return a path; expand `~`, which shells leave alone in `--output-dir=~/projects`."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        message = f"{text} names an unknown user"
        raise argparse.ArgumentTypeError(message) from None


def _parser(options: Iterable[Option]) -> _Parser:
    parser = _Parser(
        prog="dockwright",
        usage="dockwright [--no-input] [--output-dir DIR] [--ANSWER ...]\n"
        "       dockwright matrix [--format FORMAT] [--ANSWER ...]",
        description="Generate a containerised web service from a few answers, in the terminal or as flags.\n"
        "With `matrix`, list every combination of answers that leads to a different image or stack.",
        epilog="exit status: 0 done, 1 refused or declined, 2 wrong usage, 130 interrupted: then nothing is written",
        formatter_class=partial(_Formatter, max_help_position=27),
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"dockwright {__version__}")
    parser.add_argument("--no-input", action="store_true", help="ask nothing: use the default where no flag is given")
    parser.add_argument("--dry-run", action="store_true", help="show what --no-input would generate, and write nothing")
    parser.add_argument(
        "--output-dir", type=_directory, metavar="DIR", help="where to create the project's directory (default: here)"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        help="of the matrix: text, one id per line (default);\njson, ids and answers;\ngithub, a workflow's matrix",
    )
    answers = parser.add_argument_group(
        "answers", "Each flag answers one question. With `matrix`, it fixes one option."
    )
    for option in options:
        metavar = "CHOICE" if option.choices else "TEXT"
        answers.add_argument(option.flag, metavar=metavar, help=_explain(option).replace("%", "%%"))
    return parser


def _explain(option: Option) -> str:
    default = "computed from earlier answers" if option.derived else option.default
    width = max(map(len, option.values), default=0)
    choices = (
        f"  {choice.value:{width}}  {choice.explanation if _same(choice.value, choice.label) else choice.text}"
        for choice in option.choices
    )
    return "\n".join((f"{option.wording} (default: {default})", *choices))


def _same(value: str, label: str) -> bool:
    return value.replace("-", " ") == label.casefold()
