"""The catalogue: products in the database."""

import logging
from collections.abc import Sequence
from decimal import Decimal
{% if "queue" in cookiecutter.redis %}
from typing import Any

from sqlalchemy import func, select, type_coerce
{% else %}

from sqlalchemy import func, select
{% endif %}
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

{% if "queue" in cookiecutter.redis %}
from app.columns import Money
{% endif %}
from app.products.models import Product
from app.products.schemas import ProductInput

logger = logging.getLogger(__name__)

SAMPLE = (
    {"name": "Notebook", "description": "Dotted, 160 pages", "price": Decimal("12.50"), "stock": 40},
    {"name": "Fountain pen", "description": "Medium nib", "price": Decimal("34.00"), "stock": 12},
    {"name": "Ink", "description": "Blue-black, 50 ml", "price": Decimal("9.90"), "stock": 25},
)


async def find_page(session: AsyncSession, page: int, page_size: int) -> tuple[Sequence[Product], int]:
    """Return a page of products, oldest first, and the number of all products."""
    total = await session.scalar(select(func.count(Product.id)))
    products = await session.scalars(
        select(Product).order_by(Product.id).limit(page_size).offset((page - 1) * page_size)
    )
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


async def replace(session: AsyncSession, product: Product, values: ProductInput) -> Product:
    """Give a product new values."""
    for name, value in values.model_dump().items():
        setattr(product, name, value)
    await session.commit()
    return product


async def remove(session: AsyncSession, product: Product) -> None:
    """Delete a product."""
    await session.delete(product)
    await session.commit()
{% if "queue" in cookiecutter.redis %}


async def summarise(session: AsyncSession) -> dict[str, Any]:
    """Return the number of products and the value of the stock."""
    stock_value = type_coerce(func.sum(Product.price * Product.stock), Money)
    count, value = (await session.execute(select(func.count(Product.id), stock_value))).one()
    return {"products": count, "stock_value": str(value or Decimal("0.00"))}
{% endif %}


async def add_sample(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Store the sample products, unless there are products already."""
    try:
        async with sessions() as session:
            if await session.scalar(select(Product).limit(1)) is None:
                session.add_all(Product(**values) for values in SAMPLE)
                await session.commit()
    except SQLAlchemyError as error:
        logger.warning("no sample products: %s", error)
