"""The database: base class of the models, connections, and the answers to its errors."""

import logging
{% if cookiecutter.database == "sqlite" %}
import sqlite3
{% endif %}
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
{% if cookiecutter.database == "mariadb" %}
from typing import ClassVar
{% else %}
from typing import Any, ClassVar
{% endif %}

{% if cookiecutter.database == "postgresql" %}
import psycopg
{% endif %}
from fastapi import FastAPI, Request, Response
{% if cookiecutter.database == "postgresql" %}
from psycopg.abc import PQGen
{% endif %}
{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import MetaData, event, text
{% else %}
from sqlalchemy import MetaData, text
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
{% else %}
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
{% endif %}
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from app.columns import UtcDateTime
{% if cookiecutter.database != "sqlite" %}
from app.pool import FairPool
{% endif %}
from app.problems import problem
from app.settings import Settings

{% if cookiecutter.database == "mariadb" %}
UNKNOWN_COLUMN = 1054

{% endif %}
logger = logging.getLogger(__name__)
{% if cookiecutter.database == "postgresql" %}


class Connection(psycopg.AsyncConnection[Any]):
    """A connection with a read timeout.

    libpq has none: it waits for ever for a server that accepts data and never answers, such as one that is suspended.
    tcp_user_timeout doesn't help, because the server's kernel still acknowledges what is sent.
    """

    read_timeout: float | None = None

    async def wait[T](self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server; close the connection when it doesn't answer in time."""
        try:
            return await super().wait(gen, interval, self.read_timeout if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # Errors that the server reports have an SQLSTATE; without one, the connection itself has failed.
            if error.sqlstate is None:
                await self.close()
            raise


async def connect(*args: Any, read_timeout: float, **options: Any) -> Connection:
    """Open a connection that has a read timeout."""
    connection = await Connection.connect(*args, **options)
    connection.read_timeout = read_timeout
    return connection
{% endif %}


class Base(DeclarativeBase):
    """Base class of the models."""

    # A migration can only change or drop a constraint that has a name.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime}
    # Read what the database computes (onupdate=func.now()) while writing: an attribute can't be loaded later under async.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 # a ClassVar is refused by mypy


{% if cookiecutter.database == "sqlite" %}
def create_engine(settings: Settings, pool_size: int = 10) -> AsyncEngine:
{% else %}
def create_engine(settings: Settings, pool_size: int) -> AsyncEngine:
{% endif %}
    """Create a pool of connections; each is opened when it is first needed."""
{% if cookiecutter.database == "sqlite" %}
    engine = create_async_engine(
        settings.database_url,
        pool_size=pool_size,
        pool_timeout=5,
        connect_args={"timeout": settings.statement_seconds},  # how long a statement waits for a lock
        hide_parameters=True,  # in error messages: they may be personal data
    )
    event.listen(engine.sync_engine, "connect", set_pragmas)
    return engine
{% else %}
    seconds = settings.statement_seconds
    return create_async_engine(
        settings.database_url,
        poolclass=FairPool,
        pool_size=pool_size,
        pool_timeout=3,
        # Replace a connection that the database has closed.
        pool_pre_ping=True,
        # The server gives up on a statement (on its locks, too), and the client, a little later, on a server that
        # doesn't answer. With two seconds for a statement, a request that meets a dead database ends after about five.
        connect_args={
            "connect_timeout": 2,
{% if cookiecutter.database == "postgresql" %}
            "async_creator_fn": connect,
            "options": f"-c statement_timeout={seconds}s",
            "read_timeout": seconds + 0.5,
{% else %}
            # A new connection that reaches a hanging server waits for as long as this, too.
            "read_timeout": seconds + 0.5,
            "init_command": f"SET max_statement_time = {seconds}, lock_wait_timeout = {seconds}, "
            f"innodb_lock_wait_timeout = {seconds}, time_zone = '+00:00'",
{% endif %}
        },
        hide_parameters=True,  # in error messages: they may be personal data
{% if cookiecutter.database == "mariadb" %}
        # Each statement sees what has been committed, as in PostgreSQL. By default MariaDB refuses to change a row that
        # another transaction has changed since this one's first read (error 1020).
        isolation_level="READ COMMITTED",
{% endif %}
    )
{% endif %}


@asynccontextmanager
async def standalone_session(settings: Settings) -> AsyncIterator[AsyncSession]:
    """Open a session outside of a request, in the event loop of a job or script."""
    engine = create_engine(settings, pool_size=1)
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session
    finally:
        await engine.dispose()


async def ping(engine: AsyncEngine) -> None:
    """Run a query; raise when the database is down."""
    async with engine.connect() as connection:
{% if cookiecutter.database == "sqlite" %}
        # SELECT 1 would not read the file.
        await connection.execute(text("SELECT count(*) FROM sqlite_schema"))
{% else %}
        await connection.execute(text("SELECT 1"))
{% endif %}


def add_error_handlers(app: FastAPI) -> None:
    """Register the answers to database errors."""
    for unavailable in (OperationalError, InterfaceError, PoolTimeoutError):
        app.add_exception_handler(unavailable, handle_unavailable)
    app.add_exception_handler(IntegrityError, handle_conflict)
    # A row that another request has deleted: seen when it is written, or when it is read again.
    for deleted in (StaleDataError, ObjectDeletedError):
        app.add_exception_handler(deleted, handle_deleted)


async def handle_unavailable(_request: Request, error: Exception) -> Response:
    """Answer 503 when the database can't be reached or takes too long."""
{% if cookiecutter.database == "sqlite" %}
    # Python's driver reports a missing table or column in the same way. That is a mistake, not an outage: 500.
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        raise error
{% elif cookiecutter.database == "mariadb" %}
    # asyncmy reports a missing column in the same way. That is a mistake, not an outage: 500.
    if isinstance(error, DBAPIError) and error.orig and error.orig.args[0] == UNKNOWN_COLUMN:
        raise error
{% endif %}
    logger.error("database unavailable: %s", error)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database is unavailable at the moment.", headers={"Retry-After": "5"}
    )


async def handle_conflict(_request: Request, error: Exception) -> Response:
    """Answer 409 when a constraint refuses the data."""
    logger.warning("database constraint violated: %s", error)
    return problem(HTTPStatus.CONFLICT, "The data conflicts with what is stored.")


async def handle_deleted(_request: Request, _error: Exception) -> Response:
    """Answer 404 when the row was deleted in the meantime."""
    return problem(HTTPStatus.NOT_FOUND, "It was deleted in the meantime.")
{% if cookiecutter.database == "sqlite" %}


def set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    """Set what SQLite keeps for each connection."""
    cursor = connection.cursor()
    # Readers don't wait for the writer.
    cursor.execute("PRAGMA journal_mode = WAL")
    # Much faster: a commit doesn't wait for the disk. A power cut may lose the last ones, but never damages the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
{% endif %}
