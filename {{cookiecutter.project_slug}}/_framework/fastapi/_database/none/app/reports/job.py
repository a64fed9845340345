"""The job of a report, which runs in the worker."""

from typing import Any

from app.products import catalogue


def summarise_catalogue() -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
    return catalogue.summarise()
