"""How containers stop: the last that is asked of a stack, as its services are gone afterwards."""

import itertools
import time

import pytest

from tests.docker.stack import OURS, Project, Stack


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
        # With an init process, as in the compose files
        project.run("docker", "run", "--init", "--detach", "--name", name, *environment, image, "python", "-m", module)
        time.sleep(seconds)
        project.run("docker", "stop", "--timeout", "30", name)
        code = project.run("docker", "inspect", "--format", "{{.State.ExitCode}}", name).strip()
        log = project.run("docker", "logs", name)
        project.run("docker", "rm", "--force", name)
        # 143 is what a shell says of a process that SIGTERM ended.
        assert code in ("0", "143"), (module, seconds, code, log)


def test_stops_by_itself(production: Stack) -> None:
    """`docker compose stop` ends every container of ours by itself: none is killed after Docker's own ten seconds."""
    ours = [name for name in production.containers() if name in OURS]
    production.compose("stop", "--timeout", "10", *ours)
    stopped = production.containers()
    assert {name: stopped[name]["State"]["ExitCode"] for name in ours} == dict.fromkeys(ours, 0)
