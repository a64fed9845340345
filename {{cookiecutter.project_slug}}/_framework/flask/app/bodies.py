"""Bodies are received before a request needs a thread.

Under WSGI the thread that answers a request also reads its body: a few slow uploads would block every thread.
"""

import asyncio
import string
from urllib.parse import quote

from a2wsgi.asgi_typing import ASGIApp, HTTPRequestEvent, HTTPScope, Receive, Scope, Send
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, RequestTimeout, ServiceUnavailable

{% if cookiecutter.proxy == "caddy" %}
# How long a body may take to arrive: less than read_body in the Caddyfile, so that clients get a 408.
BODY_TIMEOUT_SECONDS = 20
{% else %}
# How long a body may take to arrive.
BODY_TIMEOUT_SECONDS = 20
{% endif %}
# How much of all bodies together a process keeps: many clients at once must not fill its memory.
MAX_BUFFERED_BYTES = 32 * 1024 * 1024


class BodyBuffer:
    """Receives the body of a request, then calls the application."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Refuse bodies of more than `max_bytes`."""
        self.app = app
        self.max_bytes = max_bytes
        self.buffered_bytes = 0  # of all requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        try:
            await self.answer(scope, receive, send, body)
        finally:
            self.buffered_bytes -= len(body)

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send, body: bytearray) -> None:
        """Receive the body, then pass it on; Flask answers 408, 413 or 503 when it reads one that isn't complete."""
        more = True
        refusal: HTTPException | None = None
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                while more and not refusal:
                    event = await receive()
                    if event["type"] != "http.request":
                        return  # the client has disconnected
                    body += event["body"]
                    self.buffered_bytes += len(event["body"])
                    more = event["more_body"]
                    if len(body) > self.max_bytes:
                        refusal = RequestEntityTooLarge()
                    elif self.buffered_bytes > max(MAX_BUFFERED_BYTES, self.max_bytes):
                        refusal = ServiceUnavailable("Too many bodies arrive at once.", retry_after=5)
        except TimeoutError:
            refusal = RequestTimeout("The body did not arrive in time.")

        async def receive_body() -> HTTPRequestEvent:
            if refusal:
                raise refusal
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        # The server leaves root_path out of the path; ASGI has it in.
        path = scope.get("root_path", "") + scope["path"]
        # a2wsgi decodes the query as ASCII, but some clients send UTF-8 that isn't escaped.
        query = quote(scope["query_string"], safe=string.punctuation).encode()
        scope = {**scope, "path": path, "query_string": query}
        await self.app(scope, receive_body, send)
