"""The catalogue over HTTP."""

from http import HTTPStatus
from typing import Any

{% if "cache" in cookiecutter.redis %}
from flask import Response, abort, url_for
{% else %}
from flask import abort, url_for
{% endif %}
from flask_smorest import Blueprint

{% if "cache" in cookiecutter.redis %}
from app import cache, catalogue
{% else %}
from app import catalogue
{% endif %}
from app.models import Product
from app.problems import Problem
from app.schemas import PageInput, ProductInput, ProductOutput, ProductPage

blueprint = Blueprint("products", __name__, url_prefix="/products", description="The catalogue")


@blueprint.get("")
@blueprint.arguments(PageInput, location="query")
@blueprint.response(HTTPStatus.OK, ProductPage)
def index(part: dict[str, int]) -> dict[str, Any]:
    """List the products, page by page."""
    items, total = catalogue.page(part["page"], part["page_size"])
    return {"items": items, **part, "total": total}


@blueprint.post("")
@blueprint.arguments(ProductInput)
@blueprint.response(HTTPStatus.CREATED, ProductOutput)
def create(values: dict[str, Any]) -> tuple[Product, int, dict[str, str]]:
    """Add a product."""
    product = catalogue.add(values)
    return product, HTTPStatus.CREATED, {"Location": url_for("products.show", product_id=product.id)}


@blueprint.get("/<int:product_id>")
@blueprint.response(HTTPStatus.OK, ProductOutput)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, schema=Problem)
{% if "cache" in cookiecutter.redis %}
def show(product_id: int) -> Response:
    """Return one product; `X-Cache` says whether it came from the cache."""
    return cache.answer(product_id, lambda: ProductOutput().dumps(found(product_id)))
{% else %}
def show(product_id: int) -> Product:
    """Return one product."""
    return found(product_id)
{% endif %}


@blueprint.put("/<int:product_id>")
@blueprint.arguments(ProductInput)
@blueprint.response(HTTPStatus.OK, ProductOutput)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, schema=Problem)
def update(values: dict[str, Any], product_id: int) -> Product:
    """Give a product new values."""
{% if "cache" in cookiecutter.redis %}
    product = found(product_id)
    try:
        return catalogue.replace(product, values)
    finally:
        # Also where the database's answer was lost: it may have been stored.
        cache.forget(product_id)
{% else %}
    return catalogue.replace(found(product_id), values)
{% endif %}


@blueprint.delete("/<int:product_id>")
@blueprint.response(HTTPStatus.NO_CONTENT)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, schema=Problem)
def delete(product_id: int) -> None:
    """Remove a product."""
{% if "cache" in cookiecutter.redis %}
    product = found(product_id)
    try:
        catalogue.remove(product)
    finally:
        cache.forget(product_id)
{% else %}
    catalogue.remove(found(product_id))
{% endif %}


def found(product_id: int) -> Product:
    """Return the product, or answer 404."""
    return catalogue.find(product_id) or abort(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
