"""The application over ASGI: bodies complete before Flask is called, a path prefix, and the client's address."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask, request
{% if cookiecutter.metrics == "prometheus" %}
from prometheus_client import REGISTRY
{% endif %}

from app import asgi, bodies

CHUNKED = [(b"transfer-encoding", b"chunked")]
Headers = list[tuple[bytes, bytes]]
Message = dict[str, Any]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the application as the server runs it, behind proxies in a network."""
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8")
    return asgi.create_app()


def call(app: Any, scope: Message, chunks: Iterable[bytes | None] = ()) -> tuple[Message, bytes]:
    """Send a request with a body in chunks, None for one that never arrives; return start and body of the response."""
    return asyncio.run(send_request(app, scope, chunks))


async def send_request(app: Any, scope: Message, chunks: Iterable[bytes | None] = ()) -> tuple[Message, bytes]:
    """Send a request from an event loop, as `call` does."""
    arriving = iter(chunks)
    sent: list[Message] = []

    async def receive() -> Message:
        chunk = next(arriving, b"")
        await asyncio.sleep(60 if chunk is None else 0.001)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def send(message: Message) -> None:
        sent.append(message)

    defaults = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    await app(defaults | scope, receive, send)
    return sent[0], b"".join(message["body"] for message in sent[1:])


def post(headers: Headers, chunks: Iterable[bytes | None]) -> tuple[int, bytes]:
    """Send a body in chunks to an application that returns it; return status and body of the response."""
    flask = Flask(__name__)
    flask.config["MAX_CONTENT_LENGTH"] = 1000

    @flask.post("/")
    def echo() -> bytes:
        return request.get_data()

    app = bodies.BodyBuffer(asgi.serve_in_threads(flask, threads=1), max_bytes=1000)
    start, body = call(app, {"method": "POST", "headers": headers}, chunks)
    return start["status"], body


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"4")]])
def test_body_reaches_flask(headers: Headers) -> None:
    """Flask reads the whole body, with and without a length."""
    assert post(headers, [b"ab", b"cd"]) == (200, b"abcd")


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"9999999")]])
def test_endless_body_is_refused(headers: Headers) -> None:
    """A body over the limit is answered with 413 before it has arrived."""
    assert post(headers, itertools.repeat(b"x" * 100))[0] == 413


def test_while_every_thread_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Health checks are answered while other requests wait, as for a database that hangs; the others get a 503 soon."""
    monkeypatch.setattr(asgi, "THREAD_TIMEOUT_SECONDS", 0.05)
    flask = Flask(__name__)
    started, checked = threading.Event(), threading.Event()

    @flask.get("/")
    def wait() -> str:
        started.set()
        return "in time" if checked.wait(timeout=30) else "too late"

    @flask.get("/health")
    def check() -> str:
        return "ok"

    async def ask() -> list[tuple[Message, bytes]]:
        app = asgi.serve_in_threads(flask, threads=1)
        waiting = asyncio.create_task(send_request(app, {}))
        await asyncio.to_thread(started.wait, 30)
        answers = [await send_request(app, {"path": path}) for path in ("/health", "/")]
        checked.set()
        return [*answers, await waiting, await send_request(app, {})]

{% if cookiecutter.metrics == "prometheus" %}
    def refusals() -> float:
        labels = {"method": "GET", "route": "none", "status": "503"}
        return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0

    before = refusals()
{% endif %}
    health, refused, waited, after = asyncio.run(ask())
    assert health[1] == b"ok"
    assert refused[0]["status"] == 503
    assert (b"retry-after", b"5") in refused[0]["headers"]
    assert waited[1] == after[1] == b"in time"
{% if cookiecutter.metrics == "prometheus" %}
    assert refusals() == before + 1
{% endif %}


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"999")]])
@pytest.mark.parametrize("chunks", [[b"ab", None], [b"x"] * 999], ids=["stops", "trickles"])
def test_slow_body_is_given_up(
    headers: Headers, chunks: Iterable[bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that stops arriving, or arrives too slowly, is answered with 408."""
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_SECONDS", 0.05)
    assert post(headers, chunks)[0] == 408


def test_many_bodies_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that are on their way don't fill the memory: what exceeds the limit is refused until some have gone."""
    monkeypatch.setattr(bodies, "MAX_BUFFERED_BYTES", 1000)
    flask = Flask(__name__)

    @flask.post("/")
    def echo() -> bytes:
        return request.get_data()

    async def ask() -> list[int]:
        service = bodies.BodyBuffer(asgi.serve_in_threads(flask, threads=1), max_bytes=1000)
        upload = {"method": "POST", "headers": CHUNKED}
        stuck = asyncio.create_task(send_request(service, upload, [b"x" * 900, None]))
        while not service.buffered_bytes:
            await asyncio.sleep(0.001)
        during, _ = await send_request(service, upload, [b"x" * 200])
        stuck.cancel()
        await asyncio.wait([stuck])
        after, _ = await send_request(service, upload, [b"x" * 200])
        return [during["status"], after["status"], service.buffered_bytes]

    assert asyncio.run(ask()) == [503, 200, 0]


def test_root_path(service: Any) -> None:
    """Behind a proxy that strips a path prefix, a location has it: the server passes ROOT_PATH as `root_path`."""
    start, _ = call(service, {"root_path": "/shop"})
    assert dict(start["headers"])[b"location"] == b"/shop/docs"
    # A path that starts like the prefix is a path of its own.
    start, _ = call(service, {"root_path": "/health", "path": "/health"})
    assert start["status"] == 200


@pytest.mark.parametrize(("proxy", "client"), [("10.1.2.3", "203.0.113.7"), ("127.0.0.1", "127.0.0.1")])
def test_client_address(service: Any, caplog: pytest.LogCaptureFixture, proxy: str, client: str) -> None:
    """The client's address comes from a proxy in TRUSTED_PROXIES; others are not believed."""
    with caplog.at_level(logging.INFO, logger="app.requests"):
        call(service, {"client": (proxy, 50000), "headers": [(b"x-forwarded-for", b"203.0.113.7")]})
    assert [record.__dict__["client"] for record in caplog.records if record.name == "app.requests"] == [client]


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more requests are answered at once than THREADS allows."""
    flask = Flask(__name__)
    both = threading.Barrier(2)

    @flask.get("/")
    def meet() -> str:
        try:
            both.wait(timeout=0.5)
        except threading.BrokenBarrierError:
            return "alone"
        return "together"

    monkeypatch.setattr("app.main.create_app", lambda _: flask)
    monkeypatch.setenv("THREADS", "1")

    async def ask() -> list[bytes]:
        service = asgi.create_app()
        return [body for _, body in await asyncio.gather(*(send_request(service, {}) for _ in range(2)))]

    assert asyncio.run(ask()) == [b"alone", b"alone"]


def test_unescaped_query(service: Any) -> None:
    """A query in UTF-8 that isn't escaped is answered like any other."""
    start, _ = call(service, {"path": "/health", "query_string": "q=é".encode()})
    assert start["status"] == 200
