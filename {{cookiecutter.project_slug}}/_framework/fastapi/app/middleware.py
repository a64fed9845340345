"""Middleware: HEAD, the limit for bodies, and the path prefix."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

{% if cookiecutter.proxy == "caddy" %}
# How long a body may take to arrive: less than read_body in the Caddyfile, so that clients get a 408.
BODY_TIMEOUT_SECONDS = 20
{% else %}
# How long a body may take to arrive.
BODY_TIMEOUT_SECONDS = 20
{% endif %}
# How much of all bodies together a process keeps: many clients at once must not fill its memory.
MAX_BUFFERED_BYTES = 32 * 1024 * 1024


class HeadAsGet:
    """Answers HEAD as GET, without the body; FastAPI's routes answer it with 405 (fastapi#1773)."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, send_without_body)
        else:
            await self.app(scope, receive, send)


class LimitBody:
    """Refuses a body that is too large (413), arrives too slowly (408), or with too many others at once (503).

    FastAPI's `max_body_size` answers in plain text, outside of all middleware, and has no time limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Wrap the application."""
        self.app = app
        self.max_bytes = max_bytes
        self.buffered_bytes = 0  # of all requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the exceptions are raised in the endpoint that reads the body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("Content-Length", "")
        size = int(declared) if declared.isdecimal() else 0
        received = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + BODY_TIMEOUT_SECONDS

        async def receive_limited() -> Message:
            nonlocal received, complete
            if complete:
                message = await receive()
                while message["type"] == "http.request":  # granian's end of the body
                    message = await receive()
                return message
            if size > self.max_bytes:
                raise HTTPException(HTTPStatus.CONTENT_TOO_LARGE, f"The body is larger than {self.max_bytes} bytes.")
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.") from None
            chunk = len(message.get("body", b""))
            received += chunk
            self.buffered_bytes += chunk
            if received > self.max_bytes:
                raise HTTPException(HTTPStatus.CONTENT_TOO_LARGE, f"The body is larger than {self.max_bytes} bytes.")
            if self.buffered_bytes > max(MAX_BUFFERED_BYTES, self.max_bytes):
                raise HTTPException(
                    HTTPStatus.SERVICE_UNAVAILABLE, "Too many bodies arrive at once.", headers={"Retry-After": "5"}
                )
            # granian reports the end of a body in a message of its own: don't wait for it if the length is known.
            complete = not message.get("more_body", False) or (size > 0 and received == size)
            message["more_body"] = not complete
            return message

        try:
            await self.app(scope, receive_limited, send)
        finally:
            self.buffered_bytes -= received


class RootPath:
    """Puts the prefix that the proxy has stripped in front of the path again, as ASGI defines `root_path`."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        """Wrap the application."""
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "lifespan":
            scope = {**scope, "root_path": self.root_path, "path": self.root_path + scope["path"]}
        await self.app(scope, receive, send)
