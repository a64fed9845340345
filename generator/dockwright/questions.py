"""A question as both interfaces ask it: the screen with its lists, and plain lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dockwright.panel import Panel

if TYPE_CHECKING:
    from dockwright.preview import Service  # after the first question


class BackError(Exception):
    """The user wants to go back to the question before."""


@dataclass(frozen=True)
class Entry:
    """One line of a list; `refusal` says why it can't be chosen, `words` are typed for it in plain lines."""

    value: str
    label: str
    explanation: str = ""
    refusal: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """A question with a list of entries, or for a text, which `objection` checks as it is typed.

    `note` is what to know about the proposed text.
    """

    wording: str
    proposed: str
    entries: tuple[Entry, ...] = ()
    progress: str = ""
    can_go_back: bool = False
    objection: Callable[[str], str] = lambda _: ""
    note: str = ""
    panel: Panel | None = None

    @property
    def allowed(self) -> tuple[Entry, ...]:
        """The entries that can be chosen."""
        return tuple(entry for entry in self.entries if not entry.refusal)


@dataclass(frozen=True)
class Summary:
    """What is confirmed at the end."""

    rows: Mapping[str, str]
    files: Mapping[str, int]
    services: "Sequence[Service]"


class Interface(Protocol):
    """A way to ask questions in a terminal."""

    def greet(self, version: str) -> None:
        """Say what this is."""

    def ask(self, question: Question) -> str:
        """Return an allowed answer; raise BackError, KeyboardInterrupt or EOFError if the user does not answer."""

    def answered(self, wording: str, answer: str) -> None:
        """Show a question with its answer."""

    def summarise(self, summary: Summary) -> None:
        """Show the project."""

    def withdraw(self, count: int) -> None:
        """Take back as many of the last answers and summaries, which will be shown again."""
