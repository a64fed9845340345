"""The products over HTTP."""

from http import HTTPStatus
from typing import Any

{% if "cache" in cookiecutter.redis %}
from flask import Response, abort
{% else %}
from flask import abort
{% endif %}

from app.api import Blueprint
{% if "cache" in cookiecutter.redis %}
from app.cache import current_cache
{% endif %}
from app.fields import MAX_INTEGER
from app.pagination import PageQuerySchema
from app.products import catalogue
from app.products.catalogue import Product
from app.products.schemas import ProductPageSchema, ProductSchema

blueprint = Blueprint("products", __name__, url_prefix="/products", description="The catalogue, read-only")


@blueprint.get("")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(HTTPStatus.OK, ProductPageSchema)
def list_products(query: dict[str, int]) -> dict[str, Any]:
    """List products, page by page."""
    return catalogue.list_page(**query)


@blueprint.get(f"/<int(max={MAX_INTEGER}):product_id>")
@blueprint.response(HTTPStatus.OK, ProductSchema)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
{% if "cache" in cookiecutter.redis %}
def get_product(product_id: int) -> Response:
    """Return a product; the header X-Cache says whether it came from the cache (HIT or MISS)."""
    cache, key = current_cache(), f"product:{product_id}"
    body = cache.get(key)
    x_cache = "HIT" if body else "MISS"
    if not body:
        body = ProductSchema().dumps(get_or_404(product_id))
        cache.set(key, body)
    return Response(body, mimetype="application/json", headers={"X-Cache": x_cache})
{% else %}
def get_product(product_id: int) -> Product:
    """Return a product."""
    return get_or_404(product_id)
{% endif %}


def get_or_404(product_id: int) -> Product:
    """Return a product; abort with 404 if there is none."""
    product = catalogue.find(product_id)
    if product is None:
        abort(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product
