"""Caddy in front: HTTPS, limits, the client's address, and replicas."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.docker.load import load
from tests.docker.stack import Project, Stack, wait_for

pytestmark = [pytest.mark.only_where(proxy=["caddy"]), pytest.mark.one_for_each("framework")]
MEGABYTE = 1024 * 1024


@pytest.fixture
def client(production: Stack) -> Iterator[httpx.Client]:
    """Open a client of the proxy."""
    with production.client() as client:
        yield client


def test_headers_and_compression(client: httpx.Client) -> None:
    """Answers have security headers and are compressed."""
    response = client.get("/openapi.json")
    assert response.headers["Content-Encoding"] in ("gzip", "zstd")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in response.headers


def test_address_of_the_client(production: Stack, client: httpx.Client) -> None:
    """The log has the address of who asks the proxy, not the proxy's, and not one that the client makes up."""
    client.get("/nowhere", headers={"X-Request-ID": "address", "X-Forwarded-For": "203.0.113.7"})

    def lines() -> list[str]:
        return [
            line for line in production.compose("logs", "--no-log-prefix", "web").splitlines() if '"address"' in line
        ]

    wait_for(lines)
    (line,) = map(json.loads, lines())
    (network,) = json.loads(production.project.run("docker", "network", "inspect", f"{production.name}_front"))
    proxy = {one["IPv4Address"].partition("/")[0] for one in network["Containers"].values()}
    assert line["client"] not in {"203.0.113.7", *proxy}


@pytest.mark.only_where(proxy=["caddy"], sample=["products"], database=["sqlite", "postgresql", "mariadb"])
def test_body_limit(client: httpx.Client) -> None:
    """A body over the limit is refused, as a problem if its length is announced."""

    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield bytes(MEGABYTE)

    headers = {"Content-Type": "application/json"}
    response = client.post("/products", content=bytes(2 * MEGABYTE), headers=headers)
    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 413
    # Without a length, part of it reaches the service, which may end the connection first.
    assert client.post("/products", content=chunks(), headers=headers).status_code in (413, 502)
    assert client.get("/health").status_code == 200


def test_slow_header_is_given_up(project: Project, client: httpx.Client) -> None:
    """The proxy hangs up on a client that doesn't end its headers; others are served meanwhile."""
    with socket.create_connection(("127.0.0.1", project.port), timeout=60) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert client.get("/health").status_code == 200
        start = time.monotonic()
        assert slow.recv(1) == b""
        assert time.monotonic() - start > 1


def test_https_with_a_domain(project: Project, production: Stack) -> None:
    """With a domain the proxy serves HTTPS for it and leads there; `localhost` gets a certificate of Caddy's own."""
    environment = project.directory / ".env"
    before = environment.read_text(encoding="utf-8")
    try:
        environment.write_text(f"{before}DOMAIN=localhost\n", encoding="utf-8")
        production.compose("up", "--detach", "--wait", "--no-deps", "proxy")
        port = production.compose("port", "proxy", "443").rpartition(":")[2].strip()
        authority = ssl.create_default_context(
            cadata=production.execute("cat", "/data/caddy/pki/authorities/local/root.crt", service="proxy")
        )
        with httpx.Client(verify=authority) as client:
            wait_for(lambda: client.get(f"https://localhost:{port}/health").status_code == 200)
            assert "max-age" in client.get(f"https://localhost:{port}/health").headers["Strict-Transport-Security"]
            redirect = client.get(f"http://localhost:{project.port}/health")
        assert redirect.status_code == 308
        assert redirect.headers["Location"].startswith("https://localhost")
    finally:
        environment.write_text(before, encoding="utf-8")
        production.compose("up", "--detach", "--wait", "--no-deps", "proxy")


def test_a_replica_is_killed(
    project: Project, production: Stack, record_property: Callable[[str, object], None]
) -> None:
    """With three replicas, one that is killed costs no more than the requests that it was answering."""
    production.compose("up", "--detach", "--wait", "--no-deps", "--scale", "web=3", "web")
    try:
        killed = production.compose("ps", "--quiet", "web").split()[0]
        with load(project.port, rate=50, writes=project.stores) as requests:
            time.sleep(2)
            pid = project.run("docker", "inspect", "--format", "{{.State.Pid}}", killed).strip()
            project.run("kill", "-9", pid)
            time.sleep(5)
        record_property("requests", str(requests))
        assert requests.sent > 200
        assert len(requests.failed) <= 3, requests.failed
        assert not [failure for failure in requests.failed if not re.search("status 502|RemoteDisconnected", failure)]
        wait_for(lambda: project.run("docker", "inspect", "--format", "{{.State.Running}}", killed) == "true\n")
    finally:
        production.compose("up", "--detach", "--wait", "--no-deps", "--scale", "web=1", "web")
