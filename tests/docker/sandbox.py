"""A machine inside this one: processes, mounts and a network of its own, so that an engine in it touches no other."""

import contextlib
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docker.stack import wait_for

TOOLS = ("unshare", "nsenter", "setpriv", "ip")


@dataclass(frozen=True)
class Sandbox:
    """The namespaces of a running process."""

    directory: Path  # is deleted at the end
    pid: int
    address: str  # under which this machine reaches it

    def run(self, *command: str, expect: int | None = 0, seconds: float = 120) -> str:
        """Run a command in the sandbox and return what it printed; AssertionError if it ends otherwise."""
        enter = ("nsenter", "--target", str(self.pid), "--mount", "--net", "--pid")
        return run(*enter, *command, expect=expect, seconds=seconds)


def run(
    *command: str,
    expect: int | None = 0,
    seconds: float = 120,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return what it printed; AssertionError if it ends otherwise."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds,
    )
    if expect is not None and done.returncode != expect:
        message = f"{' '.join(command)} ended with {done.returncode}, not {expect}:\n{done.stdout[-8000:]}"
        raise AssertionError(message)
    return done.stdout


def require(*tools: str) -> None:
    """Skip the test if it can't run on this machine; in CI, fail."""
    missing = [tool for tool in (*TOOLS, *tools) if not shutil.which(tool)]
    if os.geteuid() == 0 and not missing:
        return
    reason = f"NOT TESTED: {', '.join(missing)} missing" if missing else "NOT TESTED: this needs root"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def sandbox(*command: str) -> Iterator[Sandbox]:
    """Run a command in a sandbox, and leave nothing of it; `@` in it stands for the sandbox's directory."""
    directory = Path(tempfile.mkdtemp(prefix="dw-"))
    log = directory / "log"
    # When unshare ends, or the tests do, the kernel kills every process of the sandbox.
    unshare = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    with log.open("w") as output:
        process = subprocess.Popen(
            (*unshare, "--mount-proc", *(part.replace("@", str(directory)) for part in command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        # unshare itself is still in the namespaces of this machine.
        wait_for(lambda: children.read_text().split(), seconds=20)
        pid = int(children.read_text().split()[0])
        yield Sandbox(directory, pid, connect(pid))
    except Exception:
        print(log.read_text()[-4000:])
        raise
    finally:
        process.kill()
        process.wait()
        wait_for(lambda: remove(directory), seconds=20)


def connect(pid: int) -> str:
    """Connect the network of a process with this machine's, and return its address."""
    # From the range for benchmarks, which no network uses
    network = f"198.18.{random.randrange(256)}."  # noqa: S311 # to be apart from another run's
    name = f"dw{pid}"
    inside = ("nsenter", "--target", str(pid), "--net", "ip")
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    run("ip", "address", "add", f"{network}1/30", "dev", name)
    run("ip", "link", "set", name, "up")
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "address", "add", f"{network}2/30", "dev", "eth0")
    run(*inside, "link", "set", "eth0", "up")
    return f"{network}2"


def remove(directory: Path) -> bool:
    """Remove a directory, and say whether it is gone: processes that were killed may still hold it."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()
