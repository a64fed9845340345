"""The cache: what it holds, and what happens without Redis."""

import asyncio
import time

import pytest
from redis import Redis

from app.cache import Cache
from app.main import create_app, lifespan
from app.settings import Settings


@pytest.fixture
def redis(settings: Settings) -> Redis:
    """Return an empty Redis."""
    redis = Redis.from_url(settings.redis_url, decode_responses=True)
    redis.flushdb()
    return redis


def test_get_and_set(settings: Settings, redis: Redis) -> None:
    """A text is found under its key, and expires."""

    async def use_cache() -> list[str | None]:
        app = create_app(settings.model_copy(update={"cache_seconds": 30}))
        async with lifespan(app):
            cache = app.state.cache
            before = await cache.get("greeting")
            await cache.set("greeting", "hello")
            return [before, await cache.get("greeting")]

    assert asyncio.run(use_cache()) == [None, "hello"]
    assert 0 < redis.ttl("greeting") <= 30


{% if cookiecutter.database == "none" %}
@pytest.mark.usefixtures("redis")
def test_delete(settings: Settings) -> None:
{% else %}
def test_delete(settings: Settings, redis: Redis) -> None:
{% endif %}
    """A reader that loaded its text before a change can't cache it after the change."""

    async def use_cache() -> str | None:
        cache = Cache(settings.redis_url, seconds=60)
        await cache.set("greeting", "hello")
        await cache.delete("greeting")
        await cache.set("greeting", "hello")
        text = await cache.get("greeting")
        await cache.close()
        return text

    assert asyncio.run(use_cache()) is None
{% if cookiecutter.database != "none" %}
    assert redis.ttl("greeting") > settings.statement_seconds
{% endif %}


@pytest.mark.parametrize(("method", "arguments"), [("get", ["a"]), ("set", ["a", "b"]), ("delete", ["a"])])
def test_without_redis(method: str, arguments: list[str]) -> None:
    """If Redis is down nothing is found, and nothing fails: neither what finds out, nor what comes next."""

    async def use_cache() -> list[str | None]:
        cache = Cache("redis://127.0.0.1:1/0", seconds=60)
        return [await getattr(cache, method)(*arguments) for _ in range(2)]

    assert asyncio.run(use_cache()) == [None, None]


@pytest.mark.usefixtures("redis")
def test_pause(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """After a failure Redis isn't asked for a second, so not every request waits for it."""
    now = time.monotonic

    async def use_cache() -> list[str | None]:
        cache, unreachable = (Cache(url, seconds=60) for url in (settings.redis_url, "redis://127.0.0.1:1/0"))
        await cache.set("greeting", "hello")
        with monkeypatch.context() as outage:
            outage.setattr(cache, "redis", unreachable.redis)
            texts = [await cache.get("greeting")]
        texts.append(await cache.get("greeting"))
        await cache.set("late", "hello")
        monkeypatch.setattr(time, "monotonic", lambda: now() + 1)
        texts += [await cache.get("greeting"), await cache.get("late")]
        await cache.close()
        return texts

    assert asyncio.run(use_cache()) == [None, None, "hello", None]
