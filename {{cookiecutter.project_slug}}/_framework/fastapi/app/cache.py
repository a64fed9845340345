"""A cache in Redis, for any string under any key.

Reads and writes race: a reader may load a {{ "value" if cookiecutter.database == "none" else "row" }}, be overtaken by a writer, and cache {{ "it" if cookiecutter.database == "none" else "the row" }} as it was. So `delete`
leaves a tombstone for a few seconds and `set` never overwrites: while the tombstone lives, nothing old gets in.
If Redis can't be reached, an entry may be out of date until it expires, after CACHE_SECONDS at the latest.
"""

import logging
import time

from redis import RedisError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
{% if cookiecutter.metrics == "prometheus" %}

from app.metrics import CACHE_READS
{% endif %}

TOMBSTONE = ""
{% if cookiecutter.database == "none" %}
TOMBSTONE_SECONDS = 10
{% else %}
# Longer than the slowest read: raise it together with STATEMENT_SECONDS.
TOMBSTONE_SECONDS = 10
{% endif %}
# A cache that answers later than this is slower than {{ "what it caches" if cookiecutter.database == "none" else "the database" }}.
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 1

logger = logging.getLogger(__name__)


class Cache:
    """Strings that expire. While Redis is down, every read is a miss and nothing raises."""

    def __init__(self, url: str, seconds: int) -> None:
        """Expire entries after this many seconds."""
        self.seconds = seconds
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
        try:
            await self.redis.set(key, TOMBSTONE, ex=TOMBSTONE_SECONDS)
        except RedisError as error:
            self.pause(error)

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    def pause(self, error: RedisError) -> None:
        """Do without Redis for a second, so that not every request waits for it."""
        self.paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("the cache does not answer: %s", error)
