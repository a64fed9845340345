"""The questions in the terminal: answers are checked as they are typed, and confirmed before anything is written."""

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

from dockwright.directory import check_contents, check_output_dir, check_target
from dockwright.errors import RefusedAnswersError, TargetExistsError
from dockwright.options import Choice, Option
from dockwright.report import describe
from dockwright.template import Answers, Template

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


def ask(  # noqa: PLR0913
    template: Template,
    given: Answers,
    output_dir: Path,
    *,
    plain: bool = False,  # noqa: ARG001
    target: Path | None = None,
    preset: str | None = None,
) -> Answers | None:
    """Ask for every answer that is not given, then for confirmation; return None if the user declines.

    Raises RefusedAnswersError, TargetExistsError and OutputDirectoryError for given answers that can't be used.
    """
    given = {**(template.presets[preset].answers if preset else {}), **given}
    if target:
        check_contents(target)
    else:
        check_output_dir(output_dir)
    if "project_slug" in given and not target:
        check_target(output_dir / given["project_slug"])
    _print(("question", "A containerised web service from a few answers.\n"))
    _print(("quiet", "Enter accepts the default. Ctrl-C quits without writing anything.\n\n"))
    answers = dict(given)
    for option in template.options.values():
        if option.name not in given:
            answers[option.name] = _answer(template, option, answers, output_dir)
    while True:
        _summarise(describe(template, answers, output_dir, target))
        match _decide():
            case "write":
                return {name: answers[name] for name in template.options}
            case "quit":
                return None
        _change(template, answers, output_dir)


def _answer(template: Template, option: Option, answers: Answers, output_dir: Path) -> str:
    """Ask one question, with its current answer or its default as the proposal."""
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

    def hint_and_objection() -> AnyFormattedText:
        app = get_app()
        text = app.current_buffer.text
        hint = "" if text else proposed
        # Pad each line to the full width: the terminal would wrap in the middle of a word.
        width = app.output.get_size().columns
        column = get_cwidth(f"? {option.wording} {text}{hint}  ") % width
        lines = wrap(objection(text), width, initial_indent=" " * column)
        return [("class:hint", f"{hint}  "), ("class:refused", "".join(line.ljust(width) for line in lines)[column:])]

    question = questionary.text(
        option.wording,
        # The objection is shown after the input: the validation toolbar would truncate it.
        validate=lambda text: not objection(text) or "",
        input_processors=[AfterInput(hint_and_objection)],
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
    """Ask until an entry is chosen: some keys, such as Ctrl-O, end a list without an answer."""
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
    decisions = {"write": "Yes, write it", "change": "Change an answer", "quit": "No, write nothing"}
    entries = [questionary.Choice(title, value) for value, title in decisions.items()]
    return _select("Write this project?", entries)


def _change(template: Template, answers: dict[str, str], output_dir: Path) -> None:
    """Ask which answer to change; ask again for answers that were left at a default that changes with it."""
    options = template.options.values()
    rows = describe(template, answers, output_dir)
    width = max(len(option.title) for option in options)
    entries = [
        questionary.Choice([("", f"{option.title:{width}}  "), ("class:quiet", rows[option.title])], option.name)
        for option in options
    ]
    changed = template.options[_select("Which one?", entries)]
    derived = {name: template.default(name, answers) for name, option in template.options.items() if option.derived}
    answers[changed.name] = _answer(template, changed, answers, output_dir)
    for name, default in derived.items():
        if answers[name] == default != template.default(name, answers):
            del answers[name]
            answers[name] = _answer(template, template.options[name], answers, output_dir)


def _print(*fragments: tuple[str, str]) -> None:
    print_formatted_text(
        FormattedText([(f"class:{style}" if style else "", text) for style, text in fragments]), style=STYLE, end=""
    )
