"""The JSON of products."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from app.dependencies import PageQuery

MAX_INTEGER = 2**31 - 1
# No database stores the NUL character.
TEXT = r"^[^\x00]*$"
PRICE = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"


def parse_price(value: Any) -> Decimal:
    """Return the price with two places; Decimal() itself also takes "1_0", " 1" and "1e3"."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not re.fullmatch(PRICE, value):
        raise ValueError('must be a string such as "19.99"')
    return Decimal(value).quantize(Decimal("0.01"))


Price = Annotated[
    Decimal,
    BeforeValidator(parse_price),
    WithJsonSchema({"type": "string", "pattern": PRICE, "examples": ["19.99"]}),
]
ProductId = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


class ProductInput(BaseModel):
    """What a client says of a product; other fields are ignored, so the body of a GET can be PUT back."""

    name: str = Field(min_length=1, max_length=200, pattern=TEXT)
    description: str = Field(default="", max_length=2000, pattern=TEXT)
    price: Price
    stock: int = Field(default=0, ge=0, le=MAX_INTEGER, strict=True)


class ProductOutput(ProductInput):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime


class ProductPage(PageQuery):
    """A page of the list of products."""

    items: list[ProductOutput]
    total: int
