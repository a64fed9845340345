"""Everything that can go wrong for a user, each as one sentence that says what to do."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class GeneratorError(Exception):
    """A failure that its sentence explains; no traceback is needed."""

    exit_code = 1


class UsageError(GeneratorError):
    """The command itself is not one that can be run."""

    exit_code = 2


class UnknownCommandError(UsageError):
    """A word that is no command."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name the command that was probably meant, or what else a word may have stood for."""
        meant = _closest(name, known)
        advice = f"did you mean {meant}?" if meant else "answers are given as flags, which --help lists"
        super().__init__(f"there is no command {name}: {advice}")


class UnknownOptionError(UsageError):
    """A name that no option has."""

    def __init__(self, name: str, known: Iterable[str], *, whole: str = "") -> None:
        """Name the option that was probably meant; say of which whole it would be an option, if of less than all."""
        missing = f"{whole} has no {name}" if whole else f"there is no {name}"
        super().__init__(f"{missing}: {_suggestion(name, list(known))}")


class UselessOptionError(UsageError):
    """An option that does nothing for this command."""

    def __init__(self, name: str, reason: str) -> None:
        """Say why it doesn't."""
        super().__init__(f"--{name.replace('_', '-')} is of no use here, {reason}: leave it out")


class InvalidChoiceError(UsageError):
    """An answer that is none of an option's choices."""

    def __init__(self, option: str, answer: str, choices: Iterable[str]) -> None:
        """Name the choices, and the one that was probably meant."""
        super().__init__(f"{option} can't be {answer!r}: {_suggestion(answer, list(choices))}")


class NoTerminalError(UsageError):
    """Questions to ask, and no terminal to ask them in."""

    def __init__(self, flags: Iterable[str]) -> None:
        """Name the flags that answer the questions instead."""
        super().__init__(
            "there is no terminal to ask the questions in: pass --no-input, and any of "
            f"{', '.join(flags)} whose answer is not to be the default"
        )


class RefusedAnswersError(GeneratorError):
    """Answers that break a rule or are in conflict, a line for each objection."""

    def __init__(self, objections: Iterable[str]) -> None:
        """Keep the sentences of the template's own check."""
        super().__init__("\n".join(objections))


class TargetExistsError(GeneratorError):
    """Something already stands where the project is to go."""

    def __init__(self, target: Path) -> None:
        """Name it."""
        super().__init__(
            f"{target} exists already: choose another project_slug, or another directory with --output-dir"
        )


class OutputDirectoryError(GeneratorError):
    """An output directory that nothing can be written into."""

    def __init__(self, directory: Path, cause: OSError | str) -> None:
        """Say why it can't."""
        reason = cause.strerror if isinstance(cause, OSError) else cause
        super().__init__(f"can't write into {directory} ({reason}): choose another directory with --output-dir")


class RenderingError(GeneratorError):
    """A template that can't be rendered."""

    def __init__(self, cause: BaseException) -> None:
        """Say what stopped it."""
        reason = " ".join(str(cause).split())
        super().__init__(
            f"the template failed to render, and nothing was written: "
            f"report this with the command that you ran ({type(cause).__name__}: {reason})"
        )


class MissingTemplateError(GeneratorError):
    """A package without its template."""

    def __init__(self, root: Path) -> None:
        """Say where it was expected."""
        super().__init__(f"there is no template in {root}: install dockwright again")


def _suggestion(name: str, known: list[str]) -> str:
    meant = _closest(name, known)
    return f"did you mean {meant}?" if meant else f"choose from {', '.join(known)}"


def _closest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, known, n=1)), None)
