"""Products in Redis: faster to read, as the last write left them, and not missed while Redis is down.

A reader who finds nothing leaves a lease in the product's place, and swaps it for what the database says. A write
removes whatever is there, so a reader who was overtaken by a write finds its lease gone and stores nothing. A write
that Redis did not hear of is told to it again until it does: where it was only slow, or where the network parts it from
the writer and not from others, these read the old product until then, or until it expires.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

from flask import Flask, Response, current_app
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.settings import Settings

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10
PAUSE_SECONDS = 1

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
        self.lock = Lock()
        self.unheard: set[int] = set()
        self.repeating = False
        # Where the database answers in milliseconds, a cache that takes longer is no help.
        self.redis = Redis.from_url(
            url, decode_responses=True, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        self.read, self.swap, self.remove = (self.redis.register_script(script) for script in (READ, SWAP, FORGET))

    def fetch(self, product_id: int, load: Callable[[], str]) -> tuple[str, bool]:
        """Return the product's JSON, and whether it was cached; `load` reads it from the database."""
        lease = f"lease:{uuid4().hex}"
        found = self.ask(self.read, product_id, lease, LEASE_SECONDS)
        if found and not found.startswith("lease:"):
            return found, True
        product = load()
        if not found:
            self.ask(self.swap, product_id, lease, product, self.seconds)
        return product, False

    def forget(self, product_id: int) -> None:
        """Drop a product that has changed."""
        self.paused_until = 0.0
        if self.ask(self.remove, product_id) is None:
            with self.lock:
                self.unheard.add(product_id)
                if not self.repeating:
                    self.repeating = True
                    Thread(target=self.repeat, daemon=True).start()

    def repeat(self) -> None:
        """Tell Redis which products have changed while it did not answer, as soon as it does."""
        while self.repeating:
            time.sleep(PAUSE_SECONDS)
            with self.lock:
                told, self.unheard = self.unheard, set()
            heard = self.ask(self.remove, *told)
            with self.lock:
                if heard is None:
                    self.unheard |= told
                self.repeating = bool(self.unheard)

    def ask(self, script: Callable[..., Any], *arguments: Any) -> Any:
        """Run a script; while Redis is down, return nothing, and spare readers the wait for the next second."""
        if time.monotonic() < self.paused_until:
            return None
        try:
            return script(args=arguments)
        except RedisError as error:
            self.paused_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("reading without the cache: %s", error)
            return None


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its cache."""
    app.extensions["cache"] = Cache(settings.redis_url, settings.cache_seconds)


def answer(product_id: int, load: Callable[[], str]) -> Response:
    """Answer with a product, from the cache where it is there; `X-Cache` says which."""
    product, cached = current_app.extensions["cache"].fetch(product_id, load)
    return Response(product, mimetype="application/json", headers={"X-Cache": "HIT" if cached else "MISS"})


def forget(product_id: int) -> None:
    """Drop a product that has changed."""
    current_app.extensions["cache"].forget(product_id)
