"""A cache in Redis, for any string but the empty one, under any key.

Reads and writes race: a reader may load a value, be overtaken by a writer, and cache the value as it was. So `delete`
leaves a tombstone for a few seconds and `set` never overwrites: while the tombstone lives, nothing old gets in.
If Redis can't be reached, an entry may be out of date until it expires, after CACHE_SECONDS at the latest.
"""

import logging
import time

{% if cookiecutter.metrics == "prometheus" %}
from prometheus_client import Counter
{% endif %}
from redis import RedisError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TOMBSTONE = ""
# A cache that answers later than this is no help.
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 1

{% if cookiecutter.metrics == "prometheus" %}
CACHE_READS = Counter("cache_reads", "Reads of the cache, hits and misses", ["result"])

{% endif %}
logger = logging.getLogger(__name__)


class Cache:
    """Strings that expire. While Redis is down, every read is a miss and nothing raises."""

    def __init__(self, url: str, seconds: int, tombstone_seconds: int = 10) -> None:
        """Expire entries after `seconds`; keep values that may be older than a change out for `tombstone_seconds`."""
        self.seconds = seconds
        self.tombstone_seconds = tombstone_seconds
        self.paused_until = 0.0
        pool = BlockingConnectionPool.from_url(
            url,
            decode_responses=True,
            max_connections=10,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            # One retry, at once: Redis may have closed an idle connection.
            retry=Retry(NoBackoff(), 1),
        )
        self.redis = Redis.from_pool(pool)

    async def get(self, key: str) -> str | None:
        """Return the string, or None."""
        if time.monotonic() < self.paused_until:
            return None
        try:
            text = await self.redis.get(key)
        except RedisError as error:
            self.pause(error)
            return None
{% if cookiecutter.metrics == "prometheus" %}
        found = text if isinstance(text, str) and text != TOMBSTONE else None
        CACHE_READS.labels("miss" if found is None else "hit").inc()
        return found
{% else %}
        return text if isinstance(text, str) and text != TOMBSTONE else None
{% endif %}

    async def set(self, key: str, text: str) -> None:
        """Cache a string, unless there is one already or it has just been deleted."""
        if time.monotonic() < self.paused_until:
            return
        try:
            await self.redis.set(key, text, ex=self.seconds, nx=True)
        except RedisError as error:
            self.pause(error)

    async def delete(self, key: str) -> None:
        """Remove an entry; call it after the change has been committed."""
        # During a pause, too: an entry that is left would be served until it expires.
        try:
            await self.redis.set(key, TOMBSTONE, ex=self.tombstone_seconds)
        except RedisError as error:
            self.pause(error)

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    def pause(self, error: RedisError) -> None:
        """Skip Redis for a second, so that not every request waits for it."""
        self.paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("the cache does not answer: %s", error)
