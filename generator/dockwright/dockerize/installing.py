"""How the dependencies get into the image: the application's own files and tool, run by uv."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath

from dockwright.dockerize.index import AS_OF, HEADER, WHOLE, Index
from dockwright.dockerize.requirements import IMPORTS, PDM, PIP, PIPENV, POETRY, PROJECT, SETUP, Requirements
from dockwright.dockerize.sources import Sources, join

VENV = "uv venv --quiet /opt/venv"
CONSTRAINTS = "constraints.txt"
EXPORTED = "/tmp/requirements.txt"  # noqa: S108 # in the build
# Tools whose manifest uv can't install from
FOREIGN = {POETRY, PIPENV}
TITLES = {POETRY: "Poetry", PDM: "PDM", PIPENV: "Pipenv"}
# A line of requirements that is a path: of the project itself, or of another one beside it
LIBRARY = re.compile(
    r"(?m)^\s*(?:(?:-e|--editable)[\s=]+)?((?:\.{1,2}|(?:\./|\.\./)?[\w-]+(?:/[\w.-]+)+|\.{1,2}/[\w.-]+)/?)\s*(?:#.*)?$"
)
# How each tool reads its own lock
READERS = {
    POETRY: "uv tool run --from 'poetry>=2,<3' --with poetry-plugin-export poetry export --only main --output",
    PDM: "uv tool run --from 'pdm[locked]>=2,<3' pdm export --prod --output",
    PIPENV: "uv tool run pipenv requirements --hash >",
}


@dataclass(frozen=True)
class Installation:
    """The files that the installation reads, and its commands."""

    files: tuple[str, ...]
    commands: tuple[str, ...]
    needs_source: bool = False
    # The tool that reads its own lock, if it is not uv
    tool: str = ""
    # Directories of the repository that are built and installed like packages, and those of them that are linked to
    libraries: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()


def plan_installation(
    sources: Sources, requirements: Requirements, extra: Iterable[str], *, is_constrained: bool
) -> Installation:
    """Return how to install the dependencies, and what the application doesn't declare."""
    files, extra = list(requirements.files), [shlex.quote(each) for each in extra]
    more = [f"uv pip install {' '.join(extra)}"] if extra else []
    outside = tuple(map(normpath, requirements.beside.values()))
    constraint = [f"--constraint {CONSTRAINTS}"] if is_constrained else []
    if is_constrained and requirements.tool in FOREIGN:
        # Versions of everything that is to be installed, but what is in no index
        urls = [shlex.quote(str(each)) for each in requirements.declared if each.url]
        install = " ".join(["uv pip install --requirement", CONSTRAINTS, *urls])
        return Installation((CONSTRAINTS,), (VENV, install, *more))
    match requirements.tool:
        case "uv":
            own = f"--package {requirements.package} " if requirements.package else ""
            # The application itself runs from its code.
            left_out = f"--no-install-package {requirements.package}" if own else "--no-install-project"
            copied = "--no-editable " if requirements.needs_source or outside else ""
            sync = f"uv sync --active --locked {own}--no-dev {copied}{left_out} --no-python-downloads"
            needs_source = requirements.needs_source
            return Installation(tuple(files), (VENV, sync, *more), needs_source=needs_source, libraries=outside)
        case "poetry" | "pdm" | "pipenv":
            lock = "uv tool run pipenv lock" if requirements.tool == PIPENV and not requirements.is_locked else ""
            # Hashes are verified where the lock has them.
            # A lock is whole: what it leaves out, such as setuptools, is not asked for.
            whole = "--no-deps " if requirements.tool == PIPENV and requirements.is_locked else ""
            install = f"uv pip install {whole}--requirement {EXPORTED}"
            read = f"{READERS[requirements.tool]} {EXPORTED}"
            steps = tuple(filter(None, (VENV, lock, read, install, f"rm {EXPORTED}", *more)))
            return Installation(tuple(files), steps, tool=TITLES[requirements.tool])
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
    needs_source = requirements.needs_source and requirements.tool == PIP
    libraries = _libraries(sources, requirements) if needs_source else ()
    return Installation(
        tuple(files),
        tuple(commands),
        needs_source=needs_source and not libraries,
        libraries=(*libraries, *outside),
        linked=tuple(map(normpath, requirements.linked)),
    )


def _libraries(sources: Sources, requirements: Requirements) -> tuple[str, ...]:
    """Return the directories that requirements name as packages; none if one of them is the project itself."""
    text = "\n".join(sources.read(join(requirements.directory, name)) for name in requirements.files)
    paths = [path for path in map(normpath, LIBRARY.findall(text)) if not path.startswith("..")]
    known = [path for path in paths if sources.has_directory(join(requirements.directory, path))]
    return tuple(dict.fromkeys(known)) if paths == known and "." not in paths else ()


def lock(  # noqa: PLR0913, PLR0917 # what it depends on
    sources: Sources, requirements: Requirements, extra: Iterable[str], index: Index, python: str, date: str
) -> str:
    """Return versions that go together where the application's files don't name them, as of a date if there is one.

    What is there already stays: it is from an earlier run.
    """
    if (
        requirements.is_locked
        or requirements.tool not in {PIP, PROJECT, SETUP, IMPORTS, *FOREIGN}
        or requirements.needs_source
    ):
        return ""
    file = join(requirements.directory, CONSTRAINTS)
    if CONSTRAINTS in requirements.files:
        return ""
    if file in sources:
        return sources.read(file)
    if not index.answers or not requirements.lines:
        return ""
    versions = index.lock([*requirements.lines, *extra], python, date)
    if versions is None:
        return ""
    manifest = requirements.files[0]
    note = AS_OF.format(manifest=manifest, date=date).rstrip("\n") if date else ""
    header = WHOLE if requirements.tool in FOREIGN else HEADER
    return header.format(manifest=manifest, date=note) + versions


def mounts(installation: Installation) -> list[str]:
    """Return the files to mount, those of one directory together."""
    names = []
    for name in installation.files:
        # Only a directory of requirements is mounted as a whole, not one that has code, too.
        top = PurePosixPath(name).parts[0]
        top = top if top.startswith("requirements") else name
        if top not in names:
            names.append(top)
    return names
