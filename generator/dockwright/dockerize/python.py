"""The version of Python: what files ask for, else the newest that fits what is installed."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from dockwright.dockerize.index import Index
from dockwright.dockerize.project import Project
from dockwright.dockerize.requirements import COMPILED, IMPORTS, WINDOWS_ONLY, Requirements
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
# What --python takes, the oldest first: each has an image
KNOWN = sorted((version for version in (*RELEASES, *ENDED) if version.startswith("3.")), key=Version)
# Asked about what has no wheel for the version that is wanted
OLDER = ("3.6", "3.9", "3.12")
NEWEST, OLDEST = "3.14", "3.11"
# Unlocked versions that are older were chosen for another Python.
OLD_DAYS = 365
WHEELS_DAYS = 90
# How many versions the index is asked about, before something is compiled: those with security fixes, and two more
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
    # What has no wheel for it
    compiled: tuple[str, ...] = ()
    # Other versions that are allowed, the best first
    others: tuple[str, ...] = ()


def age(sources: Sources, requirements: Requirements, today: date) -> str:
    """Return the date of the lock or the manifest, if it is old; else nothing."""
    if requirements.tool == IMPORTS:
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
        return _with_wheels(requirements, index, [version], reason)
    order = _order(manifest_date)
    reason = "nothing asks for a version: the newest"
    if manifest_date:
        reason = f"{requirements.manifest} is from {manifest_date}: the newest of then that still gets security fixes"
    if requirements.python:
        reason = f"{requirements.manifest} allows {requirements.python}"
        order = _allowed(order, requirements.python)
        if not order:
            return Python(NEWEST, "the newest", f"{reason}, which is no version that exists")
    python = _with_wheels(requirements, index, order, reason)
    supported = (version for version in order if version in RELEASES and version != python.version)
    return replace(python, others=tuple(supported))


def lock_with_wheels(python: Python, index: Index, lock: Callable[[str], str]) -> tuple[Python, str]:
    """Return the versions that `lock` finds, and the Python for which the fewest of them have to be compiled."""
    texts: dict[str, str] = {}
    missing: dict[str, frozenset[str]] = {}
    for version in (python.version, *python.others[:3]):
        texts[version] = lock(version)
        found = _lacking(index, _pins(texts[version]), version) if index.answers and texts[version] else None
        if found is None:
            break
        missing[version] = found
        if not found:
            break
    if not any(missing.values()):
        return python, texts[python.version]
    best = min(missing, key=lambda version: len(missing[version]))
    compiled = missing[best]
    lacking = sorted(missing[python.version])
    has = "has a wheel" if len(lacking) == 1 else "have wheels"
    reason = python.reason if best == python.version else f"the first for which {', '.join(lacking)} {has}"
    if compiled:
        reason = f"{reason}; without a wheel for it: {', '.join(sorted(compiled))}"
    return replace(python, version=best, reason=reason, compiled=tuple(sorted({*python.compiled, *compiled}))), texts[
        best
    ]


def _pins(constraints: str) -> dict[str, str]:
    """Return the versions in a file of constraints, without those for Windows or another Python."""
    lines = (line for line in constraints.splitlines() if not re.search(r"win32|python_(full_)?version", line))
    matches = filter(None, (re.match(r"([\w.-]+)==([^\s;]+)", line) for line in lines))
    return {match[1]: match[2] for match in matches if match[1] not in COMPILED}


def missing_wheels(requirements: Requirements, index: Index, version: str) -> frozenset[str] | None:
    """Return the packages whose version has no wheel for a version of Python; None if nobody knows."""
    if any(requirements.wheels.values()):
        wheels = requirements.wheels.items()
        return frozenset(
            package for package, names in wheels if names and not _has_wheel(names, version, is_musl=index.is_musl)
        )
    pins = {name: pin for name, pin in requirements.pins.items() if pin and name not in COMPILED | WINDOWS_ONLY}
    if not pins:
        return frozenset()
    return _lacking(index, pins, version) if index.answers else None


def _pinned(project: Project) -> tuple[str, str]:
    """Return the one version that a file names, and which file."""
    for name, pattern in FILES.items():
        file = join(project.part, name)
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
    """Return the first version for which the fewest packages have to be compiled."""
    missing: dict[str, frozenset[str]] = {}
    for version in order[:TRIED]:
        if (found := missing_wheels(requirements, index, version)) is None:
            break
        missing[version] = found
        if not found:
            break
    if not missing:
        unknown = "" if index.refusal else f"nobody was asked whether everything has a wheel for Python {order[0]}"
        python = _checked(order[0], reason)
        return replace(python, note=python.note or unknown)
    best = min(missing, key=lambda version: len(missing[version]))
    compiled = missing[best]
    if best != order[0] and len(order) > 1:
        reason = f"the first, from {order[0]}, for which all pinned versions have wheels"
    if compiled:
        reason = f"{reason}; without a wheel for it: {', '.join(sorted(compiled))}"
    return replace(_checked(best, reason), compiled=tuple(sorted(compiled)))


def _lacking(index: Index, pins: Mapping[str, str], version: str) -> frozenset[str] | None:
    """Return the packages that have wheels, but none for this version of Python.

    What has no wheel at all is in pure Python, as a rule: it says nothing about the version.
    """
    found = index.wheels(pins, version) if pins else {}
    if found is None:
        return None
    lacking = {name for name in pins if not _has_wheel(found.get(name, ()), version, is_musl=index.is_musl)}
    without, unknown = set[str](), lacking
    # Old versions have wheels for an older Python; others are not for that.
    for older in OLDER if lacking else ():
        others = index.wheels({name: pins[name] for name in unknown}, older) or {}
        without |= {name for name, names in others.items() if not names}
        unknown -= others.keys()
    return frozenset(lacking - without - unknown)


def _has_wheel(names: Iterable[str], version: str, *, is_musl: bool) -> bool:
    return any(_is_for(name, version, "musllinux" if is_musl else "manylinux") for name in names)


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
