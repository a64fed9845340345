"""The products as JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.fields import Money
from app.pagination import Page


class ProductOutput(BaseModel):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str
    price: Money
    stock: int
    created_at: datetime
    updated_at: datetime


class ProductPage(Page):
    """A page of products."""

    items: list[ProductOutput]
