"""What only the package index knows: versions that go together, and which Python has wheels. uv asks it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import shorten

from dockwright.dockerize.requirements import wheel_names

TIMEOUT_SECONDS = 60
HEADER = """\
# Versions that go together, so that a build can be repeated. {manifest} is what you edit: what it adds is installed
# in the newest version. For newer versions, delete this file and run `dockwright dockerize` again.{date}
"""
WHOLE = """\
# What {manifest} asks for, in versions that go together: this is what is installed. After an edit of {manifest}, or
# for newer versions, delete this file and run `dockwright dockerize` again.{date}
"""
AS_OF = """
# {manifest} is old: these are the versions of {date} (with --latest, of today).
"""


class Index:
    """Asks the index; after the first failure it gives up, and `refusal` says why."""

    def __init__(self, *, base: str = "slim", is_offline: bool = False) -> None:
        """Find uv."""
        self._uv = None if is_offline else _find_uv()
        self.is_musl = base == "alpine"
        self.refusal = ""
        if not is_offline and not self._uv:
            self.refusal = "uv is not installed (pip install 'dockwright[lock]'), so no versions were locked"

    @property
    def answers(self) -> bool:
        """Whether it can be asked."""
        return self._uv is not None and not self.refusal

    def wheels(self, pins: Mapping[str, str], python: str) -> dict[str, tuple[str, ...]] | None:
        """Return the wheels that these versions have for a version of Python or newer ones; None if nobody knows.

        What is not for this Python, or not in the index, is missing.
        """
        remaining = dict(pins)
        while remaining:
            lines = (f"{name}=={version}" for name, version in remaining.items())
            output, error = self._compile(lines, python, ["--no-deps", "--universal", "--format", "pylock.toml"])
            if output is not None:
                packages = tomllib.loads(output).get("packages", [])
                return {package["name"]: wheel_names(package.get("wheels", [])) for package in packages}
            # The error names one after the other.
            named = {name for name in remaining if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", error)}
            if "No solution found" not in error or not named:
                self.refusal = self.refusal or f"the package index could not be asked ({shorten_error(error)})"
                return None
            remaining = {name: version for name, version in remaining.items() if name not in named}
        return {}

    def lock(self, lines: Iterable[str], python: str, date: str) -> str | None:
        """Return versions that go together, as of a date if there is one; None if there are none."""
        limit = ["--exclude-newer", date] if date else []
        output, error = self._compile(lines, python, ["--universal", "--no-annotate", "--no-header", *limit])
        if output is None:
            self.refusal = self.refusal or f"no versions were locked ({shorten_error(error)})"
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
        return (done.stdout, "") if done.returncode == 0 else (None, done.stderr)


def shorten_error(error: str) -> str:
    """Return an error in one line, cut between words."""
    return shorten(error, 200, placeholder=" …")


def _find_uv() -> str | None:
    beside = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
    return str(beside) if beside.is_file() else shutil.which("uv")
