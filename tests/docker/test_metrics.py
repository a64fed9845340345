"""Metrics: Prometheus adds up what all workers count, and each alert has its line in OPERATIONS.md."""

import contextlib
import json
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
        run(project, "Metrics and alerts", 0)
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
    """Requests to all workers are counted by route and status; an alert says when the service is gone."""
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
            """Ask for the alerts, and say whether each has been evaluated without an error."""
            rules[:] = prometheus.get("/rules").json()["data"]["groups"][0]["rules"]
            return {rule["health"] for rule in rules} == {"ok"}

        wait_for(evaluated, seconds=90)
        page = (project.directory / "OPERATIONS.md").read_text(encoding="utf-8")
        alerts = re.findall(r"^\| `(\w+)` \|", page.partition("\n## Metrics and alerts\n")[2], re.MULTILINE)
        assert [rule["name"] for rule in rules] == alerts
        assert not query(prometheus, "ALERTS")
        production.compose("stop", "--timeout", "5", "web")
        wait_for(lambda: query(prometheus, 'ALERTS{alertname="Down"}'), seconds=120)


WEB = 'job="web", instance="1"'


def count(route: str, status: int) -> str:
    """Return the series that counts the requests of a route with a status."""
    return f'http_request_duration_seconds_count{{route="{route}", status="{status}", {WEB}}}'


def bucket(seconds: str) -> str:
    """Return the series that counts the requests that took no longer."""
    return f'http_request_duration_seconds_bucket{{route="/products", le="{seconds}", {WEB}}}'


# For each alert: series of something that is wrong, by the minute; and of what looks like it and is all right.
ALERTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "Down": ({f"up{{{WEB}}}": "1x5 0x25"}, {f"up{{{WEB}}}": "0x30", 'up{job="web", instance="2"}': "1x30"}),
    # Of 100 requests a minute 6, or 4, got a 500; and /ready got 503 only.
    "Errors": (
        {count("/products", 200): "0+94x30", count("/products", 500): "0+6x30"},
        {count("/products", 200): "0+96x30", count("/products", 500): "0+4x30", count("/ready", 503): "0+50x30"},
    ),
    # Of 100 requests a minute 6, or 4, took longer than a second.
    "Slow": (
        {bucket("1.0"): "0+94x30", bucket("2.5"): "0+100x30", bucket("+Inf"): "0+100x30"},
        {bucket("1.0"): "0+96x30", bucket("2.5"): "0+100x30", bucket("+Inf"): "0+100x30"},
    ),
    # A connection is free for a moment whenever a statement ends. Or the pool is full for a moment now and then.
    "PoolFull": (
        {f"database_pool_connections{{{WEB}}}": "8x30", f"database_pool_connections_used{{{WEB}}}": "8 8 5 " * 10},
        {f"database_pool_connections{{{WEB}}}": "8x30", f"database_pool_connections_used{{{WEB}}}": "8 5 5 " * 10},
    ),
    "JobsWait": ({f"queue_oldest_seconds{{{WEB}}}": "0+60x30"}, {f"queue_oldest_seconds{{{WEB}}}": "290x30"}),
    # Old failures that RQ forgets are no news.
    "JobsFail": (
        {f'queue_jobs{{status="failed", {WEB}}}': "3x20 4x10"},
        {f'queue_jobs{{status="failed", {WEB}}}': "3x20 2x10", f'queue_jobs{{status="queued", {WEB}}}': "0+9x30"},
    ),
}


@pytest.mark.only_where(metrics=["prometheus"], database=["postgresql", "mariadb"], redis=["queue", "cache-and-queue"])
@pytest.mark.one_for_each("metrics")
def test_alerts(project: Project, image: str) -> None:
    """Each alert fires when something is wrong, and not when it only looks so (promtool)."""
    assert image  # the files are as they were when it was built
    text = (project.directory / "observability" / "alerts.yaml").read_text(encoding="utf-8")
    names = re.findall(r"alert: (\w+)", text)
    assert set(names) == ALERTS.keys()
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in named.items()],
            "alert_rule_test": [{"eval_time": "25m", "alertname": name, "exp_alerts": [{}] if fired else []}],
        }
        for name in names
        for named, fired in zip(ALERTS[name], (True, False), strict=True)
    ]
    stdin = json.dumps({"rule_files": ["alerts.yaml"], "tests": tests})
    script = "cd /tmp && cat >tests.yaml && cp /rules/alerts.yaml . && promtool test rules tests.yaml"
    mount = ("--volume", f"{project.directory}/observability:/rules:ro")
    command = ("docker", "run", "--rm", "--interactive", "--entrypoint", "sh", *mount, prometheus_image(project))
    assert "SUCCESS" in project.run(*command, "-c", script, stdin=stdin)


def prometheus_image(project: Project) -> str:
    """Return the image that the project runs."""
    text = (project.directory / "compose.observability.yaml").read_text(encoding="utf-8")
    (name,) = re.findall(r"image: (\S+)", text)
    return str(name)
