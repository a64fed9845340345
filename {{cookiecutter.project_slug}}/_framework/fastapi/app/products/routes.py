"""The products over HTTP."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

{% if "cache" in cookiecutter.redis %}
from app.dependencies import CacheDep, PaginationDep, SessionDep
{% else %}
from app.dependencies import PaginationDep, SessionDep
{% endif %}
from app.fields import RowId
from app.products import catalogue
from app.products.models import Product
from app.products.schemas import ProductInput, ProductOutput, ProductPage

router = APIRouter(prefix="/products", tags=["products"])


@router.get("", response_model=ProductPage)
async def list_products(pagination: PaginationDep, session: SessionDep) -> dict[str, Any]:
    """List products, page by page."""
    items, total = await catalogue.list_page(session, pagination.page, pagination.page_size)
    return {"items": items, "total": total, **pagination.model_dump()}


@router.post("", status_code=HTTPStatus.CREATED, response_model=ProductOutput)
async def create_product(values: ProductInput, session: SessionDep, request: Request, response: Response) -> Product:
    """Create a product."""
    product = await catalogue.add(session, values)
    response.headers["Location"] = f"{request.url.path}/{product.id}"
    return product


@router.get("/{product_id}", response_model=ProductOutput)
{% if "cache" in cookiecutter.redis %}
async def get_product(product_id: RowId, session: SessionDep, cache: CacheDep) -> Response:
    """Return a product; the header X-Cache says whether it came from the cache (HIT or MISS)."""
    # The session takes a connection from the pool with its first statement: a cached product needs none.
    body = await cache.get(cache_key(product_id))
    x_cache = "HIT" if body else "MISS"
    if not body:
        product = await get_or_404(session, product_id)
        body = ProductOutput.model_validate(product).model_dump_json(by_alias=True)
        await cache.set(cache_key(product_id), body)
    return Response(body, media_type="application/json", headers={"X-Cache": x_cache})
{% else %}
async def get_product(product_id: RowId, session: SessionDep) -> Product:
    """Return a product."""
    return await get_or_404(session, product_id)
{% endif %}


@router.put("/{product_id}", response_model=ProductOutput)
{% if "cache" in cookiecutter.redis %}
async def update_product(product_id: RowId, values: ProductInput, session: SessionDep, cache: CacheDep) -> Product:
    """Change a product."""
    product = await get_or_404(session, product_id)
    try:
        await catalogue.update(session, product, values)
    finally:
        # After an error too: the database may have committed before the connection broke.
        await cache.delete(cache_key(product_id))
    return product
{% else %}
async def update_product(product_id: RowId, values: ProductInput, session: SessionDep) -> Product:
    """Change a product."""
    product = await get_or_404(session, product_id)
    await catalogue.update(session, product, values)
    return product
{% endif %}


@router.delete("/{product_id}", status_code=HTTPStatus.NO_CONTENT)
{% if "cache" in cookiecutter.redis %}
async def delete_product(product_id: RowId, session: SessionDep, cache: CacheDep) -> None:
    """Delete a product."""
    product = await get_or_404(session, product_id)
    try:
        await catalogue.remove(session, product)
    finally:
        await cache.delete(cache_key(product_id))
{% else %}
async def delete_product(product_id: RowId, session: SessionDep) -> None:
    """Delete a product."""
    await catalogue.remove(session, await get_or_404(session, product_id))
{% endif %}


async def get_or_404(session: AsyncSession, product_id: int) -> Product:
    """Return a product; raise 404 if there is none."""
    product = await catalogue.find(session, product_id)
    if product is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product
{% if "cache" in cookiecutter.redis %}


def cache_key(product_id: int) -> str:
    """Return the key under which a product is cached, as JSON."""
    return f"product:{product_id}"
{% endif %}
