"""The application, put together from its parts."""

import logging.config
import time
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
{% endif %}

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

{% if "queue" in cookiecutter.redis %}
from app import health, jobs, logs, problems, products, reports
{% else %}
from app import health, logs, problems, products
{% endif %}
{% if "cache" in cookiecutter.redis %}
from app.cache import Cache
{% endif %}
{% if cookiecutter.database != "none" %}
from app.database import Database
{% endif %}
from app.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application with these settings, by default the environment's."""
    settings = settings or load_settings()
    logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
    app = FastAPI(
        title="{{ cookiecutter.project_name }}",
        description="{{ cookiecutter.description }}",
        version="0.1.0",
        redoc_url=None,
        redirect_slashes=False,
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
        lifespan=lifespan,
{% endif %}
        responses={422: {"model": problems.Problem}},
    )
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
    app.state.settings = settings
{% endif %}
    app.add_middleware(RequestLog)
    problems.init_app(app)
    app.include_router(health.router)
    app.include_router(products.router)
{% if "queue" in cookiecutter.redis %}
    app.include_router(reports.router)
{% endif %}
    return app


{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold what the requests share for as long as the application runs."""
    settings: Settings = app.state.settings
{% if "queue" in cookiecutter.redis %}
    app.state.queue = jobs.connect(settings.redis_url)
{% endif %}
{% if cookiecutter.database != "none" and "cache" in cookiecutter.redis %}
    app.state.cache = Cache(settings.redis_url, settings.cache_seconds)
    async with Database(settings) as app.state.database, app.state.cache.redis:
        yield
{% elif cookiecutter.database != "none" %}
    async with Database(settings) as app.state.database:
        yield
{% elif "cache" in cookiecutter.redis %}
    app.state.cache = Cache(settings.redis_url, settings.cache_seconds)
    async with app.state.cache.redis:
        yield
{% else %}
    yield
{% endif %}


{% endif %}
class RequestLog:
    """Gives every request an id, which its answer carries too, and writes a line when it has been answered."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        client_id = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), None)
        request_id = logs.begin_request(client_id)
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            logs.end_request(scope["method"], scope["path"], status, time.perf_counter() - started)
