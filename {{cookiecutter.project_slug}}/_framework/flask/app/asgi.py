"""The Flask application as the server runs it: over ASGI, so that a slow upload doesn't occupy a thread.

Under WSGI the thread that answers a request also reads its body: a few slow uploads would block every thread.
"""

import asyncio
import string
from typing import Any
from urllib.parse import quote

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, HTTPRequestEvent, Receive, Scope, Send
from flask import Flask, request
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, RequestTimeout, ServiceUnavailable

from app import main
from app.settings import load_settings

{% if cookiecutter.proxy == "caddy" %}
# How long a body may take to arrive: less than read_body in the Caddyfile, so that clients get a 408.
BODY_TIMEOUT_SECONDS = 20
{% else %}
# How long a body may take to arrive.
BODY_TIMEOUT_SECONDS = 20
{% endif %}
# How long a request waits for a thread. While the database hangs, requests may come faster than they end: those that
# are refused keep the queue short, so the service recovers as soon as the database does.
THREAD_TIMEOUT_SECONDS = 3
# What must be answered while every other thread waits.
{% if cookiecutter.metrics == "prometheus" %}
SPARE_PATHS = ("/health", "/up", "/metrics")
{% else %}
SPARE_PATHS = ("/health", "/up")
{% endif %}


def create_app() -> ASGIApp:
    """Create the application and the threads that answer its requests."""
    settings = load_settings()
    app = serve_in_threads(main.create_app(settings), settings.threads)
    return BodyBuffer(wrap_asgi_with_proxy_headers(app, settings.trusted_proxies), settings.max_body_bytes)


def serve_in_threads(flask: Flask, threads: int) -> ASGIApp:
    """Run Flask in threads; answer 503 to a request that waits too long for one.

    Health checks have threads of their own: while the others wait for a database that hangs, the process is still
    alive.
    """

    def app(environ: Any, start_response: Any) -> Any:
        # Without it, Flask reads no more than Content-Length says: nothing of a chunked body.
        environ["wsgi.input_terminated"] = True
        return flask(environ, start_response)

    # Flask answers what is refused, too: it logs it, and knows the shape of an error.
    def refuse(environ: Any, start_response: Any) -> Any:
        environ["app.busy"] = True
        return app(environ, start_response)

    @flask.before_request
    def raise_if_busy() -> None:
        if "app.busy" in request.environ:
            raise ServiceUnavailable("Too many requests are waiting.", retry_after=5)

    requests, spare = WSGIMiddleware(app, workers=threads), WSGIMiddleware(app, workers=2)
    refusals = WSGIMiddleware(refuse, workers=1)
    free_threads = asyncio.Semaphore(threads)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await requests(scope, receive, send)
            return
        if scope["path"].removeprefix(scope.get("root_path", "")) in SPARE_PATHS:
            await spare(scope, receive, send)
            return
        try:
            async with asyncio.timeout(THREAD_TIMEOUT_SECONDS):
                await free_threads.acquire()
        except TimeoutError:
            await refusals(scope, receive, send)
            return
        try:
            await requests(scope, receive, send)
        finally:
            free_threads.release()

    return serve


class BodyBuffer:
    """Receives the body of a request before the request needs a thread."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Refuse bodies of more than `max_bytes`."""
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; Flask answers 413 or 408 when it reads a body that isn't complete."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        more = True
        refusal: HTTPException | None = None
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                while more and len(body) <= self.max_bytes:
                    event = await receive()
                    if event["type"] != "http.request":
                        return  # the client has disconnected
                    body += event["body"]
                    more = event["more_body"]
        except TimeoutError:
            refusal = RequestTimeout("The body did not arrive in time.")
        if len(body) > self.max_bytes:
            refusal = RequestEntityTooLarge()

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
