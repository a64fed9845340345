"""The table of products."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.columns import utc_now
from app.database import Base


class Product(Base):
    """A product."""

    __tablename__ = "products"
{% if cookiecutter.database == "sqlite" %}
    # Never give the id of a deleted product to another one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 # SQLAlchemy declares it this way
{% endif %}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000))
    # In whole cents: SQL computes exactly with them.
    price_cents: Mapped[int] = mapped_column(BigInteger)
    stock: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
