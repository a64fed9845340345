"""The version of Python: what files ask for, else the newest that is proven with the template."""

import re
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.sources import Sources, join

NEWEST = "3.14"
# When the security fixes of each version end
ENDS = {
    "3.15": "2031-10",
    "3.14": "2030-10",
    "3.13": "2029-10",
    "3.12": "2028-10",
    "3.11": "2027-10",
}
ENDED = {"3.10": "2026-10", "3.9": "2025-10", "3.8": "2024-10", "3.7": "2023-06", "3.6": "2021-12", "2.7": "2020-01"}
PREFERRED = (NEWEST, "3.13", "3.12", "3.11", "3.15")


@dataclass(frozen=True)
class Python:
    """A version, and why."""

    version: str
    reason: str
    note: str = ""


def choose_python(sources: Sources, home: str, requirements: Requirements) -> Python:
    """Return the version that the files ask for, or the newest that they allow."""
    for name, pattern in {
        ".python-version": r"(?:cpython-)?(\d+\.\d+)",
        "runtime.txt": r"python-(\d+\.\d+)",
        ".tool-versions": r"(?m)^python (\d+\.\d+)",
    }.items():
        file = join(home, name)
        if match := re.search(pattern, sources.read(file) if file in sources else ""):
            return _checked(match[1], f"{file} asks for it")
    if requirements.python:
        source = f"{requirements.manifest} allows {requirements.python}"
        try:
            allowed = SpecifierSet(requirements.python)
        except InvalidSpecifier:
            return Python(NEWEST, "the newest", f"{source}, which is no valid specifier")
        for version in (*PREFERRED, *ENDED):
            # The newest patch release of a version is what an image has.
            if any(f"{version}.{patch}" in allowed for patch in (99, 0)):
                return _checked(version, source)
        return Python(NEWEST, "the newest", f"{source}, which is no version that exists")
    return Python(NEWEST, "nothing asks for a version: the newest")


def _checked(version: str, reason: str) -> Python:
    if version in ENDED:
        note = f"Python {version} has had no security fixes since {ENDED[version]}: try --python {NEWEST}"
        return Python(version, reason, note)
    return Python(version, reason)
