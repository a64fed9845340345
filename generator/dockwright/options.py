"""The questions of `cookiecutter.json` as objects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockwright.errors import InvalidChoiceError


@dataclass(frozen=True)
class Choice:
    """One answer to choose from, with the text that the wizard shows."""

    value: str
    text: str
    synonyms: tuple[str, ...] = ()  # what others call it: suggested, and not accepted

    @property
    def label(self) -> str:
        """The part of the text before the colon."""
        return self.text.partition(": ")[0]

    @property
    def explanation(self) -> str:
        """The part of the text after the colon: what the choice means, and when to take it."""
        return self.text.partition(": ")[2]


@dataclass(frozen=True)
class Option:
    """One question: its name, its wording, and the answers that it allows."""

    name: str
    wording: str
    default: str
    choices: tuple[Choice, ...] = ()
    rule: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The flag that answers this question on the command line."""
        return self.flags[0]

    @property
    def flags(self) -> tuple[str, ...]:
        """The flag, and its short forms."""
        return tuple(f"--{name.replace('_', '-')}" for name in (self.name, *self.aliases))

    @property
    def title(self) -> str:
        """The question in short, as the summary shows it."""
        return self.wording.partition(",")[0]

    @property
    def values(self) -> tuple[str, ...]:
        """The answers to choose from; empty for free text."""
        return tuple(choice.value for choice in self.choices)

    @property
    def derived(self) -> bool:
        """Whether the default is computed from other answers."""
        return "{{" in self.default

    def check(self, answer: str) -> None:
        """Raise InvalidChoiceError if there are choices and the answer is not one of them."""
        if self.choices and answer not in self.values:
            raise InvalidChoiceError(self.name, answer, self.values)


@dataclass(frozen=True)
class Preset:
    """Named answers to some of the questions, with what they are good for."""

    name: str
    why: str
    answers: Mapping[str, str]


def choose(name: str, answer: str, choices: Sequence[Choice]) -> str:
    """Return the value that the answer is, in any case; `name` is what the error message calls the question."""
    typed = answer.casefold()
    known = {choice.value.casefold(): choice.value for choice in choices}
    if typed not in known:
        meant = next((choice.value for choice in choices if typed in choice.synonyms), None)
        raise InvalidChoiceError(name, answer, known.values(), meant)
    return known[typed]


def read_presets(definition: Mapping[str, Any]) -> Iterator[Preset]:
    """Yield the presets of a `cookiecutter.json` in order."""
    for name, preset in definition["_presets"].items():
        yield Preset(name, preset["why"], preset["answers"])


def read_options(definition: Mapping[str, Any]) -> Iterator[Option]:
    """Yield the options of a `cookiecutter.json` in order."""
    for name, value in definition.items():
        if name.startswith("_"):
            continue
        texts = definition["__prompts__"][name]
        aliases = tuple(alias for alias, option in definition["_aliases"].items() if option == name)
        if isinstance(value, list):
            choices = tuple(Choice(answer, texts[answer], _synonyms(definition, answer)) for answer in value)
            yield Option(name, texts["__prompt__"], value[0], choices, aliases=aliases)
        else:
            rule = definition["_rules"].get(name, {}).get("why", "")
            yield Option(name, texts, value, rule=rule, aliases=aliases)


def _synonyms(definition: Mapping[str, Any], answer: str) -> tuple[str, ...]:
    return tuple(word for word, choice in definition["_synonyms"].items() if choice == answer)
