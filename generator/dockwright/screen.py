"""Questions as lists and fields that are drawn with questionary."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import zip_longest
from string import digits

import questionary
from prompt_toolkit import print_formatted_text
from prompt_toolkit.application import Application, get_app, get_app_session
from prompt_toolkit.filters import Always, Condition, is_done
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.layout import ConditionalContainer, Container, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.utils import get_cwidth
from questionary.prompts.common import InquirerControl

from dockwright.panel import LINES, Facts, Panel
from dockwright.questions import BackError, Entry, Question, Summary

Fragments = list[tuple[str, str]]

STYLE = questionary.Style(
    [
        ("qmark", "fg:ansicyan"),
        ("question", "bold"),
        ("answer", "fg:ansicyan"),
        ("pointer", "fg:ansicyan bold"),
        ("quiet", "fg:ansibrightblack"),
        ("instruction", "fg:ansibrightblack"),
        ("disabled", "fg:ansibrightblack"),
        ("refused", "fg:ansired"),
        ("validation-toolbar", "bg:default"),
    ]
)
NO_BREAK = "\u00a0"
MARGIN = "   "  # as wide as questionary's pointer
REFUSED = "- "  # what questionary puts before a choice that is disabled
# With fewer columns beside it, what belongs to an entry or a title is put below it.
NARROW = 28
# The panel is hidden in a smaller terminal.
PANEL_ROWS, PANEL_COLUMNS = 24, 80
PANEL_HEIGHT = 1 + sum(LINES.values())


class Screen:
    """Questions on a terminal that can move its cursor."""

    def __init__(self) -> None:
        """Start below what the terminal shows."""
        self._output = get_app_session().output
        self._shown: list[int] = []  # the rows of each answer and summary above the cursor
        self._size = self._output.get_size()

    def greet(self, version: str) -> None:
        """Show the title."""
        self._print(
            [("class:question", f"Dockwright {version}"), ("", ": a containerised web service from a few answers")]
        )

    def ask(self, question: Question) -> str:
        """Ask until there is an answer: some keys, such as Ctrl-O, end a list without one."""
        answer = ""
        while not answer:
            answer = _select(question) if question.entries else _type(question)
        return answer

    def answered(self, wording: str, answer: str) -> None:
        """Show a question with its answer."""
        rows = self._print([("class:qmark", "✓ "), ("", f"{wording}: "), ("class:answer", answer)], indent=2)
        self._shown.append(rows)

    def summarise(self, summary: Summary) -> None:
        """Show the answers, the tree in short and a drawing of the stack."""
        from dockwright.preview import drawing, tree

        files = tree(summary.files)
        column = max((len(name) for name, note in files if note), default=0)
        blocks = {title: [text] for title, text in summary.rows.items()}
        blocks["Files"] = [f"{name:{column}}  {note}" for name, note in files if note]
        blocks["Files"] += [", ".join(name for name, note in files if not note)]
        blocks["Stack"] = drawing(summary.services) or [""]
        indent = len(MARGIN) + max(map(len, blocks)) + 2
        room = self._output.get_size().columns - indent
        # A drawing can't be broken.
        beside = room >= NARROW and max(map(len, blocks["Stack"])) < room
        rows = self._print([])
        for title, lines in blocks.items():
            heading = f"{MARGIN}{title}"
            if not beside:
                rows += self._print([("class:quiet", heading)])
                heading, indent = "", len(MARGIN) + 1
            for line in lines:
                rows += self._print([("class:quiet", f"{heading:{indent}}"), ("", line)], indent)
                heading = ""
        self._shown.append(rows)
        discard_keys()

    def withdraw(self, count: int) -> None:
        """Erase the last answers and summaries, if the terminal still shows them as they were printed."""
        place = len(self._shown) - count
        rows = sum(self._shown[place:])
        del self._shown[place:]
        if rows < self._size.rows and self._output.get_size() == self._size:
            self._output.cursor_up(rows)
            self._output.erase_down()
            self._output.flush()
        else:
            self._print([])
            # What is left of them is still there, in rows that nobody counts.
            self._shown = [self._size.rows] * place

    def _print(self, fragments: Fragments, indent: int = 0) -> int:
        """Print a line, broken between words, and return the number of its rows."""
        if self._size != self._output.get_size():
            self._size = self._output.get_size()
            # The terminal may have re-wrapped the lines above.
            self._shown = [self._size.rows] * len(self._shown)
        folded = fold(fragments, self._size.columns - 1, indent)
        print_formatted_text(FormattedText(folded), style=STYLE)
        lines = "".join(text for _, text in folded).split("\n")
        return sum(max(1, -(-get_cwidth(line) // self._size.columns)) for line in lines)


def discard_keys() -> None:
    """Forget what was typed until now, so that an Enter too many confirms nothing that was not on the screen yet."""
    terminal = get_app_session().input
    clear_typeahead(terminal)
    with terminal.raw_mode():
        terminal.read_keys()


def fold(fragments: Fragments, width: int, indent: int = 0) -> Fragments:
    """Break lines between words."""
    folded: Fragments = []
    column = 0
    for style, text in fragments:
        for word in re.findall(r"\n| +|[^ \n]+", text):
            if word == "\n":
                column = 0
            elif column + get_cwidth(word) > width and column > indent:
                folded.append(("", "\n" + " " * indent))
                column = indent
                if word.isspace():
                    continue
            column += 0 if word == "\n" else get_cwidth(word)
            folded.append((style, word))
    return folded


def _type(question: Question) -> str:
    def objection(text: str) -> str:
        return question.objection(text.strip() or question.proposed)

    def advice() -> Fragments:
        text = get_app().current_buffer.text
        refusal = objection(text)
        keys = [] if refusal else ["Enter accepts"]
        keys += [] if text else ["Tab edits", "typing replaces"]
        keys += ["Shift-Tab goes back"] if question.can_go_back else []
        sentence = f"  {refusal}\n" if refusal else ""
        note = f"  {question.note}\n" if question.note and not text else ""
        return [("class:refused", sentence), ("", note), ("class:instruction", "  " + ", ".join(keys))]

    field = questionary.text(
        "",
        qmark="",
        # The objection is shown below the input: the validation toolbar would truncate it.
        validate=lambda text: not objection(text) or "",
        placeholder=[("class:quiet", question.proposed)],
        style=STYLE,
        erase_when_done=True,
    )
    keys = KeyBindings()
    empty = Condition(lambda: not get_app().current_buffer.text)

    @keys.add("tab", filter=empty)
    @keys.add("right", filter=empty)
    def _edit(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(question.proposed)

    @keys.add("<bracketed-paste>")
    def _paste(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(" ".join(event.data.split()))

    return _run(field.application, question, keys, [_text_window(advice, indent=2)]).strip() or question.proposed


def _select(question: Question) -> str:
    titles: dict[str, Fragments] = {entry.value: [] for entry in question.entries}
    choices = {
        # With a text, questionary would show the reason a second time, behind the title.
        entry.value: questionary.Choice(titles[entry.value], entry.value, disabled=bool(entry.refusal))  # type: ignore[arg-type]
        for entry in question.entries
    }
    instruction = (
        "arrow keys, Enter; back: Shift-Tab" if question.can_go_back else "arrow keys, then Enter; Ctrl-C quits"
    )
    select = questionary.select(
        "",
        list(choices.values()),
        default=question.proposed,
        qmark="",
        instruction=instruction,
        style=STYLE,
        erase_when_done=True,
    )
    application = select.application
    control = next(
        window.content
        for window in application.layout.find_all_windows()
        if isinstance(window.content, InquirerControl)
    )

    def arrange(_: object) -> None:
        for entry in question.entries:
            titles[entry.value][:] = _title(question, entry, application.output.get_size().columns)

    application.before_render += arrange

    keys = KeyBindings()

    @keys.add("c-d", eager=True)
    def _quit(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError)

    def _ignore(_: KeyPressEvent) -> None:
        """Ignore what is pasted or typed: there is nothing to type."""

    for key in ("<bracketed-paste>", *digits):
        keys.add(key)(_ignore)

    def height() -> int:
        return sum("".join(text for _, text in title).count("\n") + 1 for title in titles.values())

    def pointed() -> str:
        return str(control.get_pointed_at().value)

    below = _below(application, question.panel, height, pointed) if question.panel else []
    return _run(application, question, keys, below)


def _below(
    application: Application[str], panel: Panel, height: Callable[[], int], pointed: Callable[[], str]
) -> list[Container]:
    """Return what shows the panel of the choice that is pointed at, where there is room below the list."""

    def fits() -> bool:
        size = application.output.get_size()
        return size.columns >= PANEL_COLUMNS and size.rows >= max(PANEL_ROWS, height() + PANEL_HEIGHT + 3)

    def redraw() -> None:
        # In the panel's thread: the list may have been answered meanwhile, and its event loop closed.
        with suppress(RuntimeError):
            application.invalidate()

    def start(_: object) -> None:
        if fits():
            panel.start(pointed(), redraw)

    def facts() -> FormattedText:
        return FormattedText(_facts(panel.facts(pointed()), application.output.get_size().columns))

    # Not before the question is on the screen: the thread would slow it down.
    application.after_render += start
    window = Window(FormattedTextControl(facts), height=PANEL_HEIGHT)
    return [ConditionalContainer(window, filter=Condition(fits) & ~is_done)]


def _title(question: Question, entry: Entry, columns: int) -> Fragments:
    """Return an entry with its explanation beside it, or below it where that would be a narrow column."""
    widths = {each.value: get_cwidth(each.label) + (len(REFUSED) if each.refusal else 0) for each in question.entries}
    width = max(widths.values())
    indent = len(MARGIN) + width + 2
    text = entry.refusal or entry.explanation
    label = entry.label + " " * (width - widths[entry.value] + 2)
    if columns - indent < NARROW:
        indent = len(MARGIN) + 2
        label = f"{entry.label}\n{' ' * indent}" if text else entry.label
    style = "class:disabled" if entry.refusal else ""
    explanation = fold([("class:quiet", text)], columns - 1 - indent)
    return [(style, label), *((each, part.replace("\n", "\n" + " " * indent)) for each, part in explanation)]


def _facts(facts: Facts, width: int) -> Fragments:
    """Return the facts as lines, of which each may take a few; their number is always the same."""
    column = len(MARGIN) + max(map(len, LINES)) + 2
    fragments: Fragments = [("class:quiet", "─" * (width - 1))]
    for title, height in LINES.items():
        texts = facts.get(title, ("…",))
        lines = []
        for text in texts:
            folded = "".join(part for _, part in fold([("", text)], width - column - 3)).split("\n")
            shown = folded[: height // len(texts)]
            if title == "Command" and len(folded) > len(shown):
                # Its end has what the choice changes.
                lines += [f"… {folded[-height]}", *folded[len(folded) - height + 1 :]]
                continue
            lines += [*shown[:-1], shown[-1].rstrip() + (" …" if len(folded) > len(shown) else "")]
        for heading, line in zip_longest([MARGIN + title], lines, fillvalue=""):
            fragments += [("class:quiet", f"\n{heading:{column}}"), ("", line)]
    return fragments


def _run(application: Application[str], question: Question, keys: KeyBindings, below: Sequence[Container]) -> str:
    """Ask with a heading above and something below, and with the key that goes back."""
    if question.can_go_back:

        @keys.add("s-tab", eager=True)
        def _back(event: KeyPressEvent) -> None:
            event.app.exit(exception=BackError)

    def heading() -> Fragments:
        return [
            ("", "\n"),
            ("class:qmark", "? "),
            ("class:question", question.wording),
            ("", " "),
            ("class:quiet", f"({question.progress})".replace(" ", NO_BREAK) if question.progress else ""),
        ]

    asked = application.layout
    for window in asked.find_all_windows():
        window.dont_extend_height = Always()
    focused = asked.current_window
    application.layout = Layout(HSplit([_text_window(heading, indent=2), asked.container, *below]), focused)
    application.key_bindings = merge_key_bindings([application.key_bindings or KeyBindings(), keys])
    try:
        return str(application.run())
    finally:
        if question.panel:
            question.panel.close()


def _text_window(text: Callable[[], Fragments], indent: int) -> Window:
    """Return a window whose text is broken between words, whatever its width becomes."""

    def folded() -> Fragments:
        width = get_app().output.get_size().columns - 1
        return fold(text(), width, indent)

    return Window(FormattedTextControl(lambda: FormattedText(folded())), dont_extend_height=True)
