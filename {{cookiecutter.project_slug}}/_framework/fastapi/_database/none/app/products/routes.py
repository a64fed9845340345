"""The catalogue over HTTP."""

from http import HTTPStatus

{% if "cache" in cookiecutter.redis %}
from fastapi import APIRouter, HTTPException, Response

from app.dependencies import CacheDep, Pagination
{% else %}
from fastapi import APIRouter, HTTPException

from app.dependencies import Pagination
{% endif %}
from app.products import catalogue
from app.products.schemas import ProductId, ProductOutput, ProductPage

router = APIRouter(prefix="/products", tags=["products"])


def get_or_404(product_id: int) -> ProductOutput:
    """Return the product; raise 404 when there is none."""
    product = catalogue.find(product_id)
    if product is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return ProductOutput.model_validate(product)


@router.get("")
async def list_products(pagination: Pagination) -> ProductPage:
    """List the products, page by page."""
    products, total = catalogue.find_page(pagination.page, pagination.page_size)
    items = [ProductOutput.model_validate(product) for product in products]
    return ProductPage(items=items, total=total, page=pagination.page, page_size=pagination.page_size)


{% if "cache" in cookiecutter.redis %}
@router.get("/{product_id}", response_model=ProductOutput)
async def get_product(product_id: ProductId, cache: CacheDep) -> Response:
    """Return a product; `X-Cache` says whether it came from the cache."""
    key = f"product:{product_id}"
    text = await cache.get(key)
    hit = text is not None
    if text is None:
        text = get_or_404(product_id).model_dump_json()
        await cache.set(key, text)
    return Response(text, media_type="application/json", headers={"X-Cache": "HIT" if hit else "MISS"})
{% else %}
@router.get("/{product_id}")
async def get_product(product_id: ProductId) -> ProductOutput:
    """Return a product."""
    return get_or_404(product_id)
{% endif %}
