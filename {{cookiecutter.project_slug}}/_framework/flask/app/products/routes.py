"""The products over HTTP."""

from http import HTTPStatus
from typing import Any

{% if "cache" in cookiecutter.redis %}
from flask import Response, url_for
{% else %}
from flask import url_for
{% endif %}

from app.api import Blueprint
{% if "cache" in cookiecutter.redis %}
from app.cache import current_cache
{% endif %}
from app.fields import MAX_INTEGER
from app.pagination import PageQuerySchema
from app.products import catalogue
from app.products.models import Product
from app.products.schemas import ProductInputSchema, ProductPageSchema, ProductSchema

blueprint = Blueprint("products", __name__, url_prefix="/products", description="The catalogue")

PRODUCT_PATH = f"/<int(max={MAX_INTEGER}):product_id>"


@blueprint.get("")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(HTTPStatus.OK, ProductPageSchema)
def list_products(query: dict[str, int]) -> dict[str, Any]:
    """List products, page by page."""
    return catalogue.list_page(**query)


@blueprint.post("")
@blueprint.arguments(ProductInputSchema)
@blueprint.response(HTTPStatus.CREATED, ProductSchema)
def create_product(values: dict[str, Any]) -> tuple[Product, dict[str, str]]:
    """Create a product."""
    product = catalogue.add(values)
    return product, {"Location": url_for(".get_product", product_id=product.id)}


@blueprint.get(PRODUCT_PATH)
@blueprint.response(HTTPStatus.OK, ProductSchema)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
{% if "cache" in cookiecutter.redis %}
def get_product(product_id: int) -> Response:
    """Return a product; the header X-Cache says whether it came from the cache (HIT or MISS)."""
    cache, key = current_cache(), cache_key(product_id)
    body = cache.get(key)
    x_cache = "HIT" if body else "MISS"
    if not body:
        body = ProductSchema().dumps(catalogue.get_or_404(product_id))
        cache.set(key, body)
    return Response(body, mimetype="application/json", headers={"X-Cache": x_cache})
{% else %}
def get_product(product_id: int) -> Product:
    """Return a product."""
    return catalogue.get_or_404(product_id)
{% endif %}


@blueprint.put(PRODUCT_PATH)
@blueprint.arguments(ProductInputSchema)
@blueprint.response(HTTPStatus.OK, ProductSchema)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
def update_product(values: dict[str, Any], product_id: int) -> Product:
    """Change a product."""
    product = catalogue.get_or_404(product_id)
{% if "cache" in cookiecutter.redis %}
    try:
        catalogue.update(product, values)
    finally:
        # After an error too: the database may have committed before the connection broke.
        current_cache().delete(cache_key(product_id))
{% else %}
    catalogue.update(product, values)
{% endif %}
    return product


@blueprint.delete(PRODUCT_PATH)
@blueprint.response(HTTPStatus.NO_CONTENT)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
def delete_product(product_id: int) -> None:
    """Delete a product."""
{% if "cache" in cookiecutter.redis %}
    product = catalogue.get_or_404(product_id)
    try:
        catalogue.remove(product)
    finally:
        current_cache().delete(cache_key(product_id))
{% else %}
    catalogue.remove(catalogue.get_or_404(product_id))
{% endif %}
{% if "cache" in cookiecutter.redis %}


def cache_key(product_id: int) -> str:
    """Return the key under which a product is cached, as JSON."""
    return f"product:{product_id}"
{% endif %}
