"""Caddy in front: HTTPS, limits, the client's address, and replicas."""

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.docker.load import load
from tests.docker.stack import Project, Stack, wait_for
from tests.docker.test_failures import (
    SILENT_CONNECTIONS,
    SLOW_BODIES,
    SLOW_HEADERS,
    allow_connections,
    connection,
    head,
)

pytestmark = [pytest.mark.only_where(proxy=["caddy"]), pytest.mark.one_for_each("framework")]
MEGABYTE = 1024 * 1024
stored = pytest.mark.only_where(proxy=["caddy"], sample=["products"], database=["sqlite", "postgresql", "mariadb"])


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
    assert response.headers["Referrer-Policy"] == "no-referrer"
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


@stored
def test_body_limit(client: httpx.Client) -> None:
    """A body over the limit is refused, as a problem if its length is announced; and so are headers."""

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
    assert client.get("/products", headers={"X-Large": "x" * 64 * 1024}).status_code == 431
    assert client.get("/health").status_code == 200


@stored
def test_slow_clients_are_hung_up_on(
    project: Project, production: Stack, record_property: Callable[[str, object], None]
) -> None:
    """The proxy closes connections that trickle or say nothing, by the limits of its file; all others are served."""
    allow_connections()
    file = (project.directory / "Caddyfile").read_text(encoding="utf-8")
    limit = max(int(seconds) for seconds in re.findall(r"read_(?:header|body) (\d+)s", file))
    slow: dict[socket.socket, bytes] = {}

    def hung_up() -> bool:
        """Each slow connection is closed."""
        for one in [one for one, more in slow.items() if not is_open(one, more)]:
            del slow[one]
        return not slow

    with contextlib.ExitStack() as stay, load(project.port, rate=10, writes=True) as requests:

        def start(number: int, first: bytes, more: bytes) -> None:
            """Open connections that send something first, and a little more now and then."""
            for _ in range(number):
                one = stay.enter_context(connection(production))
                one.sendall(first)
                one.settimeout(0)
                slow[one] = more

        # Not all at once, as Docker's own proxy needs six files for a connection.
        start(SILENT_CONNECTIONS, b"", b"")
        silent = wait_for(hung_up, seconds=3 * limit)
        start(SLOW_HEADERS, b"GET /products HTTP/1.1\r\nHost:", b"x")
        start(SLOW_BODIES, head(2_000), b" ")
        trickling = wait_for(hung_up, seconds=3 * limit)
    record_property(
        "requests",
        f"{SILENT_CONNECTIONS} silent connections closed after {silent:.0f} s, {SLOW_HEADERS} slow headers"
        f" and {SLOW_BODIES} slow bodies after {trickling:.0f} s; others: {requests}",
    )
    assert requests.failed == []


def is_open(client: socket.socket, more: bytes) -> bool:
    """Send a little more, and return whether the connection is still open."""
    try:
        client.sendall(more)
        while client.recv(4096):
            pass  # an answer: that it took too long
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@pytest.mark.one_for_each("proxy")
def test_https_with_a_domain(project: Project, production: Stack) -> None:
    """With a domain the proxy serves HTTPS for it and leads there; `localhost` gets a certificate of Caddy's own.

    Silent connections are hung up on there, too.
    """
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
        with connection(production) as silent, socket.create_connection(("127.0.0.1", int(port)), 60) as encrypted:
            assert silent.recv(1) == encrypted.recv(1) == b""
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
        pid = project.run("docker", "inspect", "--format", "{{.State.Pid}}", killed).strip()
        with load(project.port, rate=20, writes=project.stores) as requests:
            wait_for(lambda: requests.sent >= 40)
            project.run("kill", "-9", pid)
            sent = requests.sent
            wait_for(lambda: requests.sent >= sent + 100)
        record_property("requests", str(requests))
        # On a busy machine the service may refuse some with a 503, whether or not a replica is killed.
        lost = [failure for failure in requests.failed if "status 503" not in failure]
        assert not [failure for failure in lost if not re.search("status 502|RemoteDisconnected", failure)]
        # Of those sent afterwards, a few may still have reached it, as it takes a moment to die.
        late = [failure for failure in lost if int(failure.split()[1].rstrip(":")) >= sent]
        assert len(late) <= 3, late
        wait_for(lambda: project.run("docker", "inspect", "--format", "{{.State.Running}}", killed) == "true\n")
    finally:
        production.compose("up", "--detach", "--wait", "--no-deps", "--scale", "web=1", "web")
