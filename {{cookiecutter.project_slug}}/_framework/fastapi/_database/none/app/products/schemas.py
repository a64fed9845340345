"""The JSON of products."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from app.dependencies import PageQuery

ProductId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class ProductOutput(BaseModel):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str
    price: Decimal
    stock: int
    created_at: datetime
    updated_at: datetime


class ProductPage(PageQuery):
    """A page of the list of products."""

    items: list[ProductOutput]
    total: int
