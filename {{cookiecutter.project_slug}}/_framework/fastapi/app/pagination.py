"""Pages of a list: what a client asks for, and the part of the answer that every list has."""

from pydantic import BaseModel, Field


class PageQuery(BaseModel):
    """Which page of a list to return."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=20, ge=1, le=100)


class Page(BaseModel):
    """A page of a list; add `items`."""

    page: int
    page_size: int
    total: int = Field(description="The number of items on all pages.")
