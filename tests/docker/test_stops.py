"""How containers stop: the last that is asked of a stack, as its services are gone afterwards."""

import itertools
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.docker.stack import OURS, Project, Stack, wait_for


@pytest.mark.one_for_each("framework", "redis")
def test_stops_while_starting(project: Project, image: str) -> None:
    """A server or worker that is told to stop before it serves does so, and is not killed after the grace period."""
    settings = []
    # Addresses at which nobody answers
    if project.has_server:
        settings.append(f"DATABASE_URL={project.answers['database']}://app:app@127.0.0.1:1/app")
    if project.has_redis:
        settings.append("REDIS_URL=redis://127.0.0.1:1")
    environment = [part for setting in settings for part in ("--env", setting)]
    name = f"{project.slug}-starting"
    for module, seconds in itertools.product(["app.serve", *["app.worker"] * project.queues], (0.1, 0.3, 0.8)):
        project.run("docker", "run", "--detach", "--name", name, *environment, image, "python", "-m", module)
        status = Path("/proc", project.run("docker", "inspect", "--format", "{{.State.Pid}}", name).strip(), "status")
        # The kernel keeps from the first process of a container what it doesn't handle: Python needs a moment.
        wait_for(partial(handles_interrupts, status))
        time.sleep(seconds)
        project.run("docker", "stop", "--timeout", "30", name)
        code = project.run("docker", "inspect", "--format", "{{.State.ExitCode}}", name).strip()
        log = project.run("docker", "logs", name)
        project.run("docker", "rm", "--force", name)
        # 130 is what a shell says of Ctrl-C, 1 what Python says of it before it has read its own first modules.
        assert code in ("0", "130") or (code == "1" and "init_import_site" in log), (module, seconds, code, log)


def test_stops_by_itself(production: Stack) -> None:
    """`docker compose stop` ends every container of ours by itself: none is killed after Docker's own ten seconds."""
    ours = [name for name in production.containers() if name in OURS]
    production.compose("stop", "--timeout", "10", *ours)
    stopped = production.containers()
    assert {name: stopped[name]["State"]["ExitCode"] for name in ours} == dict.fromkeys(ours, 0)


def handles_interrupts(status: Path) -> bool:
    """Tell whether a process handles SIGINT, from its status in /proc."""
    caught = int(status.read_text(encoding="utf-8").partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGINT - 1) & 1)
