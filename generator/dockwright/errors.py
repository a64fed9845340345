"""The errors that users see, each with a message that says what to do."""

from collections.abc import Iterable, Sequence
from pathlib import Path


class GeneratorError(Exception):
    """An error whose message is enough for the user: the command line shows it without a traceback."""

    exit_code = 1


class UsageError(GeneratorError):
    """The command line itself is wrong."""

    exit_code = 2


class UnknownCommandError(UsageError):
    """The first argument is not a command."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Suggest the closest command, or say how to name a project."""
        match = _closest(name, known, cutoff=0.6)
        advice = f"did you mean {match}?" if match else f"`dockwright new {name}` makes a project of this name"
        super().__init__(f"there is no command {name}: {advice}")


class UnknownOptionError(UsageError):
    """No option has this name."""

    def __init__(self, name: str, known: Iterable[str], *, owner: str = "") -> None:
        """Suggest the closest option; `owner` is what does not have the option, if there is more than one."""
        missing = f"{owner} has no {name}" if owner else f"there is no {name}"
        known = list(known)
        match = _closest(name, known)
        advice = f"did you mean {match}?" if match else f"choose from {', '.join(known)}"
        super().__init__(f"{missing}: {advice}")


class UnknownFlagError(UsageError):
    """The command has no such flag."""

    def __init__(self, command: str, flag: str, known: Iterable[str]) -> None:
        """Suggest the closest flag, or the help."""
        match = _closest(flag, known)
        advice = f"did you mean {match}?" if match else f"`dockwright {command} --help` lists what it has"
        super().__init__(f"dockwright {command} has no {flag}: {advice}")


class UselessOptionError(UsageError):
    """The option has no effect beside the others."""

    def __init__(self, flag: str, reason: str) -> None:
        """Say why."""
        super().__init__(f"{flag} has no effect here, {reason}: leave it out")


class InvalidChoiceError(UsageError):
    """The answer is not one of the option's choices."""

    def __init__(self, option: str, answer: str, choices: Iterable[str], meant: str | None = None) -> None:
        """List all choices, after the one that is meant, or else the closest one."""
        choices = list(choices)
        match = meant or _closest(answer.casefold(), choices)
        advice = f"did you mean {match}? Choose" if match else "choose"
        super().__init__(f"{option} can't be {answer!r}: {advice} from {', '.join(choices)}")


class NoTerminalError(UsageError):
    """There are questions to ask, but no terminal."""

    def __init__(self, flags: Iterable[str]) -> None:
        """List the flags that answer the questions."""
        super().__init__(
            "there is no terminal to ask the questions in: pass --no-input, "
            f"and {', '.join(flags)} where you don't want the default"
        )


class RefusedAnswersError(UsageError):
    """Answers break a rule or conflict with each other."""

    def __init__(self, objections: Iterable[str]) -> None:
        """Put each objection of the template on its own line."""
        super().__init__("\n".join(objections))


class TargetExistsError(GeneratorError):
    """The project's directory already exists."""

    def __init__(self, target: Path, compare: str = "") -> None:
        """Name the directory, and the command that compares with what is there, if it is a project."""
        super().__init__(
            f"{target} already exists: choose another short name (--project-slug) or another directory (--output-dir)"
            + _look(compare)
        )


class ForeignFilesError(GeneratorError):
    """The directory to write into has files that could be in the way."""

    def __init__(self, target: Path, names: Sequence[str], compare: str = "") -> None:
        """Name the first of them, and the command that compares with what is there, if it is a project."""
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        super().__init__(
            f"{target} has {names[0]}{others}: choose a directory that is empty, "
            "or has only .git, .gitignore, a README and a licence" + _look(compare)
        )


class AnswersFileError(UsageError):
    """A file of answers can't be read or written."""

    def __init__(self, path: Path, reason: str) -> None:
        """Say why, and what to do."""
        super().__init__(f"{path} can't be used: {reason}")


class AnswersNotWrittenError(GeneratorError):
    """The answers of a project that is written can't be written."""

    def __init__(self, path: Path, cause: OSError) -> None:
        """Say what is there, and why the rest is not."""
        super().__init__(f"the project is written, but {path} is not ({cause.strerror})")


class GitError(GeneratorError):
    """No git repository can be made."""

    def __init__(self, reason: str) -> None:
        """Say why."""
        super().__init__(f"--git can't be done: {reason}")


class OutputDirectoryError(GeneratorError):
    """The output directory can't be written to."""

    def __init__(
        self, directory: Path, cause: OSError | str, advice: str = "choose another directory with --output-dir"
    ) -> None:
        """Say why, and what to do."""
        reason = cause.strerror if isinstance(cause, OSError) else cause
        super().__init__(f"can't write to {directory} ({reason}): {advice}")


class StoppedError(GeneratorError):
    """The command was interrupted after the project had been written."""

    exit_code = 130

    def __init__(self, project: Path) -> None:
        """Say that it is there."""
        super().__init__(f"stopped, but {project} is written")


class RenderingError(GeneratorError):
    """The template can't be rendered."""

    def __init__(self, cause: BaseException) -> None:
        """Name the cause."""
        reason = " ".join(str(cause).split())
        super().__init__(
            f"the template failed to render, and nothing was written: "
            f"please report this, with the command that you ran ({type(cause).__name__}: {reason})"
        )


class MissingTemplateError(GeneratorError):
    """The package was installed without its template."""

    def __init__(self, root: Path) -> None:
        """Name the directory where it was expected."""
        super().__init__(f"there is no template in {root}: reinstall dockwright")


def _look(compare: str) -> str:
    return f"; or see how this project differs from what its answers lead to:\n  {compare}" if compare else ""


def _closest(name: str, known: Iterable[str], cutoff: float = 0.75) -> str | None:
    # One number is no misspelling of another.
    if not any(map(str.isalpha, name)):
        return None
    from difflib import get_close_matches  # after an error only

    return next(iter(get_close_matches(name, known, n=1, cutoff=cutoff)), None)
