"""The catalogue: a read-only sample, since there is no database."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Product:
    """A product."""

    id: int
    name: str
    description: str
    price_cents: int
    stock: int
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    updated_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)


PRODUCTS = [
    Product(1, "Notebook", "Dotted, 160 pages", 1250, 40),
    Product(2, "Fountain pen", "Medium nib", 3400, 12),
    Product(3, "Ink", "Blue-black, 50 ml", 990, 25),
]


def list_page(page: int, page_size: int) -> dict[str, Any]:
    """Return a page of products and how many there are."""
    items = PRODUCTS[(page - 1) * page_size : page * page_size]
    return {"items": items, "page": page, "page_size": page_size, "total": len(PRODUCTS)}


def find(product_id: int) -> Product | None:
    """Return a product, or None."""
    return next((product for product in PRODUCTS if product.id == product_id), None)
{% if "queue" in cookiecutter.redis %}


def summarise() -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
    cents = sum(product.price_cents * product.stock for product in PRODUCTS)
    return {"products": len(PRODUCTS), "stock_value": f"{cents / 100:.2f}"}
{% endif %}
