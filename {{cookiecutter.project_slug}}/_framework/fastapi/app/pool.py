"""A pool of connections to the database that serves requests in the order in which they ask."""

import asyncio
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_


class FairPool(AsyncAdaptedQueuePool):
    """Gives a free connection to the request that has waited longest.

    SQLAlchemy's own pool gives it to the one that asks next: in a busy service some requests wait for seconds, or in
    vain, while others don't wait at all. This class can go when sqlalchemy#7679 is solved.
    """

    def __init__(self, creator: Any, pool_size: int, max_overflow: int = 0, **options: Any) -> None:
        """Take the arguments of SQLAlchemy's pool; there is always a limit, by default without overflow."""
        super().__init__(creator, pool_size=pool_size, max_overflow=max_overflow, **options)
        self._turns = asyncio.Semaphore(pool_size + max_overflow)

    def _do_get(self) -> ConnectionPoolEntry:
        await_(self._wait_for_turn())
        try:
            return super()._do_get()
        except BaseException:  # the request may be cancelled, too
            self._turns.release()
            raise

    async def _wait_for_turn(self) -> None:
        try:
            async with asyncio.timeout(self.timeout()):
                await self._turns.acquire()
        except TimeoutError:
            message = f"every connection was in use for {self.timeout():g} seconds"
            raise PoolTimeoutError(message) from None

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        # The connection first, then the turn: the request that gets the turn has to find a free connection.
        try:
            super()._do_return_conn(record)
        finally:
            self._turns.release()
