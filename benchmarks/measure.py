"""What every benchmark does: run commands, let contenders take turns, and save results."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

CHECKOUT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results.json")
OURS = "Dockwright"
FRAMEWORKS = ("flask", "fastapi")

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """One figure of several contenders that took turns."""

    what: str
    unit: str  # s, MB, MiB, ms or requests/s
    figures: Mapping[str, float]  # contender -> median
    failures: Mapping[str, str] = field(default_factory=dict)  # contender -> why it could not be measured
    along: str = ""  # what grows between comparisons of the same name
    at: int = 0  # how far it has grown

    def ratios(self) -> dict[str, float]:
        """Return our figure as a multiple of each contender's."""
        ours = self.figures.get(OURS)
        if ours is None:
            return {}
        return {name: ours / figure for name, figure in self.figures.items() if name != OURS}


@dataclass(frozen=True)
class Depth:
    """How thoroughly to measure."""

    rounds: int
    seconds: int  # how long a server is kept under load
    quick: bool


class CommandFailedError(Exception):
    """A command failed; the message is the command and its output."""


def run(*command: str, cwd: Path | None = None, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return its output; raise CommandFailedError if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        env={**os.environ, **env} if env else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise CommandFailedError(message)
    return done.stdout


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def processor_time(action: Callable[[], object]) -> float:
    """Return how many seconds of processor time the processes take that an action starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def answers(address: str) -> bool:
    """Return whether an address answers with a success."""
    try:
        with urllib.request.urlopen(address, timeout=1):  # noqa: S310 # an address of this machine
            return True
    except OSError:
        return False


def wait_until(happened: Callable[[], bool], *, what: str, seconds: float = 60, pause: float = 0.005) -> None:
    """Wait for a condition; raise CommandFailedError if it isn't met in time."""
    end = time.perf_counter() + seconds
    while not happened():
        if time.perf_counter() > end:
            message = f"{what}: not within {seconds:.0f} seconds"
            raise CommandFailedError(message)
        time.sleep(pause)


def remove_images(*filters: str) -> None:
    """Remove the images that match; other tags of their base images stay."""
    options = [option for text in filters for option in ("--filter", text)]
    names = run("docker", "images", *options, "--format", "{{.Repository}}:{{.Tag}}").split()
    images = [name for name in names if "<none>" not in name]
    if images:
        run("docker", "rmi", "--force", *images)


def take_turns(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> tuple[dict[str, float], dict[str, str]]:
    """Measure each contender once a round, so that other load on the machine affects all of them.

    Rounds go there and back: the machine changes with time. Returns the medians, and why a contender failed.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    failures: dict[str, str] = {}
    for number in range(rounds):
        for name, measure in in_turn(list(contenders.items()), number):
            if name not in failures:
                try:
                    found[name].append(measure())
                except CommandFailedError as error:
                    failures[name] = str(error).strip().splitlines()[-1]
    return medians({name: figures for name, figures in found.items() if name not in failures}), failures


def in_turn(contenders: Sequence[T], number: int) -> Sequence[T]:
    """Return the contenders in the order of a round: there and back."""
    return contenders[::-1] if number % 2 else contenders


def medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each contender's figures."""
    return {name: statistics.median(figures) for name, figures in found.items()}


def progress(text: str) -> None:
    """Print what is being measured."""
    print(text, file=sys.stderr, flush=True)


def read_results() -> dict[str, Any]:
    """Return the saved results, with the comparisons of each section."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"sections": {}}
    for section in results["sections"].values():
        section["comparisons"] = [Comparison(**one) for one in section["comparisons"]]
    return results


def write_results(section: str, comparisons: list[Comparison]) -> None:
    """Save the comparisons of a section, with the day and the machine; other sections stay as they are."""
    results = read_results()
    results["sections"][section] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "docker": run("docker", "version", "--format", "{{.Server.Version}}").strip(),
        "comparisons": comparisons,
    }
    text = json.dumps(results, indent=1, default=asdict)
    RESULTS.write_text(text + "\n", encoding="utf-8")
