"""The job of a report, which runs in the worker."""

from typing import Any

from flask import current_app

from app.products import catalogue


def summarise_catalogue() -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
    # A context of its own closes the database session at the end: the worker's outlives the job.
    with current_app.app_context():
        return catalogue.summarise()
