"""Questions as numbered lines, for a screen reader and for a terminal that can't move its cursor."""

from shutil import get_terminal_size
from textwrap import fill

from dockwright.questions import BackError, Question, Summary

BACK = "back"


class Plain:
    """Questions that are written and read line by line."""

    def greet(self, version: str) -> None:
        """Say what this is, and how to leave."""
        _say(f"Dockwright {version}: a containerised web service from a few answers.")
        _say(f'Enter accepts the default, "{BACK}" returns to the question before. Ctrl-C quits without writing.')
        _say("A choice is taken by its number or its name.")

    def ask(self, question: Question) -> str:
        """Ask until there is an answer that is allowed."""
        progress = f"Question {question.progress}: " if question.progress else ""
        print()
        _say(f"{progress}{question.wording}")
        if question.note:
            _say(question.note)
        for number, entry in enumerate(question.entries, 1):
            text = f"not possible: {entry.refusal}" if entry.refusal else entry.explanation
            _say(f"{number}. {entry.label}" + (f": {text}" if text else ""))
        while True:
            text = input(f"{_prompt(question)}: ").strip()
            if text.casefold() == BACK:
                if question.can_go_back:
                    raise BackError
                _say("This is the first question.")
            elif question.entries:
                if answer := _chosen(question, text or question.proposed):
                    return answer
            else:
                answer = text or question.proposed
                if not (objection := question.objection(answer)):
                    return answer
                _say(objection)

    def answered(self, wording: str, answer: str) -> None:
        """Say what has been answered."""
        _say(f"{wording}: {answer}")

    def summarise(self, summary: Summary) -> None:
        """Say the answers, the files and the services in sentences."""
        from dockwright.preview import talks, tree

        print()
        for title, text in summary.rows.items():
            _say(f"{title}: {text}")
        _say(f"Files: {', '.join(f'{name} with {note}' if note else name for name, note in tree(summary.files))}")
        partners = talks(summary.services)
        for service in summary.services:
            port = f" listens on localhost:{service.port}" if service.port else ""
            others = f" talks to {' and '.join(partners[service.name])}" if partners.get(service.name) else ""
            if port or others:
                _say(f"Service {service.name}{' and'.join(filter(None, (port, others)))}.")

    def withdraw(self, count: int) -> None:
        """Say that earlier answers follow again."""


def _chosen(question: Question, text: str) -> str:
    """Return the value of the entry with this number or name, or say what is wrong."""
    for number, entry in enumerate(question.entries, 1):
        if text.casefold() in {str(number), entry.value.casefold(), entry.label.casefold(), *entry.words}:
            if entry.refusal:
                _say(f"{entry.label} is not possible: {entry.refusal}")
                return ""
            return entry.value
    _say(f"There is no choice {text}: type a number from 1 to {len(question.entries)}.")
    return ""


def _prompt(question: Question) -> str:
    if not question.entries:
        return f'Text, or Enter for "{question.proposed}"'
    numbers = {entry.value: number for number, entry in enumerate(question.entries, 1)}
    return f"Number, or Enter for {numbers[question.proposed]}"


def _say(text: str) -> None:
    """Write a line, broken between words."""
    print(fill(text, max(get_terminal_size().columns - 1, 20), break_long_words=False, break_on_hyphens=False))
