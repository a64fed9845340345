"""The files of a directory that matter: those that git tracks or doesn't ignore. They are read, never run."""

import os
import shutil
import subprocess
import tokenize
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from posixpath import commonpath

# Not looked into where there is no git to ask
SKIPPED = {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"}
# A larger file was hardly written by hand.
LARGEST_BYTES = 1_000_000
# A repository's own configuration must not start a program.
GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# Code that is in a repository without being the application
BESIDE = {"test", "tests", "testing", "docs", "doc", "example", "examples", "scripts", "benchmarks", "migrations"}


class Sources:
    """The files below a directory, by their names from there."""

    def __init__(self, root: Path) -> None:
        """List the files."""
        self.root = root
        tracked = _git(root, "ls-files", "-z", "--cached")
        self.has_git = tracked is not None
        self.tracked = frozenset((tracked or "").split("\0")) - {""}
        if tracked is None:
            names = set(_walk(root))
        else:
            others = _git(root, "ls-files", "-z", "--others", "--exclude-standard") or ""
            names = {*self.tracked, *others.split("\0")} - {""}
        self.names = tuple(sorted(name for name in names if (root / name).is_file() and not _leads_out(root, name)))
        self._known = frozenset(self.names)
        self._directories = frozenset(str(parent) for name in self.names for parent in PurePosixPath(name).parents)
        # Files that are no text
        self.unread: set[str] = set()
        self.read = lru_cache(maxsize=None)(self._read)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a file of this name."""
        return name in self._known

    @cached_property
    def top(self) -> Path:
        """The directory of the repository, or the one that is looked at."""
        return Path((_git(self.root, "rev-parse", "--show-toplevel") or "").rstrip("\n") or self.root).resolve()

    def has_directory(self, name: str) -> bool:
        """Tell whether files are below this directory."""
        return name in self._directories

    def below(self, directory: str) -> Iterator[str]:
        """Yield the files of a directory and those below it."""
        prefix = "" if directory in ("", ".") else f"{directory}/"
        return (name for name in self.names if name.startswith(prefix))

    def _read(self, name: str) -> str:
        """Return a file's text, or nothing if it can't be read as text."""
        try:
            path = self.root / name
            if path.stat().st_size > LARGEST_BYTES:
                return ""
            if not name.endswith(".py"):
                return path.read_text(encoding="utf-8-sig")
            # A source file may name its encoding.
            with tokenize.open(path) as file:
                return file.read()
        except (OSError, UnicodeDecodeError, SyntaxError):
            self.unread.add(name)
            return ""

    def last_change(self, name: str) -> str:
        """Return the date of the last commit that changed a file, as YYYY-MM-DD, or nothing."""
        return (_git(self.root, "log", "-1", "--format=%cs", "--", name) or "").strip()


def is_beside(name: str) -> bool:
    """Tell whether a file is a test, an example or a script rather than the application."""
    path = PurePosixPath(name)
    stem = path.stem
    return (
        not BESIDE.isdisjoint(path.parts[:-1])
        or stem.startswith("test_")
        or stem.endswith("_test")
        or stem in {"conftest", "setup", "noxfile", "tests", "test"}
    )


def directory_of(name: str) -> str:
    """Return the directory of a file, `.` for the root."""
    return str(PurePosixPath(name).parent)


def join(directory: str, name: str) -> str:
    """Return a name below a directory that may be `.`."""
    return str(PurePosixPath(directory) / name)


def common(directories: Iterable[str]) -> str:
    """Return the directory that has all of these."""
    return commonpath(["" if each == "." else each for each in directories]) or "."


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or None where it is missing or this is no repository."""
    if not shutil.which("git"):
        return None
    command = (*GIT, "-C", str(root), *arguments)
    done = subprocess.run(  # noqa: S603 # the user's own git
        command, check=False, capture_output=True, encoding="utf-8", errors="surrogateescape"
    )
    return done.stdout if done.returncode == 0 else None


def _walk(root: Path) -> Iterator[str]:
    for directory, below, files in os.walk(root):
        path = Path(directory)
        below[:] = [name for name in below if name not in SKIPPED and not name.startswith(".")]
        if "pyvenv.cfg" in files:
            below.clear()
            continue
        for name in files:
            yield (path / name).relative_to(root).as_posix()


def _leads_out(root: Path, name: str) -> bool:
    path = root / name
    return path.is_symlink() and not path.resolve().is_relative_to(root.resolve())
