"""The job of a report, which runs in the worker."""

import asyncio
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app import database
from app.products import catalogue
from app.settings import load_settings


def summarise_catalogue() -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
    return asyncio.run(_summarise_catalogue())


async def _summarise_catalogue() -> dict[str, Any]:
    engine = database.create_engine(load_settings())
    try:
        async with AsyncSession(engine) as session:
            return await catalogue.summarise(session)
    finally:
        await engine.dispose()
