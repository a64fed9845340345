"""The tables."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import BigInteger, DateTime, Dialect, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Cents(TypeDecorator[Decimal]):
    """An amount of money, stored as a whole number of cents: exact in every calculation."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _dialect: Dialect) -> int | None:
        """Turn the amount into cents."""
        return None if value is None else int(value.scaleb(2))

    def process_result_value(self, value: int | None, _dialect: Dialect) -> Decimal | None:
        """Turn cents into the amount, always with two places."""
        return None if value is None else Decimal(value).scaleb(-2)


{% if cookiecutter.database != "postgresql" %}
class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, in a database that keeps no time zones."""

    impl = DateTime
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Say which time zone it is in."""
        return None if value is None else value.replace(tzinfo=UTC)


{% endif %}
def now() -> datetime:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


class Base(DeclarativeBase):
    """What every table has in common."""

{% if cookiecutter.database == "postgresql" %}
    type_annotation_map: ClassVar = {Decimal: Cents, datetime: DateTime(timezone=True)}
{% else %}
    type_annotation_map: ClassVar = {Decimal: Cents, datetime: UtcDateTime}
{% endif %}


class Product(Base):
    """A product of the catalogue."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000))
    price: Mapped[Decimal]
    stock: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
