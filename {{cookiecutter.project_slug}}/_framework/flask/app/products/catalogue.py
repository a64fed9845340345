"""The catalogue: how products are stored and found."""

from collections.abc import Mapping
from typing import Any

{% if "queue" in cookiecutter.redis and cookiecutter.database == "sqlite" %}
from sqlalchemy import func, select
{% elif "queue" in cookiecutter.redis %}
from sqlalchemy import Numeric, cast, func, select
{% else %}
from sqlalchemy import select
{% endif %}

from app.database import db
from app.products.models import Product


def list_page(page: int, page_size: int) -> dict[str, Any]:
    """Return a page of products, oldest first, and how many there are."""
    pagination = db.paginate(select(Product).order_by(Product.id), page=page, per_page=page_size, error_out=False)
    return {"items": pagination.items, "page": page, "page_size": page_size, "total": pagination.total}


def get_or_404(product_id: int) -> Product:
    """Return a product; abort with 404 if there is none."""
    return db.get_or_404(Product, product_id, description=f"There is no product {product_id}.")


def add(values: Mapping[str, Any]) -> Product:
    """Store a new product."""
    product = Product(**values)
    db.session.add(product)
    db.session.commit()
    return product


def update(product: Product, values: Mapping[str, Any]) -> None:
    """Change a product."""
    for name, value in values.items():
        setattr(product, name, value)
    db.session.commit()


def remove(product: Product) -> None:
    """Delete a product."""
    db.session.delete(product)
    db.session.commit()
{% if "queue" in cookiecutter.redis %}


def summarise() -> dict[str, Any]:
    """Return the number of products and the value of their stock."""
{% if cookiecutter.database == "sqlite" %}
    value = func.sum(Product.price_cents * Product.stock)
{% else %}
    # As decimal numbers: large integers would overflow.
    value = func.sum(Product.price_cents * cast(Product.stock, Numeric(20)))
{% endif %}
    products, cents = db.session.execute(select(func.count(Product.id), value)).one()
    return {"products": products, "stock_value": f"{(cents or 0) / 100:.2f}"}
{% endif %}
