"""The column type of times, and the clock."""

from datetime import UTC, datetime
{% if cookiecutter.database == "postgresql" %}
from typing import Any
{% endif %}

from sqlalchemy import DateTime, Dialect
{% if cookiecutter.database == "postgresql" %}
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine
{% else %}
from sqlalchemy.types import TypeDecorator
{% endif %}


class UtcDateTime(TypeDecorator[datetime]):
{% if cookiecutter.database == "postgresql" %}
    """A point in time, read in UTC whatever the time zone of the connection."""
{% else %}
    """A point in time, stored in UTC and read as an aware datetime: {{ "SQLite" if cookiecutter.database == "sqlite" else "MariaDB" }} stores no time zone."""
{% endif %}

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Convert a time to UTC; raise ValueError for a naive one, which could mean any time zone."""
        if value is None:
            return None
{% if cookiecutter.database != "postgresql" %}
        # SQLAlchemy would write `column + timedelta` as a sum of two dates, which is a meaningless number.
        if not isinstance(value, datetime):
            raise TypeError(f"{value!r} is not a time: compute times in Python, utc_now() - timedelta(days=1)")
{% endif %}
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        if value is None:
            return None
{% if cookiecutter.database == "postgresql" %}
        return value.astimezone(UTC)

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """Send other values, such as the timedelta in `column + timedelta(days=1)`, with their own type."""
        return self if isinstance(value, datetime) else self.impl_instance.coerce_compared_value(op, value)
{% else %}
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
{% endif %}


def utc_now() -> datetime:
{% if cookiecutter.database == "mariadb" %}
    """Return the current time in UTC, to the second: MariaDB's DATETIME has no fractions."""
{% else %}
    """Return the current time in UTC, to the second: fractions make the API's times harder to read."""
{% endif %}
    return datetime.now(UTC).replace(microsecond=0)
