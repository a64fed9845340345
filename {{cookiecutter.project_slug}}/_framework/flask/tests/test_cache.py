"""The cache: what it holds, and what happens without Redis."""

import dataclasses
import time

import pytest

from app.cache import Cache
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def cache(settings: Settings) -> Cache:
    """Return the application's cache, empty, whose entries live for 30 seconds."""
    cache: Cache = create_app(dataclasses.replace(settings, cache_seconds=30)).extensions["cache"]
    cache.redis.flushdb()
    return cache


def test_get_and_set(cache: Cache) -> None:
    """A text is found under its key, and expires."""
    assert cache.get("greeting") is None
    cache.set("greeting", "hello")
    assert cache.get("greeting") == "hello"
    assert 0 < cache.redis.ttl("greeting") <= 30


{% if cookiecutter.database == "none" %}
def test_delete(cache: Cache) -> None:
{% else %}
def test_delete(settings: Settings, cache: Cache) -> None:
{% endif %}
    """A reader that loaded its text before a change can't cache it after the change."""
    cache.set("greeting", "hello")
    cache.delete("greeting")
    cache.set("greeting", "hello")
    assert cache.get("greeting") is None
{% if cookiecutter.database != "none" %}
    assert cache.redis.ttl("greeting") > settings.statement_seconds
{% endif %}


@pytest.mark.parametrize(("method", "arguments"), [("get", ["a"]), ("set", ["a", "b"]), ("delete", ["a"])])
def test_without_redis(method: str, arguments: list[str]) -> None:
    """If Redis is down nothing is found, and nothing fails: neither what finds out, nor what comes next."""
    cache = Cache("redis://127.0.0.1:1/0", seconds=60)
    assert getattr(cache, method)(*arguments) is None
    assert getattr(cache, method)(*arguments) is None


def test_pause(monkeypatch: pytest.MonkeyPatch, cache: Cache) -> None:
    """After a failure Redis isn't asked for a second, so not every request waits for it."""
    cache.set("greeting", "hello")
    with monkeypatch.context() as outage:
        outage.setattr(cache, "redis", Cache("redis://127.0.0.1:1/0", seconds=60).redis)
        assert cache.get("greeting") is None
    assert cache.get("greeting") is None
    cache.set("late", "hello")
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 1)
    assert cache.get("greeting") == "hello"
    assert cache.get("late") is None
