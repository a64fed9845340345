"""How Alembic reaches the database."""

import logging.config
{% if cookiecutter.database != "sqlite" %}
import sys
import time
{% endif %}
from typing import Any, Literal

from alembic import context
{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import NullPool, create_engine
{% else %}
from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import OperationalError
{% endif %}
from sqlalchemy.types import TypeDecorator

from app import logs
from app.models import Base
from app.settings import load_settings
{% if cookiecutter.database != "sqlite" %}

PATIENCE_SECONDS = 60

logger = logging.getLogger("alembic.env")


def connect(engine: Engine) -> Connection:
    """Open a connection, as soon as a database that is still starting takes one; end where it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if time.monotonic() > end:
                sys.exit(f"database: {error.orig}")
            if said != str(error.orig):
                said = str(error.orig)
                logger.info("waiting for the database: %s", said)
            time.sleep(0.1)
{% endif %}


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write the database's own types into a migration: it has to run when the application's have changed."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


settings = load_settings()
logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
{% if cookiecutter.database == "sqlite" %}
with create_engine(settings.database_url, poolclass=NullPool).connect() as connection:
{% else %}
with connect(create_engine(settings.database_url, poolclass=NullPool)) as connection:
{% endif %}
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
{% if cookiecutter.database == "sqlite" %}
        # SQLite can't alter a column: the table is copied.
        render_as_batch=True,
{% endif %}
    )
    with context.begin_transaction():
        context.run_migrations()
