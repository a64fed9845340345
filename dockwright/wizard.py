"""The questions asked in a terminal: each checked as it is typed, all of them shown before anything is written."""

from os.path import lexists
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

import questionary
from prompt_toolkit import print_formatted_text
from prompt_toolkit.application import get_app
from prompt_toolkit.formatted_text import AnyFormattedText, FormattedText
from prompt_toolkit.layout.processors import AfterInput
from prompt_toolkit.utils import get_cwidth

from dockwright.errors import RefusedAnswersError, TargetExistsError
from dockwright.options import Choice, Option
from dockwright.report import describe
from dockwright.template import Answers, Template, check_output_dir, check_target

STYLE = questionary.Style(
    [
        ("qmark", "fg:ansicyan"),
        ("question", "bold"),
        ("answer", "fg:ansicyan"),
        ("pointer", "fg:ansicyan bold"),
        ("quiet", "fg:ansibrightblack"),
        ("instruction", "fg:ansibrightblack"),
        ("disabled", "fg:ansibrightblack"),
        ("hint", "fg:ansibrightblack"),
        ("refused", "fg:ansired"),
        ("validation-toolbar", "bg:default"),
    ]
)
ARROWS = "(arrow keys, then Enter)"
MARGIN = "   "  # as wide as questionary's pointer


def ask(template: Template, given: Answers, output_dir: Path) -> Answers | None:
    """Ask for every answer that is not given, then for a yes to the summary; return None for a no.

    Raises RefusedAnswersError, TargetExistsError and OutputDirectoryError for what was given and can't be used.
    """
    check_output_dir(output_dir)
    if "project_slug" in given:
        check_target(output_dir / given["project_slug"])
    _print(("question", "A containerised web service from a few answers.\n"))
    _print(("quiet", "Enter takes the default. Ctrl-C leaves, and nothing is written.\n\n"))
    answers = dict(given)
    for option in template.options.values():
        if option.name not in given:
            answers[option.name] = _answer(template, option, answers, output_dir)
    while True:
        _summarise(describe(template, answers, output_dir))
        match _decide():
            case "write":
                return {name: answers[name] for name in template.options}
            case "leave":
                return None
        _change(template, answers, output_dir)


def _answer(template: Template, option: Option, answers: Answers, output_dir: Path) -> str:
    """Ask one question, its answer so far or else its default proposed."""
    others = {name: answer for name, answer in answers.items() if name != option.name}
    proposed = answers.get(option.name) or template.default(option.name, others)
    if option.choices:
        answer = _choose(template, option, others, proposed)
        label = next(choice.label for choice in option.choices if choice.value == answer)
    else:
        answer = label = _type(template, option, others, proposed, output_dir)
    _print(("qmark", "✓ "), ("", f"{option.wording}: "), ("answer", f"{label}\n"))
    return answer


def _type(template: Template, option: Option, others: Answers, proposed: str, output_dir: Path) -> str:
    def objection(text: str) -> str:
        answer = text.strip() or proposed
        if template.objections({option.name: answer}):
            return option.rule
        if option.name == "project_slug" and lexists(output_dir / answer):
            return str(TargetExistsError(output_dir / answer))
        return " ".join(template.objections({**others, option.name: answer}))

    def beside() -> AnyFormattedText:
        app = get_app()
        text = app.current_buffer.text
        hint = "" if text else proposed
        # Padded, so that the terminal breaks the line between two words.
        width = app.output.get_size().columns
        column = get_cwidth(f"? {option.wording} {text}{hint}  ") % width
        lines = wrap(objection(text), width, initial_indent=" " * column)
        return [("class:hint", f"{hint}  "), ("class:refused", "".join(line.ljust(width) for line in lines)[column:])]

    question = questionary.text(
        option.wording,
        # The reason stands beside the answer: the line that is meant for it would cut it off.
        validate=lambda text: not objection(text) or "",
        input_processors=[AfterInput(beside)],
        style=STYLE,
        erase_when_done=True,
    )
    return str(question.unsafe_ask()).strip() or proposed


def _choose(template: Template, option: Option, others: Answers, proposed: str) -> str:
    refused = {value: template.objections({**others, option.name: value}) for value in option.values}
    allowed = [value for value in option.values if not refused[value]]
    if not allowed:
        raise RefusedAnswersError(sentence for sentences in refused.values() for sentence in sentences)
    width = max(len(choice.label) for choice in option.choices)
    entries = [_entry(choice, width, refused[choice.value]) for choice in option.choices]
    return _select(option.wording, entries, default=proposed if proposed in allowed else allowed[0])


def _select(wording: str, entries: list[questionary.Choice], default: str | None = None) -> str:
    """Ask until an entry is chosen: keys such as Alt-Enter end a list without one."""
    answer = ""
    while not answer:
        question = questionary.select(
            wording, entries, default=default, instruction=ARROWS, style=STYLE, erase_when_done=True
        )
        answer = str(question.unsafe_ask())
    return answer


def _entry(choice: Choice, width: int, refused: list[str]) -> questionary.Choice:
    indent = len(MARGIN) + width + 2
    lines = wrap(" ".join(refused) or choice.explanation, max(get_terminal_size().columns - indent - 4, 20))
    text = f"\n{' ' * indent}".join(lines)
    if refused:
        return questionary.Choice(choice.label, choice.value, disabled=text)
    return questionary.Choice([("", f"{choice.label:{width}}  "), ("class:quiet", text)], choice.value)


def _summarise(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    _print(("", "\n"))
    for title, text in rows.items():
        _print(("quiet", f"{MARGIN}{title:{width}}  "), ("", f"{text}\n"))
    _print(("", "\n"))


def _decide() -> str:
    decisions = {"write": "Yes, write it", "change": "Change an answer", "leave": "No, write nothing"}
    entries = [questionary.Choice(title, value) for value, title in decisions.items()]
    return _select("Write this project?", entries)


def _change(template: Template, answers: dict[str, str], output_dir: Path) -> None:
    """Ask which question to answer again, and those whose untouched default follows from it."""
    options = template.options.values()
    rows = describe(template, answers, output_dir)
    width = max(len(option.title) for option in options)
    entries = [
        questionary.Choice([("", f"{option.title:{width}}  "), ("class:quiet", rows[option.title])], option.name)
        for option in options
    ]
    changed = template.options[_select("Which one?", entries)]
    followed = {name: template.default(name, answers) for name, option in template.options.items() if option.derived}
    answers[changed.name] = _answer(template, changed, answers, output_dir)
    for name, default in followed.items():
        if answers[name] == default != template.default(name, answers):
            del answers[name]
            answers[name] = _answer(template, template.options[name], answers, output_dir)


def _print(*fragments: tuple[str, str]) -> None:
    print_formatted_text(
        FormattedText([(f"class:{style}" if style else "", text) for style, text in fragments]), style=STYLE, end=""
    )
