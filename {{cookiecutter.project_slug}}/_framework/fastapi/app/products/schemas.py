"""The products as JSON."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.fields import MAX_INTEGER, MoneyInput, MoneyOutput, NumberOnly, Text
from app.pagination import Page


class ProductInput(BaseModel):
    """A product as a client sends it. Other fields are ignored, so that the body of a GET can be PUT back."""

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    description: Annotated[Text, Field(max_length=2000)] = ""
    price_cents: Annotated[MoneyInput, Field(validation_alias="price")]
    stock: Annotated[int, Field(ge=0, le=MAX_INTEGER), NumberOnly] = 0


class ProductOutput(ProductInput):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    price_cents: Annotated[MoneyOutput, Field(serialization_alias="price")]
    created_at: datetime
    updated_at: datetime


class ProductPage(Page):
    """A page of products."""

    items: list[ProductOutput]
