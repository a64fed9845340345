"""A pool of connections to the database that serves requests in the order in which they ask."""

from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool


class FairPool(QueuePool):
    """Gives a free connection to the request that has waited longest.

    SQLAlchemy's own pool gives it to the one that asks next: in a busy service some requests wait for seconds, or in
    vain, while others don't wait at all. This class can go when sqlalchemy#7679 is solved.
    """

    def __init__(self, creator: Any, pool_size: int, max_overflow: int = 0, **options: Any) -> None:
        """Take the arguments of SQLAlchemy's pool; there is always a limit, by default without overflow."""
        super().__init__(creator, pool_size=pool_size, max_overflow=max_overflow, **options)
        # A turn for each connection. Since Python 3.13 a SimpleQueue hands what is put to the thread that has waited
        # longest; threading.Semaphore doesn't.
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(pool_size + max_overflow):
            self._turns.put(None)

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            self._turns.get(timeout=self.timeout())
        except Empty:
            message = f"every connection was in use for {self.timeout():g} seconds"
            raise PoolTimeoutError(message) from None
        try:
            return super()._do_get()
        except BaseException:
            self._turns.put(None)
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        # The connection first, then the turn: the request that gets the turn has to find a free connection.
        try:
            super()._do_return_conn(record)
        finally:
            self._turns.put(None)
