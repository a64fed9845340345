"""The connection to the database, for all that stores or reads."""

import asyncio
{% if cookiecutter.database == "sqlite" %}
import sqlite3
{% endif %}
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
{% if cookiecutter.database == "sqlite" %}
from typing import Any, Self
{% else %}
from typing import Self
{% endif %}

{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import event, text
{% else %}
from sqlalchemy import text
{% endif %}
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.settings import Settings

CONNECTIONS = 10
PATIENCE_SECONDS = 5


class Database:
    """The engine and its sessions, open as long as the application runs."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the connections; none is opened before it is needed."""
{% if cookiecutter.database == "sqlite" %}
        self.engine = create_async_engine(settings.database_url, pool_size=CONNECTIONS)
        event.listen(self.engine.sync_engine, "connect", configure_connection)
{% else %}
        self.engine = create_async_engine(
            settings.database,
            pool_size=CONNECTIONS,
            # A connection that the database has closed in the meantime is replaced before it is used.
            pool_pre_ping=True,
            connect_args={"connect_timeout": 3},
        )
{% endif %}
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # The pool gives a free connection to whoever asks next, however long others have waited: here they queue.
        self.turns = asyncio.Semaphore(CONNECTIONS)

    async def __aenter__(self) -> Self:
        """Return the database itself."""
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Open a session, first come, first served; raise NoConnectionFreeError where that takes too long."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.turns.acquire()
        except TimeoutError:
            raise NoConnectionFreeError("no connection was free in time") from None
        try:
            async with self.sessions() as session:
                yield session
        finally:
            self.turns.release()

    async def ping(self) -> None:
        """Ask the database for a sign of life; raise where there is none."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
{% if cookiecutter.database == "sqlite" %}


def configure_connection(connection: sqlite3.Connection, _record: Any) -> None:
    """Let readers go on while somebody writes, and writers wait for one another."""
    cursor = connection.cursor()
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
{% endif %}
