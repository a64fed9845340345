"""The connection to the database, for all that stores or reads."""

import logging
{% if cookiecutter.database == "sqlite" %}
import sqlite3
from typing import Any
{% endif %}

from flask import Flask, Response
from flask_sqlalchemy import SQLAlchemy
{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import Engine, event, text
{% else %}
from sqlalchemy import Engine, text
{% endif %}
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from app.models import Base
from app.problems import problem
from app.settings import Settings

logger = logging.getLogger(__name__)

db = SQLAlchemy(metadata=Base.metadata)


def init_app(app: Flask, settings: Settings) -> None:
    """Connect the application to its database; answer 503 while that is out of reach."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
{% if cookiecutter.database == "sqlite" %}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": settings.threads}
{% else %}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.threads,
        "pool_timeout": 5,
        # A connection that the database has closed in the meantime is replaced before it is used.
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 3},
    }
{% endif %}
    db.init_app(app)
    for error in (OperationalError, InterfaceError, NoConnectionFreeError):
        app.register_error_handler(error, unavailable)
    # One is raised while it is stored, the other when it is read again for the answer.
    for deleted in (StaleDataError, ObjectDeletedError):
        app.register_error_handler(deleted, lambda _error: problem(404, "It was deleted in the meantime."))


def unavailable(error: Exception) -> Response:
    """Answer a request that needs the database while it is out of reach."""
    logger.error("the database can't answer: %s", error)
    return problem(503, "The database can't answer at the moment.")


def ping(engine: Engine) -> None:
    """Ask the database for a sign of life; raise where there is none."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
{% if cookiecutter.database == "sqlite" %}


@event.listens_for(Engine, "connect")
def configure_connection(connection: sqlite3.Connection, _record: Any) -> None:
    """Let readers go on while somebody writes, and writers wait for one another."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA foreign_keys = ON")
{% endif %}
