"""What the pointed choice leads to, computed beside the list so that the keys stay fast."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockwright.errors import GeneratorError
from dockwright.template import Answers, Template

if TYPE_CHECKING:
    from dockwright.preview import Service

# Facts by title; a fact may take more than one line.
Facts = Mapping[str, tuple[str, ...]]

# By these answers, `_measured` in cookiecutter.json has what production images have beyond their base image.
MEASURED_OPTIONS = ("framework", "base_image")

# The titles of the facts, with the lines that each may take
LINES = {"Services": 2, "Image": 1, "Command": 2, "Files": 3}


@dataclass
class Panel:
    """The facts of each choice of a list; `baseline` is the choice that the others are compared with."""

    template: Template
    outcomes: Mapping[str, Answers]
    baseline: str
    repeat: Callable[[Answers], str]  # the command that makes the same project
    executor: ThreadPoolExecutor
    _facts: dict[str, Future[Facts]] = field(default_factory=dict)

    def start(self, choice: str, changed: Callable[[], None]) -> None:
        """Compute the facts of each choice, of this one first; call `changed` in a thread when there are more."""
        for each in sorted(filter(lambda name: name not in self._facts, self.outcomes), key=choice.__ne__):
            self._facts[each] = self.executor.submit(self._compute, each)
            self._facts[each].add_done_callback(lambda _: changed())

    def facts(self, choice: str) -> Facts:
        """Return the facts of a choice, if they are known by now."""
        future = self._facts.get(choice)
        return future.result() if future and future.done() and not future.cancelled() else {}

    def close(self) -> None:
        """Compute no more."""
        for future in self._facts.values():
            future.cancel()

    def _compute(self, choice: str) -> Facts:
        # In this thread: the first question is shown before.
        from dockwright.preview import render_once, services

        try:
            answers = self.template.complete(self.template.fit(self.outcomes[choice]))
            before = render_once(self.template, self.template.complete(self.template.fit(self.outcomes[self.baseline])))
            after = render_once(self.template, answers)
            stack = services(self.template, answers)
        except (GeneratorError, OSError) as error:
            return {"Services": (str(error),)}
        return {
            "Services": (describe_services(stack),),
            "Image": (image_size(self.template, answers, after["Dockerfile"]),),
            "Command": (self.repeat(answers),),
            "Files": (str(len(after)), *_changes(before, after)),
        }


def describe_services(stack: "Sequence[Service]") -> str:
    """Return the services in one sentence: their ports, the images that aren't built, and what runs once."""
    own = stack[0].image
    texts = []
    for service in stack:
        notes = [] if service.image == own else [service.image]
        notes += [f"localhost:{service.port}"] if service.port else []
        notes += ["runs once"] if service.once else []
        texts.append(f"{service.name} ({', '.join(notes)})" if notes else service.name)
    return ", ".join(texts)


def image_size(template: Template, answers: Answers, dockerfile: bytes) -> str:
    """Return what was measured of the production image with these answers."""
    measured = template.definition["_measured"]
    size = measured["megabytes"].get("-".join(answers[name] for name in MEASURED_OPTIONS))
    base = dockerfile.split()[1].decode()
    return f"about {size} MB on top of {base} (measured on {measured['date']})" if size else base


def _changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    signs = {"+": after.keys() - before.keys(), "-": before.keys() - after.keys()}
    return [f"{sign} {'  '.join(sorted(paths))}" for sign, paths in signs.items() if paths]
