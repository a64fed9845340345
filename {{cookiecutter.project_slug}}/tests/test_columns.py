"""Times come back from the database as they were stored."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, select
from sqlalchemy.exc import StatementError

from app.columns import UtcDateTime
from tests.migrating import run

TABLE = Table("columns", MetaData(), Column("at", UtcDateTime), prefixes=["TEMPORARY"])
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("hours", [-3, 0, 2])
def test_time_is_the_same_instant(hours: int) -> None:
    """A time with any offset comes back as the same instant, in UTC."""

    def store_and_read(connection: Connection) -> None:
        TABLE.create(connection)
        connection.execute(TABLE.insert().values(at=NOON.astimezone(timezone(timedelta(hours=hours)))))
        at = connection.scalar(select(TABLE.c.at))
        assert isinstance(at, datetime)
        assert (at, at.tzinfo) == (NOON, UTC)
        TABLE.drop(connection)

    run(store_and_read)


def test_naive_time_is_refused() -> None:
    """A time without a time zone is refused before it reaches the database."""

    def store(connection: Connection) -> None:
        with pytest.raises(StatementError, match="has no time zone"):
            connection.execute(TABLE.insert().values(at=NOON.replace(tzinfo=None)))

    run(store)


def test_times_in_sql() -> None:
{% if cookiecutter.database == "postgresql" %}
    """SQL compares times, and adds to them."""
{% else %}
    """SQL compares times; a sum, which this database can't write with a timedelta, is refused."""
{% endif %}

    def compare_and_add(connection: Connection) -> None:
        TABLE.create(connection)
        connection.execute(TABLE.insert().values(at=NOON))
        assert connection.scalars(select(TABLE.c.at).where(TABLE.c.at > NOON - DAY)).all() == [NOON]
        assert connection.scalars(select(TABLE.c.at).where(TABLE.c.at < NOON - DAY)).all() == []
{% if cookiecutter.database == "postgresql" %}
        assert connection.scalar(select(TABLE.c.at + DAY)) == NOON + DAY
        assert connection.scalars(select(TABLE.c.at).where(TABLE.c.at + DAY < NOON)).all() == []
{% else %}
        with pytest.raises(StatementError, match="compute times in Python"):
            connection.scalar(select(TABLE.c.at + DAY))
{% endif %}
        TABLE.drop(connection)

    run(compare_and_add)
