"""Every project's dependencies are locked: completely, with nothing else, and with hashes."""

import re
import tomllib
from importlib.metadata import distributions
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# requirements file -> the dependency groups that it locks besides the project's own dependencies
LOCKS: dict[str, list[str]] = {"requirements.txt": [], "requirements-dev.txt": ["dev"]}
# The platforms that a lock has to support: sys_platform, os_name, platform_system
PLATFORMS = [("linux", "posix", "Linux"), ("darwin", "posix", "Darwin"), ("win32", "nt", "Windows")]
IMPLEMENTATIONS = [("cpython", "CPython"), ("pypy", "PyPy")]

Needs = dict[str, list[Requirement]]


@pytest.fixture(scope="session")
def needs(python: Path) -> Needs:
    """Return the requirements of every locked package that exists for this platform."""
    (library,) = (path for lib in ("lib/*/", "Lib/") for path in python.parents[1].glob(f"{lib}site-packages"))
    packages = distributions(path=[str(library)])
    return {canonicalize_name(found.name): [Requirement(text) for text in found.requires or []] for found in packages}


@pytest.fixture(scope="session")
def declared(texts: dict[str, str]) -> dict[str, list[Requirement]]:
    """Return the declared dependencies of the project for each of its locks."""
    table: dict[str, Any] = tomllib.loads(texts["pyproject.toml"])
    groups, own = table["dependency-groups"], table["project"]["dependencies"]
    return {
        lock: [Requirement(text) for text in [*own, *(text for name in names for text in groups[name])]]
        for lock, names in LOCKS.items()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_locked(texts: dict[str, str], declared: dict[str, list[Requirement]], lock: str) -> None:
    """Every direct dependency is locked at an allowed version."""
    versions = {canonicalize_name(pin.name): pin for pin in read_pins(texts[lock])}
    for requirement in declared[lock]:
        (pin,) = versions[canonicalize_name(requirement.name)].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_exact(
    answers: dict[str, str],
    texts: dict[str, str],
    declared: dict[str, list[Requirement]],
    needs: Needs,
    lock: str,
) -> None:
    """On every platform, exactly the packages that are needed are locked."""
    needed, locked = set[tuple[str, str]](), set[tuple[str, str]]()
    pins = read_pins(texts[lock])
    for (sys_platform, os_name, platform_system), (name, python_implementation) in product(PLATFORMS, IMPLEMENTATIONS):
        environment = {str(key): str(value) for key, value in default_environment().items()} | {
            "implementation_name": name,
            "os_name": os_name,
            "platform_machine": "x86_64",
            "platform_python_implementation": python_implementation,
            "platform_system": platform_system,
            "python_full_version": f"{answers['python_version']}.0",
            "python_version": answers["python_version"],
            "sys_platform": sys_platform,
        }
        place = f"{name} on {sys_platform}"
        needed |= {(package, place) for package in closure(declared[lock], needs, environment)}
        locked |= {(pin.name, place) for pin in pins if not pin.marker or pin.marker.evaluate(environment)}
    assert locked == needed


@pytest.mark.parametrize("lock", LOCKS)
def test_hashed(texts: dict[str, str], lock: str) -> None:
    """Every package is locked with hashes, and no lock has a URL."""
    entries = re.split(r"^(?=\w)", texts[lock], flags=re.MULTILINE)[1:]
    complete = re.compile(r"\S+==.*( \\\n    --hash=sha256:[0-9a-f]{64})+\n")
    assert [entry for entry in entries if not complete.fullmatch(entry)] == []
    assert "://" not in texts[lock]


def test_nothing_for_development(texts: dict[str, str]) -> None:
    """Production installs no development tools."""
    tools = {"httpx", "mypy", "pip", "pytest", "ruff", "uv", "watchfiles"}
    assert tools & {pin.name for pin in read_pins(texts["requirements.txt"])} == set()


def read_pins(lock: str) -> list[Requirement]:
    """Return the packages of a lock with their versions and markers."""
    return [Requirement(line.removesuffix(" \\")) for line in re.findall(r"^\w.*", lock, re.MULTILINE)]


def closure(requirements: list[Requirement], needs: Needs, environment: dict[str, str]) -> set[str]:
    """Return the names of all packages that these requirements need on a platform, directly or indirectly."""
    found = set[tuple[str, str]]()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for known, extra in found if known == name}:
            found.add((name, extra))
            place = {**environment, "extra": extra}
            waiting += [need for need in needs.get(name, []) if not need.marker or need.marker.evaluate(place)]
    return {name for name, _ in found}
