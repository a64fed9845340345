"""Alembic's environment: the models to compare with, and the connection to migrate."""

import asyncio
import importlib
import logging.config
{% if cookiecutter.database != "sqlite" %}
import sys
from contextlib import aclosing
{% endif %}
from pathlib import Path
from typing import Any, Literal

{% if cookiecutter.database == "postgresql" %}
import alembic_postgresql_enum  # noqa: F401  # autogenerate compares the values of enums
{% endif %}
from alembic import context
from alembic.autogenerate.api import AutogenContext
{% if cookiecutter.database == "postgresql" %}
from alembic.ddl.postgresql import PostgresqlImpl
{% elif cookiecutter.database == "mariadb" %}
from alembic.ddl.mysql import MariaDBImpl
{% else %}
from alembic.ddl.sqlite import SQLiteImpl
{% endif %}
from alembic.migration import MigrationContext
{% if cookiecutter.database == "mariadb" %}
from alembic.operations.ops import DropIndexOp, DropTableOp, MigrationScript, ModifyTableOps
{% endif %}
{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import Column, Connection, DefaultClause, MetaData, NullPool, Table, event, inspect
from sqlalchemy.exc import DBAPIError
{% else %}
from sqlalchemy import Column, Connection, DefaultClause, MetaData, NullPool, Table, inspect
from sqlalchemy.exc import DBAPIError, OperationalError
{% endif %}
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.types import TypeDecorator

import app
from app import logs
from app.database import Base
from app.settings import Settings, load_settings

logger = logging.getLogger("migrations")
{% if cookiecutter.database == "postgresql" %}
# A migration that waits for the lock of a table blocks everybody else who wants to use it: fail instead.
CONNECT_ARGS = {"connect_timeout": 3, "options": "-c lock_timeout=5s"}
{% elif cookiecutter.database == "mariadb" %}
# A migration that waits for the lock of a table blocks everybody else who wants to use it: fail instead.
CONNECT_ARGS = {"connect_timeout": 3, "init_command": "SET lock_wait_timeout = 5"}
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
    rendered = autogen_context.migration_context.impl.render_type(stored, autogen_context)
    if not type(stored).__module__.startswith("sqlalchemy.dialects."):
        return rendered or f"sa.{stored!r}"
    dialect = autogen_context.dialect.name
    autogen_context.imports.add(f"from sqlalchemy.dialects import {dialect}")
    return rendered or f"{dialect}.{stored!r}"


{% if cookiecutter.database == "postgresql" %}
class Implementation(PostgresqlImpl):
    """Alembic for PostgreSQL, with another comparison of server defaults.

    Alembic lets the server compare them with `=`, which fails for JSON and for a quote in a text.
    A function as `compare_server_default` is no help: with one, Alembic crashes on Computed and Identity columns.
    """
{% elif cookiecutter.database == "mariadb" %}
class Implementation(MariaDBImpl):
    """Alembic for MariaDB, with another comparison of server defaults.

    Alembic takes many for changed that MariaDB reports in other words, such as now() as current_timestamp().
    A function as `compare_server_default` is no help: with one, Alembic crashes on Computed columns.
    """
{% else %}
class Implementation(SQLiteImpl):
    """Alembic for SQLite, with another comparison of server defaults.

    Alembic takes a text with a quote, or an empty one, for changed.
    A function as `compare_server_default` is no help: with one, Alembic crashes on Computed columns.
    """
{% endif %}

    # Alembic finds the class by this name.
    __dialect__ = "{{ cookiecutter.database }}"

    def compare_server_default(
        self,
        inspector_column: Any,
        metadata_column: Any,
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> Any:
        """Tell whether a default has changed: compare the table's with the model's, both as the database reports them."""
        if rendered_metadata_default is None:
{% if cookiecutter.database == "sqlite" %}
            return super().compare_server_default(inspector_column, metadata_column, None, rendered_inspector_default)
{% else %}
            return super().compare_server_default(  # type: ignore[no-untyped-call]
                inspector_column, metadata_column, None, rendered_inspector_default
            )
{% endif %}
        try:
            reported = report_default(context.get_bind(), metadata_column)
        except DBAPIError:
            # No such table can be made yet: the default is a new value of an enum, for example.
            return True
{% if cookiecutter.database == "sqlite" %}
        # Some statements put a default in parentheses.
        return (reported or "").strip("()") != (rendered_inspector_default or "").strip("()")
{% else %}
        return reported != rendered_inspector_default
{% endif %}


def report_default(connection: Connection, column: Column[Any]) -> str | None:
    """Create a temporary table with a model's column, and return its default as the database reports it."""
    default = DefaultClause(column.server_default.arg)  # type: ignore[union-attr]
    table = Table("model_default", MetaData(), Column("value", column.type, default), prefixes=["TEMPORARY"])
{% if cookiecutter.database == "mariadb" %}
    table.create(connection)
    reported = inspect(connection).get_columns(table.name)[0]["default"]
    connection.exec_driver_sql(f"DROP TEMPORARY TABLE {table.name}")
{% else %}
    with connection.begin_nested() as savepoint:
        table.create(connection)
        reported = inspect(connection).get_columns(table.name)[0]["default"]
        savepoint.rollback()
{% endif %}
    return reported


{% if cookiecutter.database == "mariadb" %}
def keep_indexes_of_dropped_tables(_context: Any, _revision: Any, scripts: list[MigrationScript]) -> None:
    """Let DROP TABLE drop its indexes: MariaDB refuses to drop one that a foreign key needs."""
    for operations in (scripts[0].upgrade_ops, scripts[0].downgrade_ops):
        changes = operations.ops if operations else []
        dropped = {change.table_name for change in changes if isinstance(change, DropTableOp)}
        for change in changes:
            if isinstance(change, ModifyTableOps) and change.table_name in dropped:
                change.ops = [part for part in change.ops if not isinstance(part, DropIndexOp)]


{% endif %}
def find_unknown(connection: Connection) -> set[str]:
    """Return the revisions of the database that this version of the service has no migration for."""
    known = {script.revision for script in context.script.walk_revisions()}
    current = set(MigrationContext.configure(connection).get_current_heads())
    # End the transaction of this query: Alembic begins its own.
    connection.rollback()
    return current - known


def migrate(connection: Connection) -> None:
    """Run the command that Alembic was started with."""
    # Production migrates with `-x newer=ok`: after a rollback, the database is ahead of the code.
    if "newer" in context.get_x_argument(as_dictionary=True) and (unknown := find_unknown(connection)):
        logger.warning("nothing to migrate: the database is at %s, newer than this version", ", ".join(unknown))
        return
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=True,
{% if cookiecutter.database == "mariadb" %}
        process_revision_directives=keep_indexes_of_dropped_tables,
{% endif %}
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
def begin(connection: Connection) -> None:
    """Begin a transaction, which Python's driver doesn't do before CREATE and ALTER.

    IMMEDIATE: wait for other writers now. Between the first read and the first write, SQLite would not wait.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def main(settings: Settings) -> None:
    """Connect and migrate."""
    # Not the application's engine: checking foreign keys would delete or refuse rows that refer to a table being copied.
    engine = create_async_engine(settings.database_url, poolclass=NullPool, connect_args={"isolation_level": None})
    event.listen(engine.sync_engine, "begin", begin)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
{% else %}
async def main(settings: Settings) -> None:
    """Connect and migrate."""
    # Not the application's engine: a migration may take longer than a request.
    engine = create_async_engine(settings.database_url, poolclass=NullPool, connect_args=CONNECT_ARGS)
    try:
        connection = await engine.connect()
    except OperationalError as error:
        sys.exit(f"database: {error.orig}")
    async with aclosing(connection):
        await connection.run_sync(migrate)
        await connection.commit()
{% endif %}


settings = load_settings()
logging.config.dictConfig(logs.config(settings))
import_models()
asyncio.run(main(settings))
