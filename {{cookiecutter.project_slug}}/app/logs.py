"""Logs on stdout: a JSON object a line in production, readable text in development.

Every line that belongs to a request carries the request's id: the client's own `X-Request-ID`, or a new one.
"""

import logging
import re
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# Asked by the orchestrator every few seconds: their lines would drown all others.
PROBES = ("/health", "/ready")

requests = logging.getLogger("app.requests")


class RequestIdFilter(logging.Filter):
    """Lets every record pass, and puts on it the id of the request that is being answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark the record."""
        record.request_id = request_id.get()
        return True


def config(environment: str, level: str) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` takes, for the server's own loggers too."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request": {"()": RequestIdFilter}},
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
                "formatter": environment,
                "filters": ["request"],
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
{% if cookiecutter.database != "none" %}
        "loggers": {"_granian": {"level": level}, "alembic.runtime.plugins": {"level": "WARNING"}},
{% else %}
        "loggers": {"_granian": {"level": level}},
{% endif %}
    }


def begin_request(client_id: str | None) -> str:
    """Take over the id that the client sent, where it is a plausible one, or make one up."""
    current = client_id if client_id and re.fullmatch(r"[\w.-]{1,64}", client_id, re.ASCII) else uuid4().hex
    request_id.set(current)
    return current


def end_request(method: str, path: str, status: int, seconds: float) -> None:
    """Write the line that says how a request was answered."""
    if path not in PROBES:
        facts = {"method": method, "path": path, "status": status, "duration_ms": round(seconds * 1000, 2)}
        requests.info("%s %s %d", method, path, status, extra=facts)
