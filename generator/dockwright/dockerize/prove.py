"""The proof: build the production stack, start it, request it, and take it down again."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from dockwright.dockerize.libraries import MISSING
from dockwright.dockerize.plan import EXAMPLE, Plan, View, Wishes, make_plan
from dockwright.dockerize.requirements import DISTRIBUTIONS
from dockwright.dockerize.writing import write
from dockwright.errors import GeneratorError
from dockwright.report import free_port

PATHS = ("/", "/health", "/docs")
TIMEOUT_SECONDS = 10
START_SECONDS = 180
OUTPUT_LINES = 12
SERVER_ERROR = 500
FILE = "compose.prod.yaml"


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
    """Build, start and request; try one remedy if that fails. Raise ProofError with what the log says."""
    check_docker()
    start = monotonic()
    say("Building and starting it: this takes some minutes where nothing is cached.")
    failure, answers = _attempt(plan, directory)
    remedy = ""
    if failure:
        explanation, changed, remedy = diagnose(failure.log, wishes)
        if changed is None:
            raise ProofError(_message(failure, explanation))
        say(f"{explanation}: {remedy}, and trying again.")
        old = plan
        plan = make_plan(view, plan.application, changed)
        # Only what this run has planned is replaced, and nothing that has been edited since.
        for name, content in old.files.items():
            path = directory / name
            if plan.files.get(name) != content and path.read_text(encoding="utf-8") == content:
                path.unlink()
        write(plan.files, directory, force=False)
        failure, answers = _attempt(plan, directory)
        if failure:
            raise ProofError(_message(failure, diagnose(failure.log, changed)[0]))
    seconds = monotonic() - start
    say(
        f"It answers, {seconds:.0f} s after the first step: {', '.join(f'{path} {status}' for path, status in answers)}."
    )
    return Proof(plan, answers, seconds, remedy)


def check_docker() -> None:
    """Raise ProofError if no engine with compose answers."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        if not shutil.which("docker") or subprocess.run(command, check=False, capture_output=True).returncode:
            message = "the files are written, but --prove needs Docker Engine with Compose, which does not answer"
            raise ProofError(message)


def diagnose(log: str, wishes: Wishes) -> tuple[str, Wishes | None, str]:  # noqa: PLR0911 # one return for each kind
    """Return what a log says, what to change about the plan, and how that is told."""
    if match := re.search(r"(?:OSError|ImportError): (lib[\w.+-]+\.so[.\d]*): cannot open shared object", log):
        package = MISSING.get(match[1])
        if package and package not in wishes.libraries:
            changed = replace(wishes, libraries=(*wishes.libraries, package))
            return f"{match[1]} is missing in the image", changed, f"adding {package}"
        return f"{match[1]} is missing in the image: add the Debian package that has it", None, ""
    if re.search(
        r"pg_config executable not found|error: command '?(gcc|cc|g\+\+|clang)'?|Python\.h: No such file", log
    ):
        if not wishes.compiles:
            return (
                "a dependency has no wheel and has to be compiled",
                replace(wishes, compiles=True),
                "adding a build stage",
            )
        return "a dependency can't be compiled", None, ""
    if match := re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", log):
        top = match[1].partition(".")[0]
        package = DISTRIBUTIONS.get(top, top.replace("_", "-"))
        if package not in wishes.packages and not top.startswith("_"):
            changed = replace(wishes, packages=(*wishes.packages, package))
            return f"{match[1]} is imported, but not declared", changed, f"installing {package} in the image"
        return f"{match[1]} can't be imported", None, ""
    if match := re.search(r"\bKeyError: '([A-Z][A-Z0-9_]+)'", log):
        return f"the application needs the setting {match[1]}: give it a value in .env and name it in {FILE}", None, ""
    if match := re.search(r"(\w+)\n\s+Field required", log):
        return f"the application needs the setting {match[1].upper()}: name it in {FILE}", None, ""
    if match := re.search(r"(?:Permission denied|Read-only file system): '?(/[^'\s]+)", log):
        return (
            f"the application writes {match[1]}, which is neither a volume nor writable: add a volume for it",
            None,
            "",
        )
    if re.search(r"Connection ?[Rr]efused|could not connect to server|Name or service not known", log):
        return "the application can't reach a service that it connects to when it starts", None, ""
    error = re.findall(r"(?m)^(?:[\w-]+\s+\| )?((?:\w+\.)*\w*(?:Error|Exception)\b.*)$", log)
    return (error[-1].strip() if error else "the log does not say why"), None, ""


def _attempt(plan: Plan, directory: Path) -> tuple[Failure | None, tuple[tuple[str, int], ...]]:
    """Build and start the stack under a name of its own, request it, and remove it."""
    name = f"dockwright-{uuid4().hex[:8]}"
    port = free_port(str(plan.server.port))
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
            return Failure("start", compose("logs", "--no-color", "--no-log-prefix").stdout + started.stdout), ()
        paths = dict.fromkeys(filter(None, (*PATHS, plan.around.health)))
        answers = tuple((path, _status(int(port), path)) for path in paths)
        if any(status >= SERVER_ERROR for _, status in answers):
            return Failure("first request", compose("logs", "--no-color", "--no-log-prefix", "web").stdout), answers
        return None, answers
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "5", "--rmi", "local")
        subprocess.run(["docker", "image", "rm", f"{plan.name}:{name}"], check=False, capture_output=True)


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
