"""Logging to stdout, JSON in production and text in development, and one line for each request."""

import logging
import re
import time
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from flask import Flask, Response, g, request

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


def init_app(app: Flask) -> None:
    """Give every request an id, and log it when it has been answered."""

    @app.before_request
    def bind_request_id() -> None:
        g.started = time.perf_counter()
        received = request.headers.get("X-Request-ID", "")
        g.request_id = received if re.fullmatch(r"[\w.-]{1,64}", received, re.ASCII) else uuid4().hex
        request_id.set(g.request_id)

    @app.after_request
    def log_request(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        if request.path not in UNLOGGED_PATHS:
            facts = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "duration_ms": round((time.perf_counter() - g.started) * 1000, 2),
                "client": request.remote_addr,
            }
            logger.info("%s %s %d", request.method, request.path, response.status_code, extra=facts)
        return response
