"""The version of Python: what files ask for, else the newest that fits what is installed."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from dockwright.dockerize.index import Index
from dockwright.dockerize.project import Project
from dockwright.dockerize.requirements import IMPORTS, PIP, Requirements
from dockwright.dockerize.sources import Sources, join

# The first release of each version that gets security fixes; the newest is the last to be taken
RELEASES = {
    "3.14": "2025-10-07",
    "3.13": "2024-10-07",
    "3.12": "2023-10-02",
    "3.11": "2022-10-24",
    "3.15": "2026-10-01",
}
ENDED = {"3.10": "2026-10", "3.9": "2025-10", "3.8": "2024-10", "3.7": "2023-06", "3.6": "2021-12", "2.7": "2020-01"}
NEWEST, OLDEST = "3.14", "3.11"
# Unlocked versions that are older were chosen for another Python.
OLD_DAYS = 365
WHEELS_DAYS = 90
# How many versions the index is asked about, before something is compiled
TRIED = 7
FILES = {
    ".python-version": r"(?:cpython-)?(\d+\.\d+)",
    "runtime.txt": r"python-(\d+\.\d+)",
    ".tool-versions": r"(?m)^python (\d+\.\d+)",
}


@dataclass(frozen=True)
class Python:
    """A version, and why."""

    version: str
    reason: str
    note: str = ""
    # Something that is pinned has no wheel for it
    compiles: bool = False


def age(sources: Sources, requirements: Requirements, today: date) -> str:
    """Return the date of the manifest, if it is old and its versions are not locked; else nothing."""
    if requirements.is_locked or requirements.tool == IMPORTS:
        return ""
    changed = sources.last_change(requirements.manifest)
    return changed if changed and (today - date.fromisoformat(changed)).days > OLD_DAYS else ""


def lock_date(manifest_date: str, version: str) -> str:
    """Return the day that old dependencies are resolved for: packages need some months for a new Python's wheels."""
    release = RELEASES.get(version)
    if not manifest_date or not release:
        return manifest_date
    return max(manifest_date, str(date.fromisoformat(release) + timedelta(days=WHEELS_DAYS)))


def choose_python(project: Project, index: Index, manifest_date: str, wish: str) -> Python:
    """Return the version that is asked for, or the newest that is allowed and that has wheels."""
    requirements = project.requirements
    version, reason = (wish, "--python asks for it") if wish else _pinned(project)
    if version:
        return replace(_checked(version, reason), compiles=_compiles(requirements, index, version))
    order = _order(manifest_date)
    reason = "nothing asks for a version: the newest"
    if manifest_date:
        reason = f"{requirements.manifest} is from {manifest_date}: the newest of then that still gets security fixes"
    if requirements.python:
        reason = f"{requirements.manifest} allows {requirements.python}"
        order = _allowed(order, requirements.python)
        if not order:
            return Python(NEWEST, "the newest", f"{reason}, which is no version that exists")
    if any(requirements.wheels.values()):
        fitting = [version for version in order if _fits(requirements, version, index.is_musl)]
        why = f"the first, from {order[0]}, for which {requirements.manifest} has all wheels"
        if fitting and fitting[0] != order[0]:
            return _checked(fitting[0], why)
        return replace(_checked(order[0], reason), compiles=not fitting)
    asks = requirements.tool == PIP and requirements.pins and index.answers
    return _with_wheels(requirements, index, order, reason) if asks else _checked(order[0], reason)


def _compiles(requirements: Requirements, index: Index, version: str) -> bool:
    """Tell whether something that is pinned has no wheel for a version of Python."""
    if any(requirements.wheels.values()):
        return not _fits(requirements, version, index.is_musl)
    pinned = [line for line in requirements.lines if "==" in line]
    return bool(pinned) and index.answers and index.has_wheels(pinned, version) is False


def _pinned(project: Project) -> tuple[str, str]:
    """Return the one version that a file names, and which file."""
    for name, pattern in FILES.items():
        file = join(project.home, name)
        if match := re.search(pattern, project.sources.read(file) if file in project.sources else ""):
            return match[1], f"{file} asks for it"
    return "", ""


def _allowed(order: list[str], specifier: str) -> list[str]:
    try:
        allowed = SpecifierSet(specifier)
    except InvalidSpecifier:
        return []
    # The newest patch release of a version is what an image has.
    return [version for version in order if f"{version}.99" in allowed or f"{version}.0" in allowed]


def _fits(requirements: Requirements, version: str, is_musl: bool) -> bool:  # noqa: FBT001 # of the base image
    """Tell whether a lock has wheels for a version of Python, of all packages that have wheels at all."""
    return all(
        any(_is_for(name, version, "musllinux" if is_musl else "manylinux") for name in names)
        for names in requirements.wheels.values()
        if names
    )


def _is_for(wheel: str, version: str, platform: str) -> bool:
    try:
        tags = parse_wheel_filename(wheel)[3]
    except InvalidWheelFilename:
        return False
    number = int(version.replace(".", ""))
    for tag in tags:
        found = re.fullmatch(r"(cp|py)(\d+)", tag.interpreter)
        if not found or (tag.platform != "any" and not tag.platform.startswith((platform, "linux"))):
            continue
        own = found[1] == "cp" and int(found[2]) == number
        stable = tag.abi == "abi3" and int(found[2]) <= number
        if own or stable or (found[1] == "py" and found[2].startswith("3")):
            return True
    return False


def _with_wheels(requirements: Requirements, index: Index, order: list[str], reason: str) -> Python:
    """Return the first version for which all pinned versions have wheels."""
    lines = [line for line in requirements.lines if "==" in line]
    for version in order[:TRIED]:
        has_wheels = index.has_wheels(lines, version)
        if has_wheels is None:
            break
        if has_wheels:
            why = f"the first, from {order[0]}, for which all pinned versions have wheels"
            return _checked(version, reason if version == order[0] else why)
    else:
        reason = f"{reason}; some pinned versions have no wheel for any"
        return replace(_checked(order[0], reason), compiles=True)
    return _checked(order[0], reason)


def _order(manifest_date: str) -> list[str]:
    """Return versions in the order in which they are tried."""
    if not manifest_date:
        return [*RELEASES, *ENDED]
    there = [version for version, release in RELEASES.items() if release <= manifest_date]
    newer = [version for version in reversed(RELEASES) if version not in there and version != "3.15"]
    return [*there, *newer, *ENDED]


def _checked(version: str, reason: str) -> Python:
    if version in ENDED:
        note = f"Python {version} has had no security fixes since {ENDED[version]}: try --python {OLDEST}"
        return Python(version, reason, note)
    return Python(version, reason)
