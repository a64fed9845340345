"""Metrics: Prometheus adds up what all workers count, and each alarm has its line in OPERATIONS.md."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.docker.stack import TLS, Project, Stack, free_port, wait_for
from tests.docker.test_operations import run

pytestmark = [
    pytest.mark.only_where(metrics=["prometheus"]),
    pytest.mark.one_for_each("framework"),
    pytest.mark.usefixtures("settled"),
]


@contextlib.contextmanager
def observed(project: Project, production: Stack) -> Iterator[httpx.Client]:
    """Serve metrics, with a Prometheus beside the stack, for a while; yield a client of Prometheus."""
    environment = project.directory / ".env"
    before = environment.read_text(encoding="utf-8")
    port = free_port()
    observability = Stack(project, "compose.observability.yaml", f"{project.slug}-observability")
    environment.write_text(f"{before}METRICS=true\nPROMETHEUS_PORT={port}\n", encoding="utf-8")
    try:
        run(project, "Metrics and alarms", 0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10, verify=TLS) as client:
            yield client
    finally:
        observability.compose("down", "--volumes", "--timeout", "5")
        environment.write_text(before, encoding="utf-8")
        production.compose("up", "--detach", "--wait")


def query(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    """Return what Prometheus answers."""
    result: list[dict[str, Any]] = client.get("/query", params={"query": expression}).json()["data"]["result"]
    return result


def test_metrics(project: Project, production: Stack) -> None:
    """Requests to all workers are counted by route and status; an alarm says when the service is gone."""
    with production.client() as client:
        assert client.get("/metrics").status_code == 404
    with observed(project, production) as prometheus:
        # Each over a connection of its own, so that all workers get some
        for _ in range(40):
            with production.client() as client:
                client.get("/up").raise_for_status()
                assert client.get("/nowhere/at/all").status_code == 404
        with production.client() as client:
            published = client.get("/metrics").status_code
        assert published == (404 if project.answers["proxy"] == "caddy" else 200)

        def counted(route: str, status: int) -> float:
            selector = f'http_request_duration_seconds_count{{route="{route}",status="{status}"}}'
            return sum(float(one["value"][1]) for one in query(prometheus, selector))

        wait_for(lambda: counted("/up", 200) == counted("none", 404) == 40, seconds=90)
        if project.has_database:
            assert query(prometheus, "database_pool_connections > 0")
        if project.queues:
            assert query(prometheus, 'queue_jobs{status="queued"}')
        rules: list[dict[str, Any]] = []

        def evaluated() -> bool:
            """Ask for the alarms, and say whether each has been evaluated without an error."""
            rules[:] = prometheus.get("/rules").json()["data"]["groups"][0]["rules"]
            return {rule["health"] for rule in rules} == {"ok"}

        wait_for(evaluated, seconds=90)
        page = (project.directory / "OPERATIONS.md").read_text(encoding="utf-8")
        alarms = re.findall(r"^\| `(\w+)` \|", page.partition("\n## Metrics and alarms\n")[2], re.MULTILINE)
        assert [rule["name"] for rule in rules] == alarms
        assert not query(prometheus, "ALERTS")
        production.compose("stop", "--timeout", "5", "web")
        wait_for(lambda: query(prometheus, 'ALERTS{alertname="Down"}'), seconds=120)
