"""The reports as JSON."""

from typing import Any, Literal

from pydantic import BaseModel


class Report(BaseModel):
    """A report and its progress."""

    id: str
    status: Literal["queued", "started", "finished", "failed"]
    result: dict[str, Any] | None
