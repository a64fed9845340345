"""Request bodies over ASGI: complete before Flask is called, refused when they are too large or stop arriving."""

import asyncio
import itertools
from collections.abc import Iterable
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from flask import Flask, request

from app import asgi

CHUNKED = [(b"transfer-encoding", b"chunked")]
Headers = list[tuple[bytes, bytes]]


def post(headers: Headers, chunks: Iterable[bytes | None]) -> tuple[int, bytes]:
    """Send a body in chunks, None for one that never arrives; return status and body of the answer."""
    flask = Flask(__name__)
    flask.config["MAX_CONTENT_LENGTH"] = 1000

    @flask.post("/")
    def echo() -> bytes:
        return request.get_data()

    app: Any = asgi.BodyBuffer(WSGIMiddleware(flask), max_bytes=1000)  # type: ignore[arg-type]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": headers,
    }
    arriving = iter(chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        chunk = next(arriving, b"")
        if chunk is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"4")]])
def test_body_reaches_flask(headers: Headers) -> None:
    """Flask reads the whole body, with and without a length."""
    assert post(headers, [b"ab", b"cd"]) == (200, b"abcd")


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"9999999")]])
def test_endless_body_is_refused(headers: Headers) -> None:
    """A body over the limit is answered with 413 before it has arrived."""
    assert post(headers, itertools.repeat(b"x" * 100))[0] == 413


@pytest.mark.parametrize("headers", [CHUNKED, [(b"content-length", b"4")]])
def test_body_that_stops_is_given_up(headers: Headers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that stops arriving is answered with 408."""
    monkeypatch.setattr(asgi, "BODY_TIMEOUT_SECONDS", 0.05)
    assert post(headers, [b"ab", None])[0] == 408
