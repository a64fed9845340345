"""Products in Redis: faster to read, as the last write left them, and not missed while Redis is down.

A reader who finds nothing leaves a lease in the product's place, and swaps it for what the database says. A write
removes whatever is there, so a reader who was overtaken by a write finds its lease gone and stores nothing. A write
that Redis did not hear of is told to it again until it does: where it was only slow, or where the network parts it from
the writer and not from others, these read the old product until then, or until it expires.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Depends, Request
from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10
PAUSE_SECONDS = 1
# Where the database answers in milliseconds, a cache that takes longer is no help.
PATIENCE_SECONDS = 0.5
# More at once would not be answered sooner, and some of them much later.
CONNECTIONS = 10

# Each key names the run of the server: a restarted Redis may remember products that changed while it was down.
RUN = "local run = string.match(redis.call('info', 'server'), 'run_id:(%w+)') "
KEY = RUN + "local key = 'product:' .. ARGV[1] .. ':' .. run "
READ = KEY + "return redis.call('set', key, ARGV[2], 'NX', 'GET', 'EX', ARGV[3])"
SWAP = KEY + "if redis.call('get', key) == ARGV[2] then redis.call('set', key, ARGV[3], 'EX', ARGV[4]) end"
FORGET = RUN + "for _, id in ipairs(ARGV) do redis.call('del', 'product:' .. id .. ':' .. run) end return #ARGV"


class Cache:
    """The cached products, in JSON."""

    def __init__(self, url: str, seconds: int) -> None:
        """Keep products for this many seconds in the Redis at this URL."""
        self.seconds = seconds
        self.paused_until = 0.0
        self.turns = asyncio.Semaphore(CONNECTIONS)
        self.unheard: set[int] = set()
        self.repetition: asyncio.Task[None] | None = None
        # Tried once more, at once: Redis may have closed the connection since it was last used.
        self.redis = Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 1))
        self.read, self.swap, self.remove = (self.redis.register_script(script) for script in (READ, SWAP, FORGET))

    async def fetch(self, product_id: int, load: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
        """Return the product's JSON, and whether it was cached; `load` reads it from the database."""
        lease = f"lease:{uuid4().hex}"
        found = await self.ask(self.read, product_id, lease, LEASE_SECONDS)
        if found and not found.startswith("lease:"):
            return found, True
        product = await load()
        if not found:
            await self.ask(self.swap, product_id, lease, product, self.seconds)
        return product, False

    async def forget(self, product_id: int) -> None:
        """Drop a product that has changed."""
        self.paused_until = 0.0
        if await self.ask(self.remove, product_id) is None:
            self.unheard.add(product_id)
            if self.repetition is None or self.repetition.done():
                self.repetition = asyncio.create_task(self.repeat())

    async def repeat(self) -> None:
        """Tell Redis which products have changed while it did not answer, as soon as it does."""
        while self.unheard:
            await asyncio.sleep(PAUSE_SECONDS)
            told, self.unheard = self.unheard, set()
            if await self.ask(self.remove, *told) is None:
                self.unheard |= told

    async def ask(self, script: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Run a script; while Redis is down, return nothing, and spare readers the wait for the next second."""
        if time.monotonic() < self.paused_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self.turns:
                return await script(args=arguments)
        except (RedisError, OSError) as error:
            self.paused_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("reading without the cache: %s", str(error) or "no answer in time")
            return None


def current_cache(request: Request) -> Cache:
    """Return the cache of the application that answers the request."""
    cache: Cache = request.app.state.cache
    return cache


CurrentCache = Annotated[Cache, Depends(current_cache)]
