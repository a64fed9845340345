"""How Alembic reaches the database."""

import logging.config
from typing import Any, Literal

from alembic import context
from sqlalchemy import NullPool, create_engine
from sqlalchemy.types import TypeDecorator

from app import logs
from app.models import Base
from app.settings import load_settings


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write the database's own types into a migration: it has to run when the application's have changed."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


settings = load_settings()
logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
with create_engine(settings.database_url, poolclass=NullPool).connect() as connection:
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
