"""How the dependencies get into the image: the application's own files and tool, run by uv."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockwright.dockerize.requirements import (
    IMPORTS,
    PDM,
    PIP,
    PIPENV,
    POETRY,
    PROJECT,
    PYLOCK,
    SETUP,
    UV,
    Requirements,
)
from dockwright.dockerize.sources import Sources, join

VENV = "uv venv --quiet /opt/venv"
CONSTRAINTS = "constraints.txt"


@dataclass(frozen=True)
class Installation:
    """The files that the installation reads, and its commands."""

    files: tuple[str, ...]
    commands: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    needs_source: bool = False
    # What the comment calls the tool, if it is not uv itself
    tool: str = ""


def plan_installation(
    sources: Sources, requirements: Requirements, extra: Iterable[str], *, is_constrained: bool
) -> Installation:
    """Return how to install the dependencies, and what the application doesn't declare."""
    files, extra = list(requirements.files), [shlex.quote(each) for each in extra]
    more = [f"uv pip install {' '.join(extra)}"] if extra else []
    constraint = [f"--constraint {CONSTRAINTS}"] if is_constrained else []
    match requirements.tool:
        case "uv":
            commands = ["uv sync --locked --no-dev --no-install-project", *more]
            settings = (("UV_PROJECT_ENVIRONMENT", "/opt/venv"), ("UV_PYTHON_DOWNLOADS", "never"))
            return Installation(tuple(files), tuple(commands), settings)
        case "poetry":
            run = "uv tool run --from 'poetry>=2,<3' poetry install --only main --no-root --no-interaction"
            return Installation(tuple(files), (VENV, run, *more), tool="Poetry")
        case "pdm":
            run = "uv tool run --from 'pdm>=2,<3' pdm sync --prod --no-self"
            settings = (("PDM_CHECK_UPDATE", "false"), ("PDM_IGNORE_SAVED_PYTHON", "1"))
            return Installation(tuple(files), (VENV, run, *more), settings, tool="PDM")
        case "pipenv":
            verb = "sync" if requirements.is_locked else "install --skip-lock"
            run = f"uv tool run --from 'pipenv>=2025' pipenv {verb}"
            return Installation(tuple(files), (VENV, run, *more), (("PIPENV_VERBOSITY", "-1"),), tool="Pipenv")
    arguments = [f"--requirement {requirements.files[0]}", *constraint]
    if requirements.has_hashes and requirements.tool == PIP:
        # Everything in one command would need a hash.
        commands = [VENV, f"uv pip install --require-hashes {' '.join(arguments)}", *more]
    else:
        commands = [VENV, " ".join(["uv pip install", *arguments, *extra])]
    if requirements.tool == SETUP:
        # The script may read others, such as the README.
        content = sources.read(join(requirements.directory, requirements.files[0]))
        beside = [
            name
            for name in sources.names
            if str(PurePosixPath(name).parent) == requirements.directory and PurePosixPath(name).name in content
        ]
        files += [PurePosixPath(name).name for name in beside if PurePosixPath(name).name not in files]
    if is_constrained:
        files.append(CONSTRAINTS)
    return Installation(
        tuple(files), tuple(commands), needs_source=requirements.needs_source and requirements.tool == PIP
    )


def mounts(installation: Installation) -> list[str]:
    """Return the files to mount, those of one directory together."""
    names = []
    for name in installation.files:
        top = PurePosixPath(name).parts[0]
        if top not in names:
            names.append(top)
    return names
