"""Which question is open, which answers stand, and what an answer changes: the wizard without its screen."""

from dataclasses import dataclass, field

from dockwright.template import Answers, Template

# The first question: with which answers to start
START = "_start"
STEP_BY_STEP, EVERYTHING = "step by step", "everything"


@dataclass
class Interview:
    """The answers until now. A step is the first question, or the name of an option."""

    template: Template
    given: Answers
    # Answers of flags and of the preset, which are shown and not asked
    fixed: Answers = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    # Answers of questions that are asked again
    earlier: dict[str, str] = field(default_factory=dict)

    def start(self, preset: str | None) -> None:
        """Take the answers that are given, and those of a preset that is given."""
        self._fix(self.given)
        if preset or self.template.options.keys() - self.template.extra <= self.given.keys():
            self.settle(START, preset or STEP_BY_STEP)
            self.fixed = {START: self.settled[START], **self.fixed}

    @property
    def steps(self) -> list[str]:
        """The questions in order, with those that are answered beforehand."""
        everything = self.settled.get(START, self.earlier.get(START)) == EVERYTHING
        names = [
            name
            for name in self.template.options
            if everything or name not in self.template.extra or name in self.settled or name in self.earlier
        ]
        return [START, *names]

    @property
    def asked(self) -> list[str]:
        """The questions that are not answered beforehand."""
        return [step for step in self.steps if step not in self.fixed]

    @property
    def open_step(self) -> str | None:
        """The first question without an answer."""
        return next((step for step in self.steps if step not in self.settled), None)

    @property
    def answers(self) -> dict[str, str]:
        """The answers that stand."""
        return {name: self.settled[name] for name in self.template.options if name in self.settled}

    @property
    def known(self) -> dict[str, str]:
        """The answers that stand, and those that will be proposed."""
        known = {**self.earlier, **self.settled}
        return {name: known[name] for name in self.template.options if name in known}

    def complete(self) -> dict[str, str]:
        """Return an answer to every option."""
        return self.template.complete(self.answers)

    def before(self, step: str) -> dict[str, str]:
        """Return the answers that a question has to get along with: those before it, and those that are fixed."""
        names = list(self.template.options)
        return {
            name: answer
            for name, answer in self.answers.items()
            if name != step and (name in self.fixed or names.index(name) < names.index(step))
        }

    def objections(self, answers: Answers) -> list[str]:
        """Return what the template has against these answers, in the words of the questions."""
        names = {option.name: option.wording for option in self.template.options.values()}
        return self.template.objections(answers, names)

    def reasons(self, answers: Answers) -> str:
        """Return why the template refuses these answers, without naming them: what is shown beside a choice."""
        return " ".join(sentence.split(" can't be used: ", 1)[-1] for sentence in self.objections(answers))

    def settle(self, step: str, answer: str) -> None:
        """Take an answer; those that follow from it, and change with it, are asked again."""
        earlier = self.earlier.pop(step, answer)
        if step == START:
            preset = self.template.presets.get(answer)
            self._fix({**(preset.answers if preset else {}), **self.given})
        elif earlier != answer:
            self._drop_derived({**self.answers, step: earlier}, {**self.answers, step: answer})
        self.settled[step] = answer
        self._drop_refused(step)

    def reopen(self, step: str) -> None:
        """Ask a question again, with its answer as the proposal."""
        self.earlier[step] = self.settled.pop(step)

    def leave(self, step: str) -> None:
        """Let the earlier answer of a question stand."""
        if step in self.earlier:
            self.settled[step] = self.earlier.pop(step)

    def free(self, name: str) -> None:
        """Let an option be asked that was answered beforehand, or left at its default."""
        self.settled[name] = self.complete()[name]
        self.fixed = {other: answer for other, answer in self.fixed.items() if other != name}

    def _fix(self, answers: Answers) -> None:
        for name in self.fixed:
            self.settled.pop(name, None)
        self.fixed = dict(answers)
        self.settled |= answers

    def _drop_derived(self, before: Answers, after: Answers) -> None:
        for name in self.answers:
            if name not in self.fixed and self.template.options[name].derived:
                default = self.template.default(name, before)
                if self.settled[name] == default != self.template.default(name, after):
                    del self.settled[name]

    def _drop_refused(self, step: str) -> None:
        accepted = {**self.fixed, step: self.settled[step]}
        for name, answer in self.answers.items():
            if name not in accepted and self.objections({**accepted, name: answer}):
                del self.settled[name]
            else:
                accepted[name] = answer
