"""Health (the process is alive) and readiness (it can do its work)."""

{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
import logging
from collections.abc import Callable
{% endif %}
from http import HTTPStatus

{% if cookiecutter.redis != "none" %}
from flask import current_app
{% endif %}
from marshmallow import Schema, fields
{% if cookiecutter.redis != "none" %}
from redis import Redis
{% endif %}

{% if cookiecutter.database != "none" %}
from app import database
{% endif %}
from app.api import Blueprint

blueprint = Blueprint("health", __name__, description="Health and readiness")
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
logger = logging.getLogger(__name__)
{% endif %}


class HealthSchema(Schema):
    """The state of the service."""

    status = fields.String(required=True)
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}


class ReadinessSchema(HealthSchema):
    """The state of the service and of each dependency, up or down."""

{% if cookiecutter.database != "none" %}
    database = fields.String(required=True)
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis = fields.String(required=True)
{% endif %}
{% endif %}


@blueprint.get("/health")
@blueprint.get("/up", endpoint="get_up")
@blueprint.response(HTTPStatus.OK, HealthSchema)
def get_health() -> dict[str, str]:
    """Answer while the process is alive, without asking any dependency."""
    return {"status": "ok"}


{% if cookiecutter.database == "none" and cookiecutter.redis == "none" %}
@blueprint.get("/ready")
@blueprint.response(HTTPStatus.OK, HealthSchema)
def get_readiness() -> dict[str, str]:
    """Answer that the service can do its work: it depends on nothing."""
    return {"status": "ready"}
{% else %}
@blueprint.get("/ready")
@blueprint.response(HTTPStatus.OK, ReadinessSchema)
@blueprint.alt_response(HTTPStatus.SERVICE_UNAVAILABLE, schema=ReadinessSchema)
def get_readiness() -> tuple[dict[str, str], HTTPStatus]:
    """Answer whether the service can do its work, with the state of each dependency."""
    states = {
{% if cookiecutter.database != "none" %}
        "database": probe("database", database.ping),
{% endif %}
{% if cookiecutter.redis != "none" %}
        "redis": probe("redis", ping_redis),
{% endif %}
    }
{% if cookiecutter.redis == "cache" and cookiecutter.database != "none" %}
    # Without its cache the service is only slower.
    ready = states["database"] == "up"
{% elif cookiecutter.redis == "cache" %}
    # Without its cache the service is only slower.
    ready = True
{% else %}
    ready = all(state == "up" for state in states.values())
{% endif %}
    if ready:
        return {"status": "ready", **states}, HTTPStatus.OK
    return {"status": "unavailable", **states}, HTTPStatus.SERVICE_UNAVAILABLE


def probe(name: str, ping: Callable[[], None]) -> str:
    """Return whether a dependency is up; `ping` has a short time limit of its own."""
    try:
        ping()
    except Exception as error:  # noqa: BLE001 # whatever goes wrong, it is not up
        logger.warning("%s is down: %s", name, error)
        return "down"
    return "up"
{% endif %}
{% if cookiecutter.redis != "none" %}


def ping_redis() -> None:
    """Ask Redis over a connection of its own; raise when it doesn't answer within a second."""
    url = current_app.config["SETTINGS"].redis_url
    with Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as redis:
        redis.ping()
{% endif %}
