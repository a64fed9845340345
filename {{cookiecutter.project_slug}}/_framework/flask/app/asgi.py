"""The Flask application as the server runs it: over ASGI, so that a slow upload doesn't occupy a thread."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send
from flask import Flask
from granian.utils.proxies import wrap_asgi_with_proxy_headers

{% if cookiecutter.metrics == "prometheus" %}
from app import main, metrics
{% else %}
from app import main
{% endif %}
from app.bodies import BodyBuffer
from app.problems import problem
from app.settings import load_settings

# How long a request waits for a thread. While the database hangs, requests may come faster than they end: those that
# are refused keep the queue short, so the service recovers as soon as the database does.
THREAD_TIMEOUT_SECONDS = 3
# What must be answered while every other thread waits.
{% if cookiecutter.metrics == "prometheus" %}
SPARE_PATHS = ("/health", "/up", "/metrics")
{% else %}
SPARE_PATHS = ("/health", "/up")
{% endif %}

logger = logging.getLogger(__name__)


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

    requests, spare = WSGIMiddleware(app, workers=threads), WSGIMiddleware(app, workers=2)
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
            logger.warning("%s is refused: every thread is busy (THREADS)", scope["path"])
            response = problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests are waiting.", headers={"Retry-After": "5"}
            )
{% if cookiecutter.metrics == "prometheus" %}
            metrics.observe(scope["method"], "none", response.status_code, THREAD_TIMEOUT_SECONDS)
{% endif %}
            headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": response.get_data()})
            return
        try:
            await requests(scope, receive, send)
        finally:
            free_threads.release()

    return serve
