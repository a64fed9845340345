"""What endpoints depend on, as `Annotated` types."""

{% if cookiecutter.database != "none" %}
from collections.abc import AsyncIterator
{% endif %}
from typing import Annotated

{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
from fastapi import Depends, Query, Request
{% else %}
from fastapi import Query
{% endif %}
{% if "queue" in cookiecutter.redis %}
from rq import Queue
{% endif %}
{% if cookiecutter.database != "none" %}
from sqlalchemy.ext.asyncio import AsyncSession
{% endif %}

{% if "cache" in cookiecutter.redis %}
from app.cache import Cache
{% endif %}
from app.pagination import PageQuery
{% if cookiecutter.database != "none" %}


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Open a session for one request; its first statement takes a connection from the pool."""
    async with request.app.state.sessions() as session:
        yield session


# scope="function" closes it when the endpoint returns: a client that reads slowly holds no connection.
SessionDep = Annotated[AsyncSession, Depends(open_session, scope="function")]
{% endif %}
{% if "cache" in cookiecutter.redis %}


async def get_cache(request: Request) -> Cache:
    """Return the application's cache."""
    cache: Cache = request.app.state.cache
    return cache


CacheDep = Annotated[Cache, Depends(get_cache)]
{% endif %}
{% if "queue" in cookiecutter.redis %}


async def get_queue(request: Request) -> Queue:
    """Return the application's queue."""
    queue: Queue = request.app.state.queue
    return queue


QueueDep = Annotated[Queue, Depends(get_queue)]

{% endif %}

PaginationDep = Annotated[PageQuery, Query()]
