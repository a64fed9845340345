"""How Alembic reaches the database."""

import asyncio
import logging.config
{% if cookiecutter.database != "sqlite" %}
import sys
import time
from contextlib import aclosing
{% endif %}
from typing import Any, Literal

from alembic import context
{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.asyncio import create_async_engine
{% else %}
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
{% endif %}
from sqlalchemy.types import TypeDecorator

from app import logs
{% if cookiecutter.database != "sqlite" %}
from app.database import Database
{% endif %}
from app.models import Base
from app.settings import load_settings
{% if cookiecutter.database != "sqlite" %}

PATIENCE_SECONDS = 60

logger = logging.getLogger("alembic.env")


async def connect(engine: AsyncEngine) -> AsyncConnection:
    """Open a connection, as soon as a database that is still starting takes one; end where it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while True:
        try:
            return await engine.connect()
        except OperationalError as error:
            if time.monotonic() > end:
                sys.exit(f"database: {error.orig}")
            if said != str(error.orig):
                said = str(error.orig)
                logger.info("waiting for the database: %s", said)
            await asyncio.sleep(0.1)
{% endif %}


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write the database's own types into a migration: it has to run when the application's have changed."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def migrate(connection: Connection) -> None:
    """Run what Alembic was asked to run."""
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


async def main() -> None:
    """Open the connection that the migrations run over."""
{% if cookiecutter.database == "sqlite" %}
    # Not as the application connects: with foreign keys enforced, the rows that refer to a copied table would go with it.
    engine = create_async_engine(settings.database_url, poolclass=NullPool)
    async with engine.connect() as connection:
{% else %}
    async with Database(settings) as database, aclosing(await connect(database.engine)) as connection:
{% endif %}
        await connection.run_sync(migrate)
        await connection.commit()


settings = load_settings()
logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
asyncio.run(main())
