"""The products as JSON."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.fields import MoneyOutput
from app.pagination import Page


class ProductOutput(BaseModel):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str
    price_cents: Annotated[MoneyOutput, Field(serialization_alias="price")]
    stock: int
    created_at: datetime
    updated_at: datetime


class ProductPage(Page):
    """A page of products."""

    items: list[ProductOutput]
