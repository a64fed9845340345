"""The catalogue: products, stored and found again."""

from collections.abc import Mapping, Sequence
{% if "queue" in cookiecutter.redis %}
from decimal import Decimal
{% endif %}
from typing import Any

{% if "queue" in cookiecutter.redis %}
from sqlalchemy import func, select, type_coerce
{% else %}
from sqlalchemy import func, select
{% endif %}
from sqlalchemy.ext.asyncio import AsyncSession

{% if "queue" in cookiecutter.redis %}
from app.models import Cents, Product
{% else %}
from app.models import Product
{% endif %}

LARGEST_ID = 2**31 - 1


async def page(session: AsyncSession, number: int, size: int) -> tuple[Sequence[Product], int]:
    """Return a page of products, oldest first, and how many products there are in all."""
    total = await session.scalar(select(func.count(Product.id)))
    products = await session.scalars(select(Product).order_by(Product.id).limit(size).offset((number - 1) * size))
    return products.all(), total or 0


async def find(session: AsyncSession, product_id: int) -> Product | None:
    """Return the product with this id."""
    return await session.get(Product, product_id) if product_id <= LARGEST_ID else None


async def add(session: AsyncSession, values: Mapping[str, Any]) -> Product:
    """Store a new product."""
    product = Product(**values)
    session.add(product)
    await session.commit()
    return product


async def replace(session: AsyncSession, product: Product, values: Mapping[str, Any]) -> Product:
    """Give a product new values."""
    for name, value in values.items():
        setattr(product, name, value)
    await session.commit()
    return product


async def remove(session: AsyncSession, product: Product) -> None:
    """Delete a product."""
    await session.delete(product)
    await session.commit()
{% if "queue" in cookiecutter.redis %}


async def summary(session: AsyncSession) -> dict[str, Any]:
    """Return how many products there are, and what all that is in stock is worth."""
    worth = type_coerce(func.sum(Product.price * Product.stock), Cents)
    count, value = (await session.execute(select(func.count(Product.id), worth))).one()
    return {"products": count, "stock_value": str(value or Decimal("0.00"))}
{% endif %}
