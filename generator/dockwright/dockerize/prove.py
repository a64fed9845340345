"""The proof: build the production stack, start it, request it, and take it down again."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from packaging.utils import canonicalize_name

from dockwright.dockerize.libraries import MISSING
from dockwright.dockerize.plan import EXAMPLE, Plan, View, Wishes, make_plan
from dockwright.dockerize.requirements import DISTRIBUTIONS
from dockwright.dockerize.writing import write
from dockwright.errors import GeneratorError

PATHS = ("/", "/health", "/docs")
TIMEOUT_SECONDS = 10
START_SECONDS = 180
OUTPUT_LINES = 12
SERVER_ERROR = 500
# A compiler may show that a library is missing, too.
REMEDIES = 2
# A shared library that glibc or musl doesn't find
MISSING_LIBRARY = re.compile(
    r"(?:OSError|ImportError): (lib[\w.+-]+\.so[.\d]*): cannot open shared object"
    r"|Error loading shared library (lib[\w.+-]+\.so[.\d]*):"
)
MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
# The last ones with pkg_resources
SETUPTOOLS = "setuptools<81"
FILE = "compose.prod.yaml"
# What is wrong, what to change, and how that is told
Diagnosis = tuple[str, Wishes | None, str]


@dataclass(frozen=True)
class Failure:
    """What a build or a start failed with."""

    step: str
    log: str


@dataclass(frozen=True)
class Proof:
    """What was built and answered, with the plan that it was built from."""

    plan: Plan
    answers: tuple[tuple[str, int], ...]
    seconds: float
    remedy: str = ""

    def data(self) -> dict[str, Any]:
        """Return the proof for a script."""
        return {"answers": dict(self.answers), "seconds": round(self.seconds, 1), "remedy": self.remedy}


class ProofError(GeneratorError):
    """The application does not build or start."""


def prove(view: View, plan: Plan, wishes: Wishes, directory: Path, say: Callable[[str], None]) -> Proof:
    """Build, start and request; try remedies if that fails. Raise ProofError with what the log says."""
    check_docker()
    start = monotonic()
    say("Building and starting it: this takes some minutes where nothing is cached.")
    failure, answers = _attempt(plan, directory)
    remedies: list[str] = []
    while failure:
        if own := misplaced_module(view, failure.log) or empty_package(plan, failure.log):
            raise ProofError(_message(failure, own))
        explanation, changed, remedy = diagnose(failure.log, wishes, partial(_package_of, plan.python.version))
        if changed is None or len(remedies) == REMEDIES:
            raise ProofError(_message(failure, explanation))
        say(f"{explanation}: {remedy}, and trying again.")
        remedies.append(remedy)
        wishes, old = changed, plan
        plan = make_plan(view, plan.application, wishes)
        # Only what this run has planned is replaced, and nothing that has been edited since.
        for name, content in old.files.items():
            path = directory / name
            if plan.files.get(name) != content and path.read_text(encoding="utf-8") == content:
                path.unlink()
        write(plan.files, directory, force=False)
        failure, answers = _attempt(plan, directory)
    seconds = monotonic() - start
    say(verdict(answers, seconds))
    return Proof(plan, answers, seconds, ", ".join(remedies))


def misplaced_module(view: View, log: str) -> str:
    """Return a sentence if a module of the repository itself can't be imported: nothing replaces that."""
    match = MISSING_MODULE.search(log)
    path = match[1].replace(".", "/") if match else ""
    endings = (f"/{path}.py", f"/{path}/__init__.py")
    file = next((name for name in view.sources.names if path and f"/{name}".endswith(endings)), "")
    if not file:
        return ""
    return f"{file} is not on Python's path: pass --app as it is imported from the directory that has {path}"


def empty_package(plan: Plan, log: str) -> str:
    """Return a sentence if a declared package has not the module of its name: installing it again doesn't help."""
    match = MISSING_MODULE.search(log)
    package = canonicalize_name(_distribution(match[1])) if match else ""
    if not match or package not in plan.requirements.names:
        return ""
    return f"{package} is declared, but what is installed under this name has no module {match[1]}"


def verdict(answers: tuple[tuple[str, int], ...], seconds: float) -> str:
    """Return what the answers mean: an application without any known path may be the wrong object."""
    if all(status == HTTPStatus.NOT_FOUND for _, status in answers):
        return (
            f"Warning: it answers, but with 404 only ({', '.join(path for path, _ in answers)}). "
            "Try a path that it should have; if that is missing, too, pass another --app module:name."
        )
    told = ", ".join(f"{path} {status}" for path, status in answers)
    return f"It answers, {seconds:.0f} s after the first step: {told}."


def check_docker() -> None:
    """Raise ProofError if no engine with compose answers."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        found = shutil.which("docker")
        if not found or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 # the user's own Docker
            message = "the files are written, but --prove needs Docker Engine with Compose, which does not answer"
            raise ProofError(message)


def diagnose(log: str, wishes: Wishes, package_of: Callable[[str], str] = lambda _: "") -> Diagnosis:
    """Return what a log says, what to change about the plan, and how that is told.

    `package_of` finds the package of a library that no table has.
    """
    if match := MISSING_LIBRARY.search(log):
        return _missing_library(match[1] or match[2], wishes, package_of)
    for pattern, explain in DIAGNOSES:
        if match := pattern.search(log):
            return explain(match, wishes)
    error = re.findall(r"(?m)^(?:[\w-]+\s+\| )?((?:\w+\.)*\w*(?:Error|Exception)\b.*)$", log)
    # In the log of a build: the tools' own words.
    error = error or re.findall(r"(?m)^#\d+ [\d.]+\s+(error: .+)$", log)
    return (error[-1].strip() if error else "the log does not say why"), None, ""


def _missing_library(name: str, wishes: Wishes, package_of: Callable[[str], str]) -> Diagnosis:
    debian, alpine = MISSING.get(name, ("", ""))
    # apk also takes the name of what a package has.
    package = alpine or f"so:{name}" if wishes.base == "alpine" else debian or package_of(name)
    if package and package not in wishes.libraries:
        changed = replace(wishes, libraries=(*wishes.libraries, package))
        return f"{name} is missing in the image", changed, f"adding {package}"
    if wishes.base == "alpine":
        return f"{name} is missing in the image, and {package} doesn't help: take --base-image slim", None, ""
    sentence = "add the Debian package that has it to the Dockerfile, with apt-get install before the dependencies"
    return f"{name} is missing in the image: {sentence}", None, ""


def _package_of(version: str, library: str) -> str:
    """Return the Debian package of a library that the full image has; nothing if it hasn't, or isn't here."""
    image = f"python:{version}"
    command = ["docker", "run", "--rm", "--pull", "never", image, "dpkg-query", "--search", f"*/{library}"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 # the user's own Docker
    return found.stdout.partition(":")[0] if found.returncode == 0 else ""


def _no_wheel(match: re.Match[str], wishes: Wishes) -> Diagnosis:
    # uv names it, before the log of its build.
    names = re.findall(r"Failed to build `([\w.-]+)", match.string)
    name = names[-1] if names else "a dependency"
    if wishes.compiles:
        where = "on Alpine, even with a compiler: take --base-image slim"
        where = where if wishes.base == "alpine" else "even with the compiler of the full image"
        return f"{name} can't be compiled, {where}", None, ""
    return f"{name} has no wheel and has to be compiled", replace(wishes, compiles=True), "adding a build stage"


def _missing_module(match: re.Match[str], wishes: Wishes) -> Diagnosis:
    package = _distribution(match[1])
    if package in wishes.packages or match[1].startswith("_"):
        return f"{match[1]} can't be imported", None, ""
    changed = replace(wishes, packages=(*wishes.packages, package))
    return f"{match[1]} is imported, but not declared", changed, f"installing {package} in the image"


def _distribution(module: str) -> str:
    """Return the package that probably has a module."""
    top = module.partition(".")[0]
    return DISTRIBUTIONS.get(top, top.replace("_", "-"))


def _missing_field(match: re.Match[str], _: Wishes) -> Diagnosis:
    return f"the application needs the setting {match[1].upper()}: name it in {FILE}", None, ""


def _removed_module(match: re.Match[str], wishes: Wishes) -> Diagnosis:
    if match[1] in {"distutils", "pkg_resources"} and SETUPTOOLS not in wishes.packages:
        changed = replace(wishes, packages=(*wishes.packages, SETUPTOOLS))
        return (
            f"a dependency needs {match[1]}, which newer versions of Python don't have",
            changed,
            f"adding {SETUPTOOLS}",
        )
    return f"a dependency is older than this Python, which has no {match[1]} any more: try an older --python", None, ""


def _sentence(text: str) -> Callable[[re.Match[str], Wishes], Diagnosis]:
    return lambda match, _: (text.format(match[match.lastindex or 0]), None, "")


def _attempt(plan: Plan, directory: Path) -> tuple[Failure | None, tuple[tuple[str, int], ...]]:
    """Build and start the stack under a name of its own, request it, and remove it."""
    name = f"dockwright-{uuid4().hex[:8]}"
    port = _any_port()
    # A tag of its own: the user's images stay as they are.
    environment = {**os.environ, "PORT": port, "ADDRESS": "127.0.0.1", "TAG": name, "BUILDKIT_PROGRESS": "plain"}
    files = ["--file", FILE]
    settings = next((each for each in (".env", EXAMPLE) if (directory / each).is_file()), None)
    if settings:
        files += ["--env-file", settings]

    def compose(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", "--project-name", name, *files, *words]
        return subprocess.run(  # noqa: S603 # the user's own Docker
            command,
            cwd=directory,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    try:
        built = compose("build")
        if built.returncode:
            return Failure("build", built.stdout), ()
        started = compose("up", "--detach", "--wait", "--wait-timeout", str(START_SECONDS))
        if started.returncode:
            return Failure("start", started.stdout + compose("logs", "--no-color", "--no-log-prefix").stdout), ()
        paths = dict.fromkeys(filter(None, (*PATHS, plan.around.health)))
        answers = tuple((path, _status(int(port), path)) for path in paths)
        if any(status >= SERVER_ERROR for _, status in answers):
            return Failure("first request", compose("logs", "--no-color", "--no-log-prefix", "web").stdout), answers
        return None, answers
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "5", "--rmi", "local")
        remove = ["docker", "image", "rm", f"{plan.name}:{name}"]
        subprocess.run(remove, check=False, capture_output=True)  # noqa: S603 # the user's own Docker


def _any_port() -> str:
    """Return a port that the system gives to nobody else for now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _status(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 599
    finally:
        connection.close()


def _message(failure: Failure, explanation: str) -> str:
    lines = [line for line in failure.log.splitlines() if line.strip()][-OUTPUT_LINES:]
    return "\n".join(
        (f"the files are written, but the {failure.step} failed: {explanation}", *(f"  {line}" for line in lines))
    )


# What a log says, and what follows: the first that is found
DIAGNOSES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Wishes], Diagnosis]], ...] = (
    (
        re.compile(
            r"pg_config executable not found|\b(?:\w+[-_]config|g?cc|g\+\+): (?:command )?not found"
            r"|Python\.h: No such|error: command '?(?:gcc|cc|g\+\+|clang)'?"
            r"|No such file or directory: '[\w-]*(?:gcc|cc|g\+\+)'"
        ),
        _no_wheel,
    ),
    (
        re.compile(
            r"cannot import name '(\w+)' from '(?:inspect|collections|typing|asyncio|ast|importlib)'"
            r"|module '(?:inspect|collections|typing|asyncio|ast|pkgutil)' has no attribute '(\w+)'"
        ),
        _sentence(
            "a dependency is older than this Python, which has no {} any more: try an older --python, or update it"
        ),
    ),
    (re.compile(r"ModuleNotFoundError: No module named '(imp|distutils|pkg_resources|cgi)'"), _removed_module),
    (MISSING_MODULE, _missing_module),
    (
        re.compile(r"\bKeyError: '([A-Z][A-Z0-9_]+)'"),
        _sentence(f"the application needs the setting {{}}: give it a value in .env and name it in {FILE}"),
    ),
    (re.compile(r"(\w+)\n\s+Field required"), _missing_field),
    (
        re.compile(r"(?:Permission denied|Read-only file system): '?(/[^'\s]+)"),
        _sentence("the application writes {}, which is neither a volume nor writable: add a volume for it"),
    ),
    (
        re.compile(r"(no such table|UndefinedTable|relation \S+ does not exist|Table '[^']+' doesn't exist)"),
        _sentence("the database has no tables: the application's own command has to make them, once"),
    ),
    (
        re.compile(r"(Connection ?[Rr]efused|could not connect to server|Name or service not known)"),
        _sentence("the application can't reach a service that it connects to when it starts"),
    ),
)
