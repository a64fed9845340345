"""Sample data for development: `python -m app.products.samples`, which compose.yaml runs after the migrations."""

import asyncio

from sqlalchemy import select

from app import database
from app.products.models import Product
from app.settings import load_settings

SAMPLES = [
    {"name": "Notebook", "description": "Dotted, 160 pages", "price_cents": 1250, "stock": 40},
    {"name": "Fountain pen", "description": "Medium nib", "price_cents": 3400, "stock": 12},
    {"name": "Ink", "description": "Blue-black, 50 ml", "price_cents": 990, "stock": 25},
]


async def main() -> None:
    """Add the samples, unless there are products already."""
    async with database.standalone_session(load_settings()) as session:
        if await session.scalar(select(Product.id).limit(1)) is None:
            session.add_all(Product(**values) for values in SAMPLES)
            await session.commit()


if __name__ == "__main__":
    asyncio.run(main())
