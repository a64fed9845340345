"""Health (the process is alive) and readiness (it can do its work)."""

{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
import asyncio
import logging
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
{% else %}
from fastapi import APIRouter
{% endif %}
from pydantic import BaseModel
{% if cookiecutter.redis != "none" %}
from redis.asyncio import BlockingConnectionPool, Redis
{% endif %}
{% if cookiecutter.database != "none" %}

from app import database
{% endif %}

router = APIRouter(tags=["health"])
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2

State = Literal["up", "down"]
{% endif %}


class Health(BaseModel):
    """The state of the service."""

    status: str
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}


class Readiness(Health):
    """The state of the service and of each dependency."""

{% if cookiecutter.database != "none" %}
    database: State
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis: State
{% endif %}
{% endif %}


@router.get("/health")
@router.get("/up", name="get_up")
async def get_health() -> Health:
    """Answer while the process is alive, without asking any dependency."""
    return Health(status="ok")


{% if cookiecutter.database == "none" and cookiecutter.redis == "none" %}
@router.get("/ready")
async def get_readiness() -> Health:
    """Answer that the service can do its work: it depends on nothing."""
    return Health(status="ready")
{% else %}
@router.get("/ready", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}})
async def get_readiness(request: Request, response: Response) -> Readiness:
    """Answer whether the service can do its work, with the state of each dependency."""
{% if cookiecutter.database != "none" and cookiecutter.redis != "none" %}
    database_state, redis_state = await asyncio.gather(
        probe("database", database.ping(request.app.state.probe_engine)),
        probe("redis", ping_redis(request.app.state.probe_redis)),
    )
{% elif cookiecutter.database != "none" %}
    database_state = await probe("database", database.ping(request.app.state.probe_engine))
{% else %}
    redis_state = await probe("redis", ping_redis(request.app.state.probe_redis))
{% endif %}
{% if cookiecutter.redis == "cache" and cookiecutter.database != "none" %}
    # Without its cache the service is only slower.
    ready = database_state == "up"
{% elif cookiecutter.redis == "cache" %}
    # Without its cache the service is only slower.
    ready = True
{% elif cookiecutter.database != "none" and cookiecutter.redis != "none" %}
    ready = database_state == redis_state == "up"
{% elif cookiecutter.database != "none" %}
    ready = database_state == "up"
{% else %}
    ready = redis_state == "up"
{% endif %}
    if not ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(
        status="ready" if ready else "unavailable",
{% if cookiecutter.database != "none" %}
        database=database_state,
{% endif %}
{% if cookiecutter.redis != "none" %}
        redis=redis_state,
{% endif %}
    )


async def probe(name: str, ping: Coroutine[Any, Any, None]) -> State:
    """Return whether a dependency answers in time."""
    task = asyncio.create_task(ping)
    # Not asyncio.timeout: it waits for the cancelled driver, which may take longer to give up.
    await asyncio.wait([task], timeout=TIMEOUT_SECONDS)
    if task.done() and not task.exception():
        return "up"
    logger.warning("%s is down: %s", name, task.exception() if task.done() else "no answer in time")
    task.cancel()
    return "down"
{% endif %}
{% if cookiecutter.redis != "none" %}


def connect_redis(url: str) -> Redis:
    """Return a client with one connection for /ready, so that many probes don't open many."""
    pool = BlockingConnectionPool.from_url(
        url, max_connections=1, timeout=TIMEOUT_SECONDS, socket_timeout=1, socket_connect_timeout=1
    )
    return Redis.from_pool(pool)


async def ping_redis(redis: Redis) -> None:
    """Ask Redis; raise when it doesn't answer."""
    await redis.ping()
{% endif %}
