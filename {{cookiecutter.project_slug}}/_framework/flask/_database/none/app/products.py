"""The catalogue over HTTP."""

from http import HTTPStatus
from typing import Any

{% if "cache" in cookiecutter.redis %}
from flask import Response, abort
{% else %}
from flask import abort
{% endif %}
from flask_smorest import Blueprint

{% if "cache" in cookiecutter.redis %}
from app import cache, catalogue
{% else %}
from app import catalogue
{% endif %}
from app.catalogue import Product
from app.problems import Problem
from app.schemas import PageInput, ProductOutput, ProductPage

blueprint = Blueprint("products", __name__, url_prefix="/products", description="The catalogue, read-only")


@blueprint.get("")
@blueprint.arguments(PageInput, location="query")
@blueprint.response(HTTPStatus.OK, ProductPage)
def index(part: dict[str, int]) -> dict[str, Any]:
    """List the products, page by page."""
    items, total = catalogue.page(part["page"], part["page_size"])
    return {"items": items, **part, "total": total}


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


def found(product_id: int) -> Product:
    """Return the product, or answer 404."""
    return catalogue.find(product_id) or abort(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
