"""Money and times come back from the database as they were stored."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, select
from sqlalchemy.exc import StatementError

from app.columns import Money, UtcDateTime
from tests.migrating import run

TABLE = Table("columns", MetaData(), Column("price", Money), Column("at", UtcDateTime), prefixes=["TEMPORARY"])
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize("price", [Decimal("0.01"), Decimal("19.9"), Decimal("9999999999.99")])
def test_money_is_exact(price: Decimal) -> None:
    """An amount comes back unchanged, with two decimal places."""

    def store_and_read(connection: Connection) -> None:
        TABLE.create(connection)
        connection.execute(TABLE.insert().values(price=price))
        assert str(connection.scalar(select(TABLE.c.price))) == f"{price:.2f}"
        TABLE.drop(connection)

    run(store_and_read)


@pytest.mark.usefixtures("services")
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


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    "value", [{"price": Decimal("0.001")}, {"at": NOON.replace(tzinfo=None)}], ids=["money", "time"]
)
def test_ambiguous_value_is_refused(value: dict[str, object]) -> None:
    """A fraction of a cent and a time without a time zone are refused before they reach the database."""

    def store(connection: Connection) -> None:
        with pytest.raises(StatementError, match=r"more than two decimal places|no time zone"):
            connection.execute(TABLE.insert().values(value))

    run(store)
