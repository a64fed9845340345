"""What only the package index knows: versions that go together, and which Python has wheels. uv asks it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten

TIMEOUT_SECONDS = 60
PLATFORMS = {"alpine": "x86_64-unknown-linux-musl"}
GLIBC = "x86_64-manylinux_2_28"
HEADER = """\
# Versions that go together, so that a build can be repeated. {manifest} is what you edit: what it adds is installed
# in the newest version. For newer versions, delete this file and run `dockwright dockerize` again.{date}
"""
AS_OF = """
# {manifest} is old: these are the versions of {date} (with --latest, of today).
"""


class Index:
    """Asks the index; after the first failure it gives up, and `refusal` says why."""

    def __init__(self, *, base: str = "slim", is_offline: bool = False) -> None:
        """Find uv."""
        self._uv = None if is_offline else _find_uv()
        self.is_musl = base in PLATFORMS
        self._platform = PLATFORMS.get(base, GLIBC)
        self.refusal = ""
        if not is_offline and not self._uv:
            self.refusal = "uv is not installed (pip install 'dockwright[lock]'), so no versions were locked"

    @property
    def answers(self) -> bool:
        """Whether it can be asked."""
        return self._uv is not None and not self.refusal

    def has_wheels(self, lines: Iterable[str], python: str) -> bool | None:
        """Tell whether all of these have wheels for a version of Python; None if nobody knows."""
        arguments = ["--no-deps", "--only-binary", ":all:", "--python-platform", self._platform]
        output, error = self._compile(lines, python, arguments)
        if output is None and "No solution found" not in error and "no usable wheels" not in error:
            self.refusal = self.refusal or f"the package index could not be asked ({error})"
            return None
        return output is not None

    def lock(self, lines: Iterable[str], python: str, date: str) -> str | None:
        """Return versions that go together, as of a date if there is one; None if there are none."""
        limit = ["--exclude-newer", date] if date else []
        output, error = self._compile(lines, python, ["--universal", "--no-annotate", "--no-header", *limit])
        if output is None:
            self.refusal = self.refusal or f"no versions were locked ({error})"
        return output

    def _compile(self, lines: Iterable[str], python: str, arguments: list[str]) -> tuple[str | None, str]:
        if not self._uv or self.refusal:
            return None, self.refusal
        command = [self._uv, "pip", "compile", "-", "--python-version", python, "--color", "never", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 # uv reads the lines from its input
                command,
                input="".join(f"{line}\n" for line in lines),
                check=False,
                capture_output=True,
                encoding="utf-8",
                timeout=TIMEOUT_SECONDS,
                # Not the user's project, whose settings are not meant for this.
                env={**os.environ, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"{type(error).__name__}"
        return (done.stdout, "") if done.returncode == 0 else (None, shorten_error(done.stderr))


def shorten_error(error: str) -> str:
    """Return an error in one line, cut between words."""
    return shorten(error, 200, placeholder=" …")


def _find_uv() -> str | None:
    beside = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
    return str(beside) if beside.is_file() else shutil.which("uv")
