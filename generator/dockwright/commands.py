"""Subcommands and their flags, from which the parser, the help and the completion are made."""

import argparse
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, NoReturn, TextIO

from dockwright.errors import UnknownFlagError, UsageError
from dockwright.options import Choice, Option, choose
from dockwright.template import Template

# A subcommand is added here: its name, then its module and the name in it. Modules are imported when they are needed.
COMMANDS = {
    "new": ("dockwright.new", "COMMAND"),
    "dockerize": ("dockwright.dockerize.command", "COMMAND"),
    "check": ("dockwright.dockerize.audit", "COMMAND"),
    "matrix": ("dockwright.listing", "MATRIX"),
    "presets": ("dockwright.listing", "PRESETS"),
    "completion": ("dockwright.completion", "COMMAND"),
}
# The command whose flags bare `dockwright` has
BARE = "new"
# As a flag's value: explain the flag's choices.
HELP = "help"


@dataclass(frozen=True)
class Flag:
    """A flag: its names, what it is for, and the value that it takes, if any."""

    names: tuple[str, ...]
    text: str
    metavar: str = ""
    choices: tuple[Choice, ...] = ()
    # Its line in the help, if that is not its text; None hides it
    row: str | None = ""

    @property
    def key(self) -> str:
        """The name of its value in the arguments."""
        return self.names[0].lstrip("-").replace("-", "_")

    @property
    def line(self) -> str | None:
        """Its line in the help."""
        return self.row if self.row != "" else ", ".join(self.values) or self.text

    @property
    def values(self) -> tuple[str, ...]:
        """The values to choose from."""
        return tuple(choice.value for choice in self.choices)


@dataclass(frozen=True)
class Command:
    """A subcommand: how it is called, and what it does. `flags` and `answers` depend on the template."""

    name: str
    summary: str
    run: Callable[[Template, argparse.Namespace], int]
    flags: Callable[[Template], Sequence[Flag]] = lambda _: ()
    answers: Callable[[Template], Sequence[Option]] = lambda _: ()
    operand: str = ""
    operands: tuple[str, ...] = ()

    def every_flag(self, template: Template) -> list[Flag]:
        """Return the flags that give answers, then the others."""
        return [*_answer_flags(self.answers(template), template.extra), *self.flags(template)]


def find_command(name: str) -> Command:
    """Return the subcommand of this name."""
    module, attribute = COMMANDS[name]
    command: Command = getattr(import_module(module), attribute)
    return command


def parse(command: Command, template: Template, words: Sequence[str]) -> argparse.Namespace:
    """Parse the words after a subcommand; print help and exit if they ask for it.

    Return the operand, the `switches` that are on, the `values` of the other flags, and each of these as `typed`.
    """
    empty = argparse.Namespace(operand=None, switches=set(), values={}, typed={})
    arguments, unknown = _parser(command, template).parse_known_intermixed_args(words, empty)
    if unknown and unknown[0].startswith("-"):
        known = (name for flag in command.every_flag(template) for name in flag.names)
        raise UnknownFlagError(command.name, unknown[0].partition("=")[0], known)
    if unknown and not command.operand:
        message = f"dockwright {command.name} takes flags only: leave out {unknown[0]}"
        raise UsageError(message)
    if unknown:
        message = f"{unknown[0]} is one word too many: put quotes around a text with spaces"
        raise UsageError(message)
    return arguments


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, with columns that are as wide as they have to be."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def wrapped(line: str, stream: TextIO | None) -> str:
    """Break a line between words if the stream is a terminal; commands, which are indented, stay whole."""
    if line.startswith(" ") or not (stream and stream.isatty()):
        return line
    return fill(line, max(get_terminal_size().columns - 1, 20), break_long_words=False, break_on_hyphens=False)


def explain(flag: Flag) -> str:
    """Return what each choice of a flag means; the first one is the default."""
    width = max(map(len, flag.values))
    lines = [f"{flag.names[0]}: {flag.text}", ""]
    for choice in flag.choices:
        text = choice.explanation if _same(choice.value, choice.label) else choice.text
        indent = " " * (width + 4)
        lines.append(fill(f"  {choice.value:{width}}  {text}", get_terminal_size().columns, subsequent_indent=indent))
    return "\n".join(lines)


class _Parser(argparse.ArgumentParser):
    """A parser that raises errors for the command line to report."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _Keep(argparse.Action):
    """Keep a flag as it was typed, with its value; answer a question about its choices."""

    def __init__(self, *, flag: Flag, **settings: Any) -> None:  # noqa: ANN401 # passed to argparse
        super().__init__(**settings)
        self.flag = flag

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Follow argparse's protocol."""
        typed, value = str(option_string), str(values)
        namespace.typed[self.dest] = typed
        if not self.flag.metavar:
            namespace.switches.add(self.dest)
            return
        if self.flag.choices:
            if value.casefold() == HELP:
                print(explain(self.flag))
                parser.exit()
            value = choose(typed, value, self.flag.choices)
        namespace.values[self.dest] = value


def _parser(command: Command, template: Template) -> _Parser:
    operand = f" [{command.operand}]" if command.operand else ""
    parser = _Parser(
        usage=f"dockwright {command.name}{operand} [--FLAG ...]",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=27),
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    if command.operand:
        parser.add_argument("operand", nargs="?", help=argparse.SUPPRESS)
    answers = list(_answer_flags(command.answers(template), template.extra))
    example = next((flag.names[0] for flag in answers if flag.choices), "")
    for title, flags in {
        f"answers, the default first; `{example} {HELP}` explains its choices": answers,
        "options": command.flags(template),
    }.items():
        # argparse leaves out a group without flags.
        group = parser.add_argument_group(title)
        for flag in flags:
            # Only one name is shown, where a value would follow each.
            shown = [flag.names[:1], flag.names[1:]] if flag.metavar else [flag.names]
            for names, row in zip(filter(None, shown), (flag.line, None), strict=False):
                group.add_argument(
                    *names,
                    action=_Keep,
                    flag=flag,
                    dest=flag.key,
                    nargs=None if flag.metavar else 0,
                    metavar=flag.metavar or None,
                    help=argparse.SUPPRESS if row is None else row.replace("%", "%%"),
                )
    return parser


def _answer_flags(options: Sequence[Option], extra: Collection[str]) -> Iterator[Flag]:
    """Yield a flag for each option; those with free text share lines of the help, and so do the extra ones."""
    texts = [option for option in options if not option.choices]
    rare = [option for option in options if option.name in extra]
    for option in options:
        first, *others = next((group for group in (texts, rare) if option in group), [option])
        parts = [
            ", ".join(option.values),
            ", ".join(f"or {flag}" for flag in option.flags[1:]),
            f"and {', '.join(other.flag for other in others)}" if others and not option.choices else "",
            *(f"{other.flag} {', '.join(other.values)}" for other in others if other.choices),
        ]
        row = "; ".join(filter(None, parts)) if option is first else None
        yield Flag(option.flags, option.wording, "CHOICE" if option.choices else "TEXT", option.choices, row)


def _same(value: str, label: str) -> bool:
    return value.replace("-", " ") == label.casefold()
