"""The directory that a project goes to: what may be in it, and filling it completely or not at all."""

import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dockwright.errors import ForeignFilesError, OutputDirectoryError, TargetExistsError

# What a repository has before its first line of code
KEPT = re.compile(r"\.git|\.gitignore|(readme|licen[cs]e|copying)([-.]\w+)*", re.IGNORECASE)


def check_output_dir(directory: Path, *, writes: bool = True) -> None:
    """Raise OutputDirectoryError if the directory can't be created or, if that is meant, written to; change nothing."""
    try:
        absolute = directory.absolute()
        existing = next(path for path in (absolute, *absolute.parents) if path.exists())
    except OSError as error:
        raise OutputDirectoryError(directory, error) from error
    # cookiecutter renders the whole path of each directory that it creates, including the output directory.
    if any(opening in str(absolute) for opening in ("{{", "{%", "{#")):
        raise OutputDirectoryError(directory, "its path contains template syntax")
    if not existing.is_dir():
        raise OutputDirectoryError(directory, os.strerror(errno.ENOTDIR))
    if writes and not os.access(existing, os.W_OK):
        raise OutputDirectoryError(directory, os.strerror(errno.EACCES))


def check_target(target: Path) -> None:
    """Raise TargetExistsError if `target` exists, even as a dangling link."""
    if os.path.lexists(target):
        raise TargetExistsError(target, _comparison(target))


def check_contents(target: Path, *, writes: bool = True) -> None:
    """Raise OutputDirectoryError or ForeignFilesError if a project can't be written into this directory."""
    check_output_dir(target, writes=writes)
    try:
        entries = sorted(target.iterdir())
    except OSError as error:
        raise OutputDirectoryError(target, error) from error
    foreign = [path.name for path in entries if not KEPT.fullmatch(path.name) or not _is_what_it_says(path)]
    if foreign:
        raise ForeignFilesError(target, foreign, _comparison(target))


def kept(names: Iterable[str], target: Path) -> list[str]:
    """Return which of these files' names are in the directory already, in any case: some systems ignore it."""
    there = {name.casefold() for name in os.listdir(target)}  # noqa: PTH208 # names, not paths
    return sorted(name for name in names if name.casefold() in there)


def move_into(project: Path, target: Path) -> list[str]:
    """Move a project's files into a directory that exists, all or none; return the names that it has and keeps."""
    stay = kept((path.name for path in project.iterdir()), target)
    moved: list[Path] = []
    try:
        for path in sorted(project.iterdir()):
            if path.name not in stay:
                # Before moving it: a signal may arrive in between.
                moved.append(path)
                path.rename(target / path.name)
    except BaseException:
        for path in moved:
            if not path.exists():
                (target / path.name).rename(path)
        raise
    return stay


@contextmanager
def workspace(output_dir: Path) -> Iterator[Path]:
    """Create a temporary directory in `output_dir`; at the end remove it, and created directories that are empty."""
    check_output_dir(output_dir)
    output_dir = output_dir.absolute()
    with ExitStack() as undo:
        try:
            for missing in (path for path in (*reversed(output_dir.parents), output_dir) if not path.exists()):
                undo.callback(_remove_if_empty, missing)
                missing.mkdir()
            directory = undo.enter_context(tempfile.TemporaryDirectory(prefix=".dockwright-", dir=output_dir))
        except OSError as error:
            raise OutputDirectoryError(output_dir, error) from error
        yield Path(directory)


def _comparison(target: Path) -> str:
    """Return the command that compares a project with its answers, or nothing if the directory is none."""
    from dockwright.report import compare_command
    from dockwright.template import RECORD

    return compare_command(target) if (target / RECORD).is_file() else ""


def _is_what_it_says(path: Path) -> bool:
    """Tell whether an allowed name is a file, or is git's directory."""
    return path.is_file() or (path.name == ".git" and path.is_dir())


def _remove_if_empty(directory: Path) -> None:
    with suppress(OSError):
        directory.rmdir()
