"""What a project would change in a directory, as a unified diff."""

import errno
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path

from dockwright.errors import OutputDirectoryError


def differences(files: Mapping[str, bytes], directory: Path, dropped: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines of a diff from the directory's files to these, without those that are dropped.

    Other files in the directory are left out. Raises OutputDirectoryError if it is no directory.
    """
    if directory.exists() and not directory.is_dir():
        raise OutputDirectoryError(directory, os.strerror(errno.ENOTDIR))
    for name, content in files.items():
        path = directory / name
        try:
            old = path.read_bytes()
        except FileNotFoundError:
            yield from _compare(b"", content, "/dev/null", f"b/{name}")
        except OSError as error:
            yield f"{name}: {error.strerror}\n"
        else:
            yield from _compare(old, content, f"a/{name}", f"b/{name}")
    for name in dropped:
        with suppress(OSError):
            yield from _compare((directory / name).read_bytes(), b"", f"a/{name}", "/dev/null")


def _compare(old: bytes, new: bytes, source: str, target: str) -> Iterator[str]:
    try:
        before, after = (io.StringIO(text.decode()).readlines() for text in (old, new))
    except UnicodeDecodeError:
        yield f"Binary files {source} and {target} differ\n"
        return
    for line in unified_diff(before, after, source, target):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
