"""A git repository for a new project: `git init`, and nothing else."""

import os
import shutil
from pathlib import Path

from dockwright.errors import GitError


def check_git() -> None:
    """Raise GitError if git is not installed."""
    if not shutil.which("git"):
        reason = "git is not installed: install it, or leave out the flag"
        raise GitError(reason)


def enclosing_repository(directory: Path) -> Path | None:
    """Return the work tree that the directory is in, if it is in one."""
    absolute = directory.resolve()
    return next((path for path in (absolute, *absolute.parents) if (path / ".git").exists()), None)


def init_repository(directory: Path) -> None:
    """Make the directory a repository; raise GitError."""
    import subprocess

    command = ["git", "init", "--quiet", str(directory)]
    # Hooks of git set these, and a repository would be made there.
    environment = {name: text for name, text in os.environ.items() if name not in {"GIT_DIR", "GIT_WORK_TREE"}}
    done = subprocess.run(  # noqa: S603 # the user's own git
        command, check=False, capture_output=True, encoding="utf-8", errors="replace", env=environment
    )
    if done.returncode:
        reason = f"{directory} is written, but git init failed ({' '.join(done.stderr.split())})"
        raise GitError(reason)
