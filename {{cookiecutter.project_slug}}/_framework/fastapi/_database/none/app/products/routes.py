"""The products over HTTP."""

from http import HTTPStatus
from typing import Any

{% if "cache" in cookiecutter.redis %}
from fastapi import APIRouter, HTTPException, Response

from app.dependencies import CacheDep, PaginationDep
{% else %}
from fastapi import APIRouter, HTTPException

from app.dependencies import PaginationDep
{% endif %}
from app.fields import RowId
from app.products import catalogue
from app.products.catalogue import Product
from app.products.schemas import ProductOutput, ProductPage

router = APIRouter(prefix="/products", tags=["products"])


@router.get("", response_model=ProductPage)
async def list_products(pagination: PaginationDep) -> dict[str, Any]:
    """List products, page by page."""
    items, total = catalogue.list_page(pagination.page, pagination.page_size)
    return {"items": items, "total": total, **pagination.model_dump()}


@router.get("/{product_id}", response_model=ProductOutput)
{% if "cache" in cookiecutter.redis %}
async def get_product(product_id: RowId, cache: CacheDep) -> Response:
    """Return a product; the header X-Cache says whether it came from the cache (HIT or MISS)."""
    key = f"product:{product_id}"
    body = await cache.get(key)
    x_cache = "HIT" if body else "MISS"
    if not body:
        body = ProductOutput.model_validate(get_or_404(product_id)).model_dump_json(by_alias=True)
        await cache.set(key, body)
    return Response(body, media_type="application/json", headers={"X-Cache": x_cache})
{% else %}
async def get_product(product_id: RowId) -> Product:
    """Return a product."""
    return get_or_404(product_id)
{% endif %}


def get_or_404(product_id: int) -> Product:
    """Return a product; raise 404 if there is none."""
    product = catalogue.find(product_id)
    if product is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product
