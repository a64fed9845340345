"""The wizard: which question comes next, what an answer changes, and the way back."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os.path import lexists
from pathlib import Path

from dockwright import __version__
from dockwright.directory import check_contents, check_output_dir, check_target
from dockwright.errors import RefusedAnswersError, TargetExistsError
from dockwright.options import Option
from dockwright.panel import Panel
from dockwright.preview import files, services
from dockwright.questions import BackError, Entry, Interface, Question, Summary
from dockwright.report import describe
from dockwright.template import Answers, Template

# The first question: with which answers to start
START = "_start"
STEP_BY_STEP, EVERYTHING = "step by step", "everything"
# What is shown after the last question
SUMMARY = "_summary"


def ask(  # noqa: PLR0913 # four of them are flags
    template: Template,
    given: Answers,
    output_dir: Path,
    *,
    target: Path | None = None,
    preset: str | None = None,
    plain: bool = False,
) -> Answers | None:
    """Ask for every answer that is not given, then for confirmation; return None if the user declines.

    Raises RefusedAnswersError, TargetExistsError and OutputDirectoryError for given answers that can't be used.
    `target` is the project's directory, if it is not one in `output_dir` that the short name names.
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
        session = _Session(template, given, output_dir, target and target.absolute(), interface, executor)
        session.start(preset)
        return session.run()
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


@dataclass
class _Session:
    """The answers until now, and what of them is on the screen."""

    template: Template
    given: Answers
    output_dir: Path
    target: Path | None
    interface: Interface
    executor: ThreadPoolExecutor
    _directory: Path = field(init=False)
    _fixed: Answers = field(default_factory=dict)  # answers of flags and of the preset: they are shown, not asked
    _settled: dict[str, str] = field(default_factory=dict)
    _earlier: dict[str, str] = field(default_factory=dict)  # answers of questions that are asked again
    _shown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The panel's renderings change the working directory.
        self._directory = self.output_dir.absolute()

    def start(self, preset: str | None) -> None:
        """Take the answers that are given, and those of a preset that is given."""
        self._fix(self.given)
        if preset or self.template.options.keys() - self.template.extra <= self.given.keys():
            self._settle(START, preset or STEP_BY_STEP)
            self._fixed = {START: self._settled[START], **self._fixed}

    def run(self) -> Answers | None:
        """Ask what is open, until the user confirms or declines."""
        while True:
            step = next((step for step in self._steps() if step not in self._settled), SUMMARY)
            self._show(until=step)
            try:
                if step != SUMMARY:
                    self._settle(step, self._ask(step))
                    continue
                match self._decide():
                    case "write":
                        return self._complete()
                    case "quit":
                        return None
                self._change()
            except BackError:
                self._go_back(step)

    def _steps(self) -> list[str]:
        """Return the questions of this session in order, with those that are answered beforehand."""
        everything = self._settled.get(START, self._earlier.get(START)) == EVERYTHING
        names = [
            name
            for name in self.template.options
            if everything or name not in self.template.extra or name in self._settled or name in self._earlier
        ]
        return [START, *names]

    def _asked(self) -> list[str]:
        return [step for step in self._steps() if step not in self._fixed]

    def _answers(self) -> dict[str, str]:
        return {name: self._settled[name] for name in self.template.options if name in self._settled}

    def _complete(self) -> dict[str, str]:
        return self.template.complete(self._answers())

    def _before(self, step: str) -> dict[str, str]:
        """Return the answers that a question has to get along with: those before it, and those that are fixed."""
        names = list(self.template.options)
        return {
            name: answer
            for name, answer in self._answers().items()
            if name != step and (name in self._fixed or names.index(name) < names.index(step))
        }

    def _objections(self, answers: Answers) -> list[str]:
        """Name the options in the words of their questions."""
        names = {option.name: option.wording for option in self.template.options.values()}
        return self.template.objections(answers, names)

    # Asking

    def _ask(self, step: str) -> str:
        asked = self._asked()
        can_go_back = bool(asked) and step != asked[0]
        if step == START:
            return self.interface.ask(self._start(can_go_back=can_go_back))
        names = [name for name in self._steps() if name != START]
        progress = f"{names.index(step) + 1} of {len(names)}"
        return self.interface.ask(self._question(self.template.options[step], progress, can_go_back=can_go_back))

    def _start(self, *, can_go_back: bool) -> Question:
        presets = self.template.presets
        combined = {name: {**preset.answers, **self.given} for name, preset in presets.items()}
        refused = {name: self._objections(answers) for name, answers in combined.items()}
        count = len(self.template.options)
        extra = len(self.template.extra)
        entries = (
            Entry(STEP_BY_STEP, "Step by step", f"the {count - extra} questions that matter, each with a default"),
            *(Entry(name, name, preset.why, " ".join(refused[name])) for name, preset in presets.items()),
            Entry(EVERYTHING, "Choose everything", f"all {count} questions"),
        )
        outcomes = {entry.value: combined.get(entry.value, self.given) for entry in entries}
        return Question(
            "How do you want to start?",
            self._earlier.get(START, STEP_BY_STEP),
            entries,
            can_go_back=can_go_back,
            panel=self._panel(outcomes, STEP_BY_STEP),
        )

    def _question(self, option: Option, progress: str, *, can_go_back: bool) -> Question:
        others = self._before(option.name)
        proposed = self._earlier.get(option.name) or self.template.default(option.name, others)
        if not option.choices:
            return Question(
                option.wording,
                proposed,
                progress=progress,
                can_go_back=can_go_back,
                objection=lambda text: self._objection(option, others, text),
            )
        refused = {value: self._objections({**others, option.name: value}) for value in option.values}
        entries = tuple(
            Entry(choice.value, choice.label, choice.explanation, " ".join(refused[choice.value]))
            for choice in option.choices
        )
        allowed = [value for value in option.values if not refused[value]]
        if not allowed:
            raise RefusedAnswersError(sentence for sentences in refused.values() for sentence in sentences)
        proposed = proposed if proposed in allowed else allowed[0]
        known = {**self._earlier, **self._answers()}
        known.pop(START, None)
        outcomes = {value: {**known, option.name: value} for value in allowed}
        return Question(option.wording, proposed, entries, progress, can_go_back, panel=self._panel(outcomes, proposed))

    def _panel(self, outcomes: Mapping[str, Answers], baseline: str) -> Panel:
        return Panel(
            self.template, outcomes, baseline, None if self.output_dir == Path() else self.output_dir, self.executor
        )

    def _objection(self, option: Option, others: Answers, text: str) -> str:
        if self._objections({option.name: text}):
            return option.rule
        target = self._directory / text
        if option.name == "project_slug" and not self.target and lexists(target):
            return str(TargetExistsError(target))
        return " ".join(self._objections({**others, option.name: text}))

    # What an answer changes

    def _fix(self, answers: Answers) -> None:
        for name in self._fixed:
            self._settled.pop(name, None)
        self._fixed = dict(answers)
        self._settled |= answers

    def _settle(self, step: str, answer: str) -> None:
        """Take an answer; those that follow from it, and change with it, are asked again."""
        earlier = self._earlier.pop(step, answer)
        if step == START:
            preset = self.template.presets.get(answer)
            self._fix({**(preset.answers if preset else {}), **self.given})
        elif earlier != answer:
            answers = self._answers()
            for name in [name for name in answers if name not in self._fixed and self.template.options[name].derived]:
                default = self.template.default(name, {**answers, step: earlier})
                if answers[name] == default != self.template.default(name, {**answers, step: answer}):
                    del self._settled[name]
        self._settled[step] = answer
        accepted = {**self._fixed}
        if step != START:
            accepted[step] = answer
        for name, other in self._answers().items():
            if name not in accepted and self._objections({**accepted, name: other}):
                del self._settled[name]
            else:
                accepted.setdefault(name, other)

    def _go_back(self, step: str) -> None:
        """Leave a question as it was, and open the one before."""
        if step in self._earlier:
            self._settled[step] = self._earlier.pop(step)
        asked = self._asked()
        self._open(asked[asked.index(step) - 1] if step in asked else asked[-1])

    def _open(self, step: str) -> None:
        """Ask a question again, in its place: what is shown from there on will be shown anew."""
        self._earlier[step] = self._settled.pop(step)
        before = self._steps()[: self._steps().index(step)]
        kept = [shown for shown in self._shown if shown in before]
        self.interface.withdraw(len(self._shown) - len(kept))
        self._shown = kept

    # The answers on the screen

    def _show(self, until: str) -> None:
        for step in self._steps():
            if step == until:
                return
            if step not in self._shown:
                self._shown.append(step)
                self.interface.answered(*self._text(step))
        if SUMMARY not in self._shown:
            self._shown.append(SUMMARY)
            self.interface.summarise(self._summary())

    def _summary(self) -> Summary:
        summary = self._complete()
        rows = describe(self.template, summary, self._directory)
        if self.target:
            rows["Directory"] = str(self.target)
        return Summary(rows, files(self.template, summary), services(self.template, summary))

    def _text(self, step: str) -> tuple[str, str]:
        answer = self._settled[step]
        if step == START:
            return "Start", answer
        option = self.template.options[step]
        return option.wording, next((choice.label for choice in option.choices if choice.value == answer), answer)

    # The end

    def _decide(self) -> str:
        decisions = {"write": "Yes, write it", "change": "Change an answer", "quit": "No, write nothing"}
        entries = tuple(Entry(value, label) for value, label in decisions.items())
        return self.interface.ask(Question("Write this project?", "write", entries, can_go_back=bool(self._asked())))

    def _change(self) -> None:
        """Ask which answer to change, and open its question."""
        answers = self._complete()
        rows = describe(self.template, answers, self._directory)
        options = self.template.options.values()
        entries = tuple(Entry(option.name, option.title, rows[option.title]) for option in options)
        try:
            name = self.interface.ask(Question("Which one?", next(iter(answers)), entries, can_go_back=True))
        except BackError:
            return
        self._fixed = {other: answer for other, answer in self._fixed.items() if other != name}
        self._settled[name] = answers[name]
        self._open(name)
        try:
            self._settle(name, self._ask(name))
        except BackError:
            self._settled[name] = self._earlier.pop(name)
