"""Errors have one shape, however they are raised."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Message, Receive, Scope, Send

from app import middleware
from app.main import create_app
from app.settings import Settings

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return the application, with a route that takes a JSON body of up to 200,000 bytes."""
    app = create_app(settings.model_copy(update={"max_body_bytes": 200_000}))

    @app.post("/echo")
    async def echo(values: dict[str, int]) -> dict[str, int]:
        return values

    @app.get("/echo")
    async def get_echo() -> None:
        pass

    return app


def test_not_found(client: TestClient) -> None:
    """An unknown path is a problem."""
    response = client.get("/nowhere")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert response.json() == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"}


def test_method_not_allowed(client: TestClient) -> None:
    """An unknown method is a problem, and the allowed ones are named."""
    response = client.delete("/echo")
    assert (response.status_code, response.headers["Allow"]) == (405, "HEAD, GET, POST")
    assert response.json()["status"] == 405


def test_invalid_field(client: TestClient) -> None:
    """An invalid body is refused, with the name of the field."""
    response = client.post("/echo", json={"count": "many"})
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert [error["field"] for error in response.json()["errors"]] == ["count"]


@pytest.mark.parametrize("body", ["{", "[" * 100_000, '{"count": ' + "9" * 5000 + "}", '{"count": "\udcff"}', ""])
def test_invalid_json(client: TestClient, body: str) -> None:
    """A body that isn't JSON, or that Python refuses to read, is a bad request."""
    response = client.post("/echo", content=body.encode(errors="surrogateescape"), headers=JSON)
    assert response.status_code == response.json()["status"] == (400 if body else 422)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_content_type(client: TestClient, content_type: str | None) -> None:
    """Only JSON is accepted."""
    headers = {"Content-Type": content_type} if content_type else {}
    response = client.post("/echo", content=b'{"count": 1}', headers=headers)
    assert response.status_code == response.json()["status"] == 415


@pytest.mark.parametrize("chunked", [True, False])
def test_too_large(client: TestClient, chunked: bool) -> None:
    """A body over MAX_BODY_BYTES is refused, declared or not."""
    body = b'{"count": ' + b" " * 200_000 + b"1}"
    response = client.post("/echo", content=iter([body]) if chunked else body, headers=JSON)
    assert response.status_code == response.json()["status"] == 413
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("trickles", [False, True])
def test_slow_body(monkeypatch: pytest.MonkeyPatch, app: FastAPI, trickles: bool) -> None:
    """A body that stops arriving, or arrives too slowly, is given up on."""
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_SECONDS", 0.05)
    sent: list[Message] = []
    arriving = iter([b" "] * 999 if trickles else [])

    async def receive() -> Message:
        chunk = next(arriving, None)
        await asyncio.sleep(60 if chunk is None else 0.001)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "headers": []}
    asyncio.run(app({**scope, "client": ("127.0.0.1", 1)}, receive, send))
    assert sent[0]["status"] == 408


def test_many_bodies_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that are on their way don't fill the memory: what exceeds the limit is refused until some have gone."""
    monkeypatch.setattr(middleware, "MAX_BUFFERED_BYTES", 1000)

    async def read(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def upload(limited: middleware.LimitBody, *chunks: bytes | None) -> None:
        arriving = iter(chunks)

        async def receive() -> Message:
            chunk = next(arriving, b"")
            await asyncio.sleep(60 if chunk is None else 0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

        async def send(_message: Message) -> None:
            raise AssertionError

        await limited({"type": "http", "headers": []}, receive, send)

    async def ask() -> int:
        limited = middleware.LimitBody(read, max_bytes=1000)
        stuck = asyncio.create_task(upload(limited, b"x" * 900, None))
        while not limited.buffered_bytes:
            await asyncio.sleep(0.001)
        with pytest.raises(StarletteHTTPException) as refused:
            await upload(limited, b"x" * 200)
        stuck.cancel()
        await asyncio.wait([stuck])
        await upload(limited, b"x" * 200)
        assert limited.buffered_bytes == 0
        return refused.value.status_code

    assert asyncio.run(ask()) == 503


def test_end_of_a_body() -> None:
    """A body ends with the last byte that Content-Length announces; after it, only a disconnect can come."""
    received = []

    async def read_and_listen(_scope: Scope, receive: Receive, _send: Send) -> None:
        received.extend([await receive(), await receive()])

    # What granian sends: it learns of the end when it asks for more.
    messages: list[Message] = [
        {"type": "http.request", "body": b"hello", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_message: Message) -> None:
        raise AssertionError

    limited = middleware.LimitBody(read_and_listen, max_bytes=1000)
    asyncio.run(limited({"type": "http", "headers": [(b"content-length", b"5")]}, receive, send))
    assert received == [{"type": "http.request", "body": b"hello", "more_body": False}, {"type": "http.disconnect"}]


@pytest.mark.parametrize("detail", [{"code": "TAKEN", "name": None}, ["Taken.", {"left": 0}], []])
@pytest.mark.parametrize("status", [409, 420, 599])
def test_http_exception(app: FastAPI, client: TestClient, status: int, detail: Any) -> None:
    """Status, detail and headers of an HTTPException reach the client, whatever they are."""

    @app.get("/conflict")
    async def conflict() -> None:
        raise HTTPException(status, detail, headers={"Retry-After": "5"})

    response = client.get("/conflict")
    assert (response.status_code, response.headers["Retry-After"]) == (status, "5")
    assert (response.json()["status"], response.json()["data"]) == (status, detail)


def test_not_modified(app: FastAPI, client: TestClient) -> None:
    """A status that allows no body has none."""

    @app.get("/unchanged")
    async def unchanged() -> None:
        raise HTTPException(304, headers={"ETag": '"1"'})

    response = client.get("/unchanged")
    assert (response.status_code, response.headers["ETag"], response.content) == (304, '"1"', b"")


def test_unexpected(app: FastAPI) -> None:
    """An unexpected exception is a problem without details, with the request id, and with the headers of CORS."""
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("secret")

    headers = {"Origin": "https://shop.example", "X-Request-ID": "mine-1"}
    response = TestClient(app, raise_server_exceptions=False).get("/bug", headers=headers)
    assert (response.status_code, response.headers["Content-Type"]) == (500, "application/problem+json")
    assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert response.headers["X-Request-ID"] == "mine-1"
    assert "secret" not in response.text
