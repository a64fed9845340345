"""Logging to stdout, JSON in production and text in development, and one line for each request."""

import logging
import re
import time
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

{% if cookiecutter.metrics == "prometheus" %}
# Probes and Prometheus ask every few seconds: their lines would hide the others.
UNLOGGED_PATHS = ("/health", "/up", "/ready", "/metrics")
{% else %}
# Probes ask every few seconds: their lines would hide the others.
UNLOGGED_PATHS = ("/health", "/up", "/ready")
{% endif %}

logger = logging.getLogger("app.requests")


class RequestIdFilter(logging.Filter):
    """Adds the current request's id to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id and keep the record."""
        record.request_id = request_id.get()
        return True


def config(settings: Settings) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`, the server's loggers included."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {
            "development": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s", "datefmt": "%H:%M:%S"},
            "production": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(levelname)s %(name)s %(message)s %(request_id)s",
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
            },
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": settings.environment,
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["stdout"], "level": settings.log_level},
        # Without loggers here, granian adds its own, which write in another format.
{% if cookiecutter.database in ("postgresql", "mariadb") %}
        "loggers": {
            "alembic.runtime.plugins": {"level": "WARNING"},
            # As SQLAlchemy's own pools, whose level is WARNING by default.
            "app.pool": {"level": "WARNING"},
        },
{% elif cookiecutter.database == "sqlite" %}
        "loggers": {"alembic.runtime.plugins": {"level": "WARNING"}},
{% else %}
        "loggers": {},
{% endif %}
    }


class RequestLog:
    """Middleware that gives every request an id, and logs the request when it has been answered."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        received = Headers(scope=scope).get("X-Request-ID", "")
        new_id = received if re.fullmatch(r"[\w.-]{1,64}", received, re.ASCII) else uuid4().hex
        request_id.set(new_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = new_id
            await send(message)

        method, path, client = scope["method"], scope["path"], scope["client"]
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            if path not in UNLOGGED_PATHS:
                facts = {
                    "method": method,
                    "path": path,
                    "status": status,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 2),
                    "client": client[0] if client else None,
                }
                logger.info("%s %s %d", method, path, status, extra=facts)
