"""Whether the service is alive, and whether it can do its work."""

{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
import asyncio
import logging
from collections.abc import Awaitable
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
{% else %}
from fastapi import APIRouter
{% endif %}
from pydantic import BaseModel
{% if cookiecutter.redis != "none" %}
from redis.asyncio import Redis
{% endif %}

router = APIRouter(tags=["health"])
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
logger = logging.getLogger(__name__)

TIME_LIMIT_SECONDS = 2
{% endif %}


class Health(BaseModel):
    """A sign of life."""

    status: str
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}


class Readiness(Health):
    """Whether the service can do its work, and which of the services behind it are up."""

{% if cookiecutter.database != "none" %}
    database: str
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis: str
{% endif %}
{% endif %}


@router.get("/health")
async def health() -> Health:
    """Say that the process is alive; nothing else is asked."""
    return Health(status="ok")


{% if cookiecutter.database == "none" and cookiecutter.redis == "none" %}
@router.get("/ready")
async def ready() -> Health:
    """Say that the service can do its work: there is nothing that it depends on."""
    return Health(status="ready")
{% else %}
@router.get("/ready", response_model=Readiness, responses={503: {"model": Readiness}})
async def ready(request: Request, response: Response) -> dict[str, str]:
    """Ask what the service depends on, all at once and for a short time."""
    checks = {
{% if cookiecutter.database != "none" %}
        "database": request.app.state.database.ping(),
{% endif %}
{% if cookiecutter.redis != "none" %}
        "redis": ping_redis(request.app.state.settings.redis_url),
{% endif %}
    }
    answers = await asyncio.gather(*(state(name, check) for name, check in checks.items()))
    states = dict(zip(checks, answers, strict=True))
{% if cookiecutter.redis == "cache" %}
    # Redis only makes answers faster: the service does its work without it.
    if all(found == "up" for name, found in states.items() if name != "redis"):
{% else %}
    if all(found == "up" for found in states.values()):
{% endif %}
        return {"status": "ready", **states}
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return {"status": "unavailable", **states}


async def state(name: str, check: Awaitable[None]) -> str:
    """Say whether a dependency answers in time."""
    asked = asyncio.ensure_future(check)
    await asyncio.wait([asked], timeout=TIME_LIMIT_SECONDS)
    if asked.done() and not asked.exception():
        return "up"
    logger.warning("%s is down: %s", name, asked.exception() if asked.done() else "no answer in time")
    # Not waited for: a driver may take long to give up.
    asked.cancel()
    return "down"
{% endif %}
{% if cookiecutter.redis != "none" %}


async def ping_redis(url: str) -> None:
    """Ask Redis for a sign of life; raise where there is none."""
    async with Redis.from_url(url) as redis:
        await redis.ping()
{% endif %}
