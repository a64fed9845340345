"""The catalogue: how products are stored and found."""

from collections.abc import Sequence
{% if "queue" in cookiecutter.redis %}
from typing import Any
{% endif %}

{% if "queue" in cookiecutter.redis and cookiecutter.database != "sqlite" %}
from sqlalchemy import Numeric, cast, func, select
{% else %}
from sqlalchemy import func, select
{% endif %}
from sqlalchemy.ext.asyncio import AsyncSession

from app.products.models import Product
from app.products.schemas import ProductInput


async def list_page(session: AsyncSession, page: int, page_size: int) -> tuple[Sequence[Product], int]:
    """Return a page of products, oldest first, and how many there are in all."""
    query = select(Product).order_by(Product.id).limit(page_size).offset((page - 1) * page_size)
    products = await session.scalars(query)
    total = await session.scalar(select(func.count(Product.id)))
    return products.all(), total or 0


async def find(session: AsyncSession, product_id: int) -> Product | None:
    """Return the product with this id."""
    return await session.get(Product, product_id)


async def add(session: AsyncSession, values: ProductInput) -> Product:
    """Store a new product."""
    product = Product(**values.model_dump())
    session.add(product)
    await session.commit()
    return product


async def update(session: AsyncSession, product: Product, values: ProductInput) -> None:
    """Change a product."""
    for name, value in values.model_dump().items():
        setattr(product, name, value)
    await session.commit()


async def remove(session: AsyncSession, product: Product) -> None:
    """Delete a product."""
    await session.delete(product)
    await session.commit()
{% if "queue" in cookiecutter.redis %}


async def summarise(session: AsyncSession) -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
{% if cookiecutter.database == "sqlite" %}
    value = func.sum(Product.price_cents * Product.stock)
{% else %}
    # As decimal numbers: large integers would overflow.
    value = func.sum(Product.price_cents * cast(Product.stock, Numeric(20)))
{% endif %}
    products, cents = (await session.execute(select(func.count(Product.id), value))).one()
    return {"products": products, "stock_value": f"{(cents or 0) / 100:.2f}"}
{% endif %}
