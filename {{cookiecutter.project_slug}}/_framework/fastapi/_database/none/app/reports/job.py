"""The job that the worker runs."""

from typing import Any

from app.products import catalogue


def summarise_catalogue() -> dict[str, Any]:
    """Return the number of products and the value of the stock."""
    return catalogue.summarise()
