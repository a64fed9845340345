"""The cache: what it holds, and what happens without Redis."""

import os

import pytest

from app.cache import Cache


@pytest.fixture
def cache() -> Cache:
    """Return an empty cache."""
    cache = Cache(os.environ["REDIS_URL"], seconds=60)
    cache.redis.flushdb()
    return cache


def test_get_and_set(cache: Cache) -> None:
    """A text is found under its key, and expires."""
    assert cache.get("greeting") is None
    cache.set("greeting", "hello")
    assert cache.get("greeting") == "hello"
    assert 0 < cache.redis.ttl("greeting") <= 60


def test_delete(cache: Cache) -> None:
    """A reader that loaded its text before a change can't cache it after the change."""
    cache.set("greeting", "hello")
    cache.delete("greeting")
    cache.set("greeting", "hello")
    assert cache.get("greeting") is None


@pytest.mark.parametrize(("method", "arguments"), [("get", ["a"]), ("set", ["a", "b"]), ("delete", ["a"])])
def test_without_redis(method: str, arguments: list[str]) -> None:
    """If Redis is down nothing is found, and nothing fails: neither what finds out, nor what comes next."""
    cache = Cache("redis://127.0.0.1:1/0", seconds=60)
    assert getattr(cache, method)(*arguments) is None
    assert getattr(cache, method)(*arguments) is None
