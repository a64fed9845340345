"""What every benchmark does: run commands, and write down what was found, when and where."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def run(*command: str, cwd: Path | None = None, stdin: str | None = None) -> str:
    """Run a command and return what it printed; stop with that where it fails."""
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def answers(address: str) -> bool:
    """Say whether an address answers with a success."""
    command = ("curl", "--silent", "--fail", "--max-time", "1", address)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def write(name: str, results: dict[str, Any]) -> None:
    """Write results to a file of this directory, with the day and the machine."""
    machine = {"date": datetime.now(UTC).date().isoformat(), "machine": platform.machine(), "cores": os.cpu_count()}
    file = Path(__file__).with_name(f"{name}.json")
    file.write_text(json.dumps({**machine, **results}, indent=2) + "\n", encoding="utf-8")
