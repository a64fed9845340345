"""The migrations lead to the models, and run on tables that have rows."""

{% if cookiecutter.database != "mariadb" %}
import os
{% endif %}
import uuid
from argparse import Namespace
from collections.abc import Iterator
{% if cookiecutter.database == "postgresql" %}
from datetime import date, datetime, time, timedelta
{% else %}
from datetime import date, datetime, time
{% endif %}
from decimal import Decimal
{% if cookiecutter.database != "mariadb" %}
from pathlib import Path
{% endif %}
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
{% if cookiecutter.database == "postgresql" %}
from alembic.runtime.environment import EnvironmentContext
{% endif %}
from alembic.util import CommandError
{% if cookiecutter.database == "mariadb" %}
from sqlalchemy import Column, Connection, Enum, MetaData, func, select, text
{% else %}
from sqlalchemy import Column, Connection, Enum, MetaData, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
{% endif %}

from tests.migrating import CONFIG, SCRIPTS, run

# As the service `migrate` does in production
NEWER_OK = Config("migrations/alembic.ini", cmd_opts=Namespace(x=["newer=ok"]))
# Values for tables whose constraints refuse made-up ones, for example {"orders": {"state": "open"}}
ROWS: dict[str, dict[str, Any]] = {}
{% if cookiecutter.database != "mariadb" %}
FAILS_HALF_WAY = f"""
import sqlalchemy as sa
from alembic import op

revision = "half"
down_revision = {SCRIPTS.get_current_head()!r}

def upgrade():
    op.create_table("halves", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("missing", sa.Column("half", sa.Integer()))

def downgrade():
    op.drop_table("halves")
"""
{% endif %}


@pytest.fixture
def empty_database() -> Iterator[None]:
    """Revert all migrations, and leave an empty database for other tests."""
    command.downgrade(CONFIG, "base")
    yield
    command.downgrade(CONFIG, "base")
    command.upgrade(CONFIG, "head")


def test_models_have_migrations() -> None:
    """Every change of the models has a migration: `make migration` writes one."""
    command.check(CONFIG)


@pytest.mark.usefixtures("empty_database")
def test_migrations_keep_rows() -> None:
    """Every migration runs, up and down, while all tables have rows; on its way up it deletes none.

    A required column is the usual reason for a failure: rows that exist have no value for it. Give it a server_default.
    """
    for script in reversed(list(SCRIPTS.walk_revisions())):
        before = count_rows()
        command.upgrade(CONFIG, script.revision)
        after = count_rows()
        # A table that is gone was dropped on purpose.
        assert [name for name, rows in before.items() if after.get(name, rows) != rows] == []
        run(add_rows)
    command.downgrade(CONFIG, "base")
    command.upgrade(CONFIG, "head")
{% if cookiecutter.database != "mariadb" %}


def test_failed_migration_leaves_nothing(tmp_path: Path) -> None:
    """Nothing stays of a migration that fails half way, so it runs after a correction."""
    config = Config("migrations/alembic.ini")
    config.set_main_option("version_locations", f"migrations/versions{os.pathsep}{tmp_path}")
    migration = tmp_path / "half.py"
    migration.write_text(FAILS_HALF_WAY, encoding="utf-8")
    with pytest.raises(DBAPIError):
        command.upgrade(config, "head")
    tables: list[str] = []
    run(lambda connection: tables.extend(inspect(connection).get_table_names()))
    assert "halves" not in tables
    migration.write_text(FAILS_HALF_WAY.replace("missing", "halves"), encoding="utf-8")
    command.upgrade(config, "head")
    command.downgrade(config, "-1")
{% endif %}


@pytest.mark.usefixtures("empty_database")
def test_newer_database() -> None:
    """After a rollback, production leaves a database as it is that a newer version has migrated."""
    command.upgrade(CONFIG, "head")
    run(lambda connection: connection.execute(text("INSERT INTO alembic_version VALUES ('newer')")))
    command.upgrade(NEWER_OK, "head")
    with pytest.raises(CommandError, match="Can't locate revision"):
        command.upgrade(CONFIG, "head")
    run(lambda connection: connection.execute(text("DELETE FROM alembic_version WHERE version_num = 'newer'")))
{% if cookiecutter.database in ("postgresql", "mariadb") %}


def test_locked_table() -> None:
    """A migration gives up on a locked table after seconds: everybody else would wait behind it."""
    limits: list[Any] = []
{% if cookiecutter.database == "postgresql" %}
    run(lambda connection: limits.append(connection.scalar(text("SHOW lock_timeout"))))
    assert limits == ["5s"]
{% else %}
    run(lambda connection: limits.append(connection.scalar(text("SELECT @@lock_wait_timeout"))))
    assert limits == [5]
{% endif %}
{% endif %}
{% if cookiecutter.database == "postgresql" %}


def test_migration_outside_of_a_transaction() -> None:
    """A migration can leave the transaction, as CREATE INDEX CONCURRENTLY has to."""

    def migrations(_revision: Any, context: Any) -> list[Any]:
        with context.autocommit_block():
            context.execute("SELECT 1")
        return []

    with EnvironmentContext(NEWER_OK, SCRIPTS, fn=migrations):
        SCRIPTS.run_env()
{% endif %}


def count_rows() -> dict[str, int]:
    """Return how many rows each table has."""
    counts: dict[str, int] = {}

    def count(connection: Connection) -> None:
        metadata = MetaData()
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            if table.name != "alembic_version":
                counts[table.name] = connection.scalar(select(func.count()).select_from(table)) or 0

    run(count)
    return counts


def add_rows(connection: Connection) -> None:
    """Add two rows to every empty table, with values for required columns only."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name == "alembic_version" or connection.scalar(select(func.count()).select_from(table)):
            continue
        required = [column for column in table.columns if not column.nullable and column.server_default is None]
        for number in (1, 2):
            values = {column.name: make_value(column, number) for column in required}
            connection.execute(table.insert().values(values | ROWS.get(table.name, {})))


def make_value(column: Column[Any], number: int) -> Any:
    """Return a value of the column's type; the same number gives the same value, so that foreign keys match."""
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    values: dict[type, Any] = {
        bool: True,
        bytes: bytes([number]),
        date: date(2026, 1, number),
        datetime: datetime(2026, 1, number),
        Decimal: Decimal(number),
        float: float(number),
        int: number,
{% if cookiecutter.database == "postgresql" %}
        list: [],
{% endif %}
        object: {},  # JSON
        str: str(number),
        time: time(number),
{% if cookiecutter.database == "postgresql" %}
        timedelta: timedelta(number),
{% endif %}
        uuid.UUID: uuid.UUID(int=number),
    }
    return values[column.type.python_type]
