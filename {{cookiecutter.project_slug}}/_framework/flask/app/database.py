"""The database: base class of the models, connections, and the answers to its errors."""

import logging
{% if cookiecutter.database == "sqlite" %}
import sqlite3
{% endif %}
from datetime import datetime
from http import HTTPStatus
from typing import Any

{% if cookiecutter.database == "postgresql" %}
import psycopg
{% endif %}
from flask import Flask, Response
from flask_sqlalchemy import SQLAlchemy
{% if cookiecutter.database == "postgresql" %}
from psycopg.abc import PQGen
{% endif %}
{% if cookiecutter.database == "mariadb" %}
from sqlalchemy import MetaData, text
{% else %}
from sqlalchemy import MetaData, event, text
{% endif %}
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, registry
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


class Base(DeclarativeBase):
    """Base class of the models; db.Model works too, but type checkers don't know it."""

    # In a registry: Flask-SQLAlchemy copies this class, and SQLAlchemy refuses a copy with a type_annotation_map.
    registry = registry(
        # A migration can only change or drop a constraint that has a name.
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UtcDateTime},
    )


# After a commit the values stay: to read them again for the answer would take a second connection.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def init_app(app: Flask, settings: Settings) -> None:
    """Configure the connections and the answers to database errors."""
{% if cookiecutter.database == "sqlite" %}
    options = {
        # A connection for each thread; eight of them stay open.
        "pool_size": 8,
        "max_overflow": settings.threads,
        # How long a statement waits for a lock.
        "connect_args": {"timeout": settings.statement_seconds},
        # Parameters in error messages may be personal data.
        "hide_parameters": True,
    }
    # One connection for /ready: it doesn't wait for a busy pool.
    probe_options = {**options, "pool_size": 1, "max_overflow": 0, "pool_timeout": 2}
{% else %}
    options = {
        "poolclass": FairPool,
        # Far fewer than `threads`: while the database hangs, the others still answer.
        "pool_size": settings.pool_size,
        "pool_timeout": 3,
        # Replace a connection that the database has closed.
        "pool_pre_ping": True,
        "connect_args": connect_args(settings.statement_seconds),
        # Parameters in error messages may be personal data.
        "hide_parameters": True,
{% if cookiecutter.database == "mariadb" %}
        # Each statement sees what has been committed, as in PostgreSQL. By default MariaDB refuses to change a row that
        # another transaction has changed since this one's first read (error 1020).
        "isolation_level": "READ COMMITTED",
{% endif %}
    }
    # One connection for /ready: it doesn't wait for a busy pool, and many probes don't exhaust the database.
    probe_options = {**options, "pool_size": 1, "pool_timeout": 2, "connect_args": connect_args(statement_seconds=2)}
{% endif %}
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    app.config["SQLALCHEMY_BINDS"] = {"probe": {"url": settings.database_url, **probe_options}}
    db.init_app(app)
{% if cookiecutter.database != "sqlite" %}
    logger.info(
        "at most %d connections to the database in this process (POOL_SIZE), and one for /ready", settings.pool_size
    )
{% endif %}
{% if cookiecutter.database == "sqlite" %}
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "connect", set_pragmas)
{% elif cookiecutter.database == "postgresql" %}
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "do_connect", connect)
{% endif %}
{% if cookiecutter.database != "sqlite" %}
    app.after_request(end_transaction)
{% endif %}
    for unavailable in (OperationalError, InterfaceError, PoolTimeoutError):
        app.register_error_handler(unavailable, handle_unavailable)
    app.register_error_handler(IntegrityError, handle_conflict)
    # A row that another request has deleted: seen when it is written, or when it is read again.
    for deleted in (StaleDataError, ObjectDeletedError):
        app.register_error_handler(deleted, handle_deleted)


{% if cookiecutter.database != "sqlite" %}
def connect_args(statement_seconds: int) -> dict[str, Any]:
    """Return the time limits of a connection.

    The server gives up on a statement (on its locks, too), and the client, a little later, on a server that doesn't
    answer. With two seconds for a statement, a request that meets a dead database ends after about five.
    """
    return {
        "connect_timeout": 2,
{% if cookiecutter.database == "mariadb" %}
        # A new connection that reaches a hanging server waits for as long as this, too.
{% endif %}
        "read_timeout": statement_seconds + 0.5,
{% if cookiecutter.database == "postgresql" %}
        "options": f"-c statement_timeout={statement_seconds}s",
{% else %}
        "init_command": f"SET max_statement_time = {statement_seconds}, lock_wait_timeout = {statement_seconds}, "
        f"innodb_lock_wait_timeout = {statement_seconds}, time_zone = '+00:00'",
{% endif %}
    }


def end_transaction(response: Response) -> Response:
    """Roll back before the response is sent: a failure at teardown would turn it into a 500."""
    try:
        db.session.rollback()
    except DBAPIError:
        db.session().invalidate()
    return response


{% endif %}
def handle_unavailable(error: Exception) -> Response:
    """Answer 503 when the database can't be reached or takes too long."""
{% if cookiecutter.database == "sqlite" %}
    # Python's driver reports a missing table or column in the same way. That is a mistake, not an outage: 500.
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        raise error
{% elif cookiecutter.database == "mariadb" %}
    # PyMySQL reports a missing column in the same way. That is a mistake, not an outage: 500.
    if isinstance(error, DBAPIError) and error.orig and error.orig.args[0] == UNKNOWN_COLUMN:
        raise error
{% endif %}
{% if cookiecutter.database != "sqlite" %}
    # Drop the connection: a rollback would wait for the database once more.
    db.session().invalidate()
{% endif %}
    logger.error("database unavailable: %s", error)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database is unavailable at the moment.", headers={"Retry-After": "5"}
    )


def handle_conflict(error: Exception) -> Response:
    """Answer 409 when a constraint refuses the data."""
    logger.warning("database constraint violated: %s", error)
    return problem(HTTPStatus.CONFLICT, "The data conflicts with what is stored.")


def handle_deleted(_error: Exception) -> Response:
    """Answer 404 when the row was deleted in the meantime."""
    return problem(HTTPStatus.NOT_FOUND, "It was deleted in the meantime.")


def ping() -> None:
    """Run a query over the probes' connection; raise when the database is down."""
    with db.engines["probe"].connect() as connection:
{% if cookiecutter.database == "sqlite" %}
        # SELECT 1 would not read the file.
        connection.execute(text("SELECT count(*) FROM sqlite_schema"))
{% else %}
        connection.execute(text("SELECT 1"))
{% endif %}
{% if cookiecutter.database == "sqlite" %}


def set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    """Set what SQLite keeps for each connection."""
    # Readers don't wait for the writer.
    connection.execute("PRAGMA journal_mode = WAL")
    # Much faster: a commit doesn't wait for the disk. A power cut may lose the last ones, but never damages the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
{% elif cookiecutter.database == "postgresql" %}


class Connection(psycopg.Connection[Any]):
    """A connection with a read timeout.

    libpq has none: it waits for ever for a server that accepts data and never answers, such as one that is suspended.
    tcp_user_timeout doesn't help, because the server's kernel still acknowledges what is sent.
    """

    read_timeout: float | None = None

    def wait[T](self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server; close the connection when it doesn't answer in time."""
        try:
            return super().wait(gen, interval, self.read_timeout if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # Errors that the server reports have an SQLSTATE; without one, the connection itself has failed.
            if error.sqlstate is None:
                self.close()
            raise


def connect(_dialect: Any, _record: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Connection:
    """Open a connection that has a read timeout."""
    read_timeout = options.pop("read_timeout")
    connection = Connection.connect(*args, **options)
    connection.read_timeout = read_timeout
    return connection
{% endif %}
