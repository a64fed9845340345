"""Writing the files: all of them or none, and never over others without being told."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockwright.errors import OutputDirectoryError

BACKUP = ".bak"


@dataclass(frozen=True)
class Changes:
    """What writing would do."""

    new: tuple[str, ...]
    different: tuple[str, ...]
    same: tuple[str, ...]

    def written(self, *, force: bool) -> tuple[str, ...]:
        """Return the files that are written: `force` replaces those that differ."""
        return (*self.new, *(self.different if force else ()))


def compare(files: Mapping[str, str], directory: Path) -> Changes:
    """Return which files are new, different from what is there, and the same."""
    kinds: dict[str, list[str]] = {"new": [], "different": [], "same": []}
    for name, content in files.items():
        path = directory / name
        if not os.path.lexists(path):
            kinds["new"].append(name)
        else:
            kinds["same" if _content(path) == content.encode() else "different"].append(name)
    return Changes(*map(tuple, kinds.values()))


def write(files: Mapping[str, str], directory: Path, *, force: bool) -> Changes:
    """Write the new files; others that are there stay, unless `force` replaces them and keeps copies."""
    changes = compare(files, directory)
    written = changes.written(force=force)
    done: list[tuple[Path, Path | None]] = []
    try:
        with tempfile.TemporaryDirectory(prefix=".dockwright-", dir=directory) as workspace:
            # Everything is on the disk before the first name changes.
            for name in written:
                path = Path(workspace, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(files[name], encoding="utf-8", newline="\n")
            try:
                for name in written:
                    path = directory / name
                    backup = _free(directory / f"{name}{BACKUP}") if name in changes.different else None
                    done.append((path, backup))
                    if backup:
                        path.rename(backup)
                    Path(workspace, name).rename(path)
            except BaseException:
                _undo(done)
                raise
    except OSError as error:
        raise OutputDirectoryError(directory, error, "make it writable, or work on a copy of it") from error
    return changes


def _undo(done: list[tuple[Path, Path | None]]) -> None:
    for path, backup in done:
        with suppress(FileNotFoundError):
            if backup:
                backup.replace(path)
            else:
                path.unlink()


def _free(path: Path) -> Path:
    """Return this path, or one with a number that nothing has."""
    candidates = (path.with_name(f"{path.name}{number or ''}") for number in range(1000))
    return next(candidate for candidate in candidates if not os.path.lexists(candidate))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
