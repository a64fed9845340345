"""A pool of connections to the database that serves requests in the order in which they ask."""

import asyncio
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_


class FairPool(AsyncAdaptedQueuePool):
    """Gives a free connection to the request that has waited longest.

    SQLAlchemy's own pool gives it to the one that asks next (sqlalchemy#7679): in a busy service some requests wait for
    seconds, or in vain, while others don't wait at all.
    """

    def __init__(self, creator: Any, pool_size: int, max_overflow: int = 0, **options: Any) -> None:
        """Take the arguments of SQLAlchemy's pool."""
        super().__init__(creator, pool_size=pool_size, max_overflow=max_overflow, **options)
        self._turns = asyncio.Semaphore(pool_size + max_overflow)

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            await_(asyncio.wait_for(self._turns.acquire(), self.timeout()))
        except TimeoutError:
            message = f"every connection was in use for {self.timeout():g} seconds"
            raise PoolTimeoutError(message) from None
        try:
            return super()._do_get()
        except BaseException:
            self._turns.release()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            super()._do_return_conn(record)
        finally:
            self._turns.release()
