"""Sample data for development: `python -m app.products.samples`, which compose.yaml runs after the migrations."""

import asyncio
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import create_engine
from app.products.models import Product
from app.settings import load_settings

SAMPLES = [
    {"name": "Notebook", "description": "Dotted, 160 pages", "price": Decimal("12.50"), "stock": 40},
    {"name": "Fountain pen", "description": "Medium nib", "price": Decimal("34.00"), "stock": 12},
    {"name": "Ink", "description": "Blue-black, 50 ml", "price": Decimal("9.90"), "stock": 25},
]


async def main() -> None:
    """Add the samples, unless there are products already."""
    engine = create_engine(load_settings())
    async with AsyncSession(engine) as session:
        if await session.scalar(select(Product.id).limit(1)) is None:
            session.add_all(Product(**values) for values in SAMPLES)
            await session.commit()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
