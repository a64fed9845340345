"""Whether the service is alive, and whether it can do its work."""

{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from http import HTTPStatus
{% else %}
from http import HTTPStatus
{% endif %}

{% if cookiecutter.redis != "none" %}
from flask import current_app
{% endif %}
from flask_smorest import Blueprint
from marshmallow import Schema, fields
{% if cookiecutter.redis != "none" %}
from redis import Redis
{% endif %}

{% if cookiecutter.database != "none" %}
from app import database

{% endif %}
blueprint = Blueprint("health", __name__, description="Signs of life")
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
logger = logging.getLogger(__name__)

TIME_LIMIT_SECONDS = 2
# Of each dependency its own: where one hangs, the others' probes don't wait for a thread.
EXECUTORS = {
{% if cookiecutter.database != "none" %}
    "database": ThreadPoolExecutor(max_workers=2, thread_name_prefix="probe"),
{% endif %}
{% if cookiecutter.redis != "none" %}
    "redis": ThreadPoolExecutor(max_workers=2, thread_name_prefix="probe"),
{% endif %}
}
{% endif %}


class Health(Schema):
    """A sign of life."""

    status = fields.String(required=True)
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}


class Readiness(Health):
    """Whether the service can do its work, and which of the services behind it are up."""

{% if cookiecutter.database != "none" %}
    database = fields.String(required=True)
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis = fields.String(required=True)
{% endif %}
{% endif %}


@blueprint.get("/health")
@blueprint.response(HTTPStatus.OK, Health)
def health() -> dict[str, str]:
    """Say that the process is alive; nothing else is asked."""
    return {"status": "ok"}


@blueprint.get("/ready")
{% if cookiecutter.database == "none" and cookiecutter.redis == "none" %}
@blueprint.response(HTTPStatus.OK, Health)
def ready() -> dict[str, str]:
    """Say that the service can do its work: there is nothing that it depends on."""
    return {"status": "ready"}
{% else %}
@blueprint.response(HTTPStatus.OK, Readiness)
@blueprint.alt_response(HTTPStatus.SERVICE_UNAVAILABLE, schema=Readiness)
def ready() -> tuple[dict[str, str], int]:
    """Ask what the service depends on, all at once and for a short time."""
    checks: dict[str, Callable[[], object]] = {
{% if cookiecutter.database != "none" %}
        "database": partial(database.ping, database.db.engine),
{% endif %}
{% if cookiecutter.redis != "none" %}
        "redis": partial(ping_redis, current_app.config["REDIS_URL"]),
{% endif %}
    }
    asked = {name: EXECUTORS[name].submit(check) for name, check in checks.items()}
    wait(asked.values(), timeout=TIME_LIMIT_SECONDS)
    states = {name: state(name, answer) for name, answer in asked.items()}
{% if cookiecutter.redis == "cache" %}
    # Redis only makes answers faster: the service does its work without it.
    if all(found == "up" for name, found in states.items() if name != "redis"):
{% else %}
    if all(found == "up" for found in states.values()):
{% endif %}
        return {"status": "ready", **states}, HTTPStatus.OK
    return {"status": "unavailable", **states}, HTTPStatus.SERVICE_UNAVAILABLE


def state(name: str, answer: Future[object]) -> str:
    """Say whether a dependency has answered in time."""
    if answer.done() and not answer.exception():
        return "up"
    logger.warning("%s is down: %s", name, answer.exception() if answer.done() else "no answer in time")
    # One that has not begun would only keep later ones waiting.
    answer.cancel()
    return "down"
{% endif %}
{% if cookiecutter.redis != "none" %}


def ping_redis(url: str) -> None:
    """Ask Redis for a sign of life; raise where there is none."""
    with Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as redis:
        redis.ping()
{% endif %}
