"""The job of a report, which runs in the worker."""

import asyncio
from typing import Any

from app import database
from app.products import catalogue
from app.settings import load_settings


def summarise_catalogue() -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
    # RQ calls a plain function, in a process of its own: it needs its own event loop and its own connection.
    return asyncio.run(summarise())


async def summarise() -> dict[str, Any]:
    """Ask the catalogue."""
    async with database.standalone_session(load_settings()) as session:
        return await catalogue.summarise(session)
