"""The wizard: questions in words, the way back, and the confirmation before anything is written."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os.path import lexists
from pathlib import Path

from dockwright import __version__
from dockwright.directory import check_contents, check_output_dir, check_target, kept
from dockwright.errors import OutputDirectoryError, RefusedAnswersError, TargetExistsError
from dockwright.interview import EVERYTHING, START, STEP_BY_STEP, Interview
from dockwright.options import Option
from dockwright.panel import Panel
from dockwright.questions import BackError, Entry, Interface, Question, Summary
from dockwright.template import Answers, Template

# What is shown after the last question
SUMMARY = "_summary"


def ask(  # noqa: PLR0913 # four of them are flags
    template: Template,
    given: Answers,
    output_dir: Path,
    *,
    repeat: Callable[[Answers], str],
    target: Path | None = None,
    preset: str | None = None,
    plain: bool = False,
) -> tuple[Answers, bool]:
    """Ask for every answer that is not given, then for confirmation; return all answers, and whether to write.

    Raises RefusedAnswersError, TargetExistsError and OutputDirectoryError for given answers that can't be used.
    `target` is the project's directory, if it is not one in `output_dir` that the short name names, and `repeat`
    returns the command that makes the same project.
    """
    if target:
        check_contents(target)
    else:
        check_output_dir(output_dir)
        if "project_slug" in given:
            check_target(output_dir / given["project_slug"])
    interface = _interface(plain=plain or is_plain(os.environ))
    interface.greet(__version__)
    executor = ThreadPoolExecutor(max_workers=1)
    try:
        interview = Interview(template, given)
        interview.start(preset)
        return _Session(interview, output_dir, target and target.absolute(), repeat, interface, executor).run()
    finally:
        executor.shutdown(cancel_futures=True)


def is_plain(environment: Mapping[str, str]) -> bool:
    """Tell whether the user's terminal can't move its cursor, or is read aloud."""
    return environment.get("TERM") in {"dumb", "unknown"} or environment.get("ACCESSIBLE", "0") not in {"", "0"}


def _interface(*, plain: bool) -> Interface:
    if plain:
        from dockwright.plain import Plain

        return Plain()

    from dockwright.screen import Screen

    return Screen()


def _port_note(port: str) -> str:
    """Return what to do about a port that is in use, if it is."""
    from dockwright.report import free_port

    if (free := free_port(port)) == port:
        return ""
    return (
        f"Port {port} is in use on this machine: type another, such as {free}, or stop what uses it before you start."
    )


@dataclass
class _Session:
    """An interview on a screen."""

    interview: Interview
    output_dir: Path
    target: Path | None
    repeat: Callable[[Answers], str]
    interface: Interface
    executor: ThreadPoolExecutor
    _shown: list[str] = field(default_factory=list)
    _directory: Path = field(init=False)

    def __post_init__(self) -> None:
        self.template = self.interview.template
        # The panel's renderings change the working directory.
        self._directory = self.output_dir.absolute()

    def run(self) -> tuple[Answers, bool]:
        """Ask what is open, until the user confirms or declines."""
        while True:
            step = self.interview.open_step or SUMMARY
            self._show(until=step)
            try:
                if step != SUMMARY:
                    can_go_back = step != self.interview.asked[0]
                    self.interview.settle(step, self._ask(step, can_go_back=can_go_back))
                    continue
                decision = self._decide()
                if decision != "change":
                    return self.interview.complete(), decision == "write"
                self._change()
            except BackError:
                self._go_back(step)

    def _go_back(self, step: str) -> None:
        """Leave a question as it was, and open the one before."""
        self.interview.leave(step)
        asked = self.interview.asked
        self._reopen(asked[asked.index(step) - 1] if step in asked else asked[-1])

    def _reopen(self, step: str) -> None:
        """Ask a question again, in its place: what is shown from there on is printed again."""
        self.interview.reopen(step)
        steps = self.interview.steps
        before = [shown for shown in self._shown if shown in steps[: steps.index(step)]]
        self.interface.withdraw(len(self._shown) - len(before))
        self._shown = before

    # Questions

    def _ask(self, step: str, *, can_go_back: bool) -> str:
        if step == START:
            return self.interface.ask(self._start(can_go_back=can_go_back))
        names = [name for name in self.interview.asked if name != START]
        progress = f"{names.index(step) + 1} of {len(names)}"
        return self.interface.ask(self._question(self.template.options[step], progress, can_go_back=can_go_back))

    def _start(self, *, can_go_back: bool) -> Question:
        presets = self.template.presets
        combined = {name: {**preset.answers, **self.interview.given} for name, preset in presets.items()}
        refused = {name: self.interview.reasons(answers) for name, answers in combined.items()}
        count = len(self.template.options)
        extra = [self.template.options[name].wording for name in self.template.extra]
        entries = (
            Entry(STEP_BY_STEP, "Step by step", f"the {count - len(extra)} questions that matter, each with a default"),
            *(Entry(name, name, preset.why, refused[name]) for name, preset in presets.items()),
            Entry(EVERYTHING, "Choose everything", f"all {count} questions, also: {', '.join(extra)}"),
        )
        outcomes = {entry.value: combined.get(entry.value, self.interview.given) for entry in entries}
        return Question(
            "How do you want to start?",
            self.interview.earlier.get(START, STEP_BY_STEP),
            entries,
            can_go_back=can_go_back,
            panel=self._panel(outcomes, STEP_BY_STEP),
        )

    def _question(self, option: Option, progress: str, *, can_go_back: bool) -> Question:
        others = self.interview.before(option.name)
        proposed = self.interview.earlier.get(option.name) or self.template.default(option.name, others)
        if not option.choices:
            return Question(
                option.wording,
                proposed,
                progress=progress,
                can_go_back=can_go_back,
                objection=lambda text: self._objection(option, others, text),
                note=_port_note(proposed) if option.name == "port" else "",
            )
        possible = {value: {**others, option.name: value} for value in option.values}
        refused = {value: self.interview.reasons(answers) for value, answers in possible.items()}
        entries = tuple(
            Entry(choice.value, choice.label, choice.explanation, refused[choice.value]) for choice in option.choices
        )
        allowed = [value for value in option.values if not refused[value]]
        if not allowed:
            raise RefusedAnswersError(
                sentence for answers in possible.values() for sentence in self.interview.objections(answers)
            )
        proposed = proposed if proposed in allowed else allowed[0]
        outcomes = {value: {**self.interview.known, option.name: value} for value in allowed}
        return Question(option.wording, proposed, entries, progress, can_go_back, panel=self._panel(outcomes, proposed))

    def _panel(self, outcomes: Mapping[str, Answers], baseline: str) -> Panel:
        return Panel(self.template, outcomes, baseline, self.repeat, self.executor)

    def _objection(self, option: Option, others: Answers, text: str) -> str:
        if self.interview.objections({option.name: text}):
            return option.rule
        target = self._directory / text
        if option.name == "project_slug" and not self.target and lexists(target):
            return str(TargetExistsError(target))
        return " ".join(self.interview.objections({**others, option.name: text}))

    # The answers on the screen

    def _show(self, until: str) -> None:
        for step in self.interview.steps:
            if step == until:
                return
            if step not in self._shown:
                self._shown.append(step)
                self.interface.answered(*self._text(step))
        if SUMMARY not in self._shown:
            self._shown.append(SUMMARY)
            self.interface.summarise(self._summary())

    def _summary(self) -> Summary:
        from dockwright.preview import files, services
        from dockwright.report import describe, ignore_warning

        summary = self.interview.complete()
        rows = describe(self.template, summary, self._directory)
        if self.target:
            rows["Directory"] = str(self.target)
        try:
            paths = files(self.template, summary)
            if self.target and (there := kept({path.partition("/")[0] for path in paths}, self.target)):
                rows["Kept"] = f"{', '.join(there)}: yours stay as they are"
                paths = {path: size for path, size in paths.items() if path.partition("/")[0] not in there}
            if self.target and (warning := ignore_warning(self.template, summary, self.target)):
                rows["Warning"] = warning
            return Summary(rows, paths, services(self.template, summary))
        except (OutputDirectoryError, OSError):
            # No temporary directory: that is no reason to write nothing.
            return Summary(rows, {}, [])

    def _text(self, step: str) -> tuple[str, str]:
        answer = self.interview.settled[step]
        if step == START:
            return "Start", "choose everything" if answer == EVERYTHING else answer
        option = self.template.options[step]
        return option.wording, next((choice.label for choice in option.choices if choice.value == answer), answer)

    # The end

    def _decide(self) -> str:
        entries = (
            Entry("write", "Yes, write it", words=("y", "yes")),
            Entry("change", "Change an answer"),
            Entry("quit", "No, write nothing", words=("n", "no")),
        )
        return self.interface.ask(
            Question("Write this project?", "write", entries, can_go_back=bool(self.interview.asked))
        )

    def _change(self) -> None:
        """Ask which answer to change, and open its question."""
        from dockwright.report import describe

        answers = self.interview.complete()
        rows = describe(self.template, answers, self._directory)
        options = self.template.options.values()
        entries = tuple(Entry(option.name, option.title, rows[option.title]) for option in options)
        try:
            name = self.interface.ask(Question("Which one?", next(iter(answers)), entries, can_go_back=True))
        except BackError:
            return
        self.interview.free(name)
        self._reopen(name)
        try:
            self.interview.settle(name, self._ask(name, can_go_back=True))
        except BackError:
            self.interview.leave(name)
