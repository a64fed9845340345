"""The shapes that the API takes and returns."""

from datetime import datetime
from decimal import Decimal
{% if "queue" in cookiecutter.redis %}
from typing import Annotated, Any, Literal
{% else %}
from typing import Annotated
{% endif %}

{% if cookiecutter.database != "none" %}
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

CENTS = Decimal("0.01")
LARGEST_INTEGER = 2**31 - 1

# No database stores the NUL character.
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Description = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Price = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2, examples=["19.99"]),
    AfterValidator(lambda price: abs(price).quantize(CENTS)),
]
Stock = Annotated[int, Field(ge=0, le=LARGEST_INTEGER, strict=True)]


class ProductInput(BaseModel):
    """What a client says of a product."""

    name: Name
    description: Description = ""
    price: Price
    stock: Stock = 0


class ProductOutput(ProductInput):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime
{% else %}
from pydantic import BaseModel, ConfigDict, Field


class ProductOutput(BaseModel):
    """A product."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str
    price: Annotated[Decimal, Field(examples=["19.99"])]
    stock: int
    created_at: datetime
    updated_at: datetime
{% endif %}


class PageInput(BaseModel):
    """Which part of a list a client wants."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 20


class ProductPage(PageInput):
    """A part of the list of products, and how many there are in all."""

    items: list[ProductOutput]
    total: int
{% if "queue" in cookiecutter.redis %}


class Report(BaseModel):
    """A report, and how far its making has come."""

    id: str
    status: Literal["queued", "started", "finished", "failed"]
    result: dict[str, Any] | None
{% endif %}
