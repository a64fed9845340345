"""Alembic's environment: the models to compare with, and the connection to migrate."""

import importlib
import logging.config
{% if cookiecutter.database != "sqlite" %}
import sys
import time
{% endif %}
from pathlib import Path
from typing import Any, Literal

{% if cookiecutter.database == "postgresql" %}
import alembic_postgresql_enum  # noqa: F401  # autogenerate compares the values of enums
{% endif %}
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, NullPool, create_engine
{% if cookiecutter.database != "sqlite" %}
from sqlalchemy.exc import OperationalError
{% endif %}
from sqlalchemy.types import TypeDecorator

import app
from app import logs
from app.database import Base
{% if cookiecutter.database == "sqlite" %}
from app.settings import load_settings
{% else %}
from app.settings import Settings, load_settings
{% endif %}
{% if cookiecutter.database != "sqlite" %}

WAIT_SECONDS = 60

logger = logging.getLogger("alembic.env")
{% endif %}


def import_models() -> None:
    """Import every module of the application: autogenerate sees only models that are imported."""
    root = Path(app.__path__[0])
    for file in sorted(root.rglob("*.py")):
        module = ".".join(("app", *file.relative_to(root).with_suffix("").parts))
        importlib.import_module(module.removesuffix(".__init__"))


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write a TypeDecorator as the type it stores, so that a migration stays the same when the class changes."""
    if kind != "type" or not isinstance(item, TypeDecorator) or type(item).__module__.startswith("sqlalchemy."):
        return False
    stored = item.load_dialect_impl(autogen_context.dialect)
    _, package, dialect, *_ = f"{type(stored).__module__}..".split(".")
    if package == "dialects":
        autogen_context.imports.add(f"from sqlalchemy.dialects import {dialect}")
    rendered = autogen_context.migration_context.impl.render_type(stored, autogen_context)
    return rendered or f"{dialect if package == 'dialects' else 'sa'}.{stored!r}"


def migrate(connection: Connection) -> None:
    """Run the command that Alembic was started with."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=True,
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        render_item=render_item,
{% if cookiecutter.database == "sqlite" %}
        # SQLite can't alter a table: batch mode copies it.
        render_as_batch=True,
        transactional_ddl=True,
{% endif %}
    )
    with context.begin_transaction():
        context.run_migrations()


{% if cookiecutter.database == "sqlite" %}
settings = load_settings()
logging.config.dictConfig(logs.config(settings))
import_models()
# Not the application's engine: checking foreign keys would delete or refuse rows that refer to a table being copied.
# `autocommit` off makes Python's driver include CREATE and ALTER in the transaction.
engine = create_engine(settings.database_url, poolclass=NullPool, connect_args={"autocommit": False})
with engine.connect() as connection:
    migrate(connection)
    connection.commit()
{% else %}
def connect(settings: Settings) -> Connection:
    """Connect, if need be after waiting for a database that is starting; exit when it doesn't start."""
    # Not the application's engine: a migration may take longer than a request.
    engine = create_engine(settings.database_url, poolclass=NullPool, connect_args={"connect_timeout": 3})
    deadline = time.monotonic() + WAIT_SECONDS
    last_error = ""
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if time.monotonic() > deadline:
                sys.exit(f"database: {error.orig}")
            if str(error.orig) != last_error:
                last_error = str(error.orig)
                logger.info("waiting for the database: %s", last_error)
            time.sleep(0.2)


settings = load_settings()
logging.config.dictConfig(logs.config(settings))
import_models()
with connect(settings) as connection:
    migrate(connection)
{% endif %}
