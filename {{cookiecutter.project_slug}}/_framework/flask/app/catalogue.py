"""The catalogue: products, stored and found again."""

from collections.abc import Mapping, Sequence
{% if "queue" in cookiecutter.redis %}
from decimal import Decimal
{% endif %}
from typing import Any

{% if "queue" in cookiecutter.redis %}
from sqlalchemy import func, select, type_coerce

from app.database import db
from app.models import Cents, Product
{% else %}
from sqlalchemy import func, select

from app.database import db
from app.models import Product
{% endif %}

LARGEST_ID = 2**31 - 1


def page(number: int, size: int) -> tuple[Sequence[Product], int]:
    """Return a page of products, oldest first, and how many products there are in all."""
    total = db.session.scalar(select(func.count(Product.id)))
    products = db.session.scalars(select(Product).order_by(Product.id).limit(size).offset((number - 1) * size))
    return products.all(), total or 0


def find(product_id: int) -> Product | None:
    """Return the product with this id."""
    return db.session.get(Product, product_id) if product_id <= LARGEST_ID else None


def add(values: Mapping[str, Any]) -> Product:
    """Store a new product."""
    product = Product(**values)
    db.session.add(product)
    db.session.commit()
    return product


def replace(product: Product, values: Mapping[str, Any]) -> Product:
    """Give a product new values."""
    for name, value in values.items():
        setattr(product, name, value)
    db.session.commit()
    return product


def remove(product: Product) -> None:
    """Delete a product."""
    db.session.delete(product)
    db.session.commit()
{% if "queue" in cookiecutter.redis %}


def summary() -> dict[str, Any]:
    """Return how many products there are, and what all that is in stock is worth."""
    worth = type_coerce(func.sum(Product.price * Product.stock), Cents)
    count, value = db.session.execute(select(func.count(Product.id), worth)).one()
    return {"products": count, "stock_value": str(value or Decimal("0.00"))}
{% endif %}
