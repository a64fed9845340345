"""The catalogue over HTTP."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request, Response

{% if "cache" in cookiecutter.redis %}
from app.dependencies import CacheDep, Pagination, Session
{% else %}
from app.dependencies import Pagination, Session
{% endif %}
from app.products import catalogue
from app.products.models import Product
from app.products.schemas import ProductId, ProductInput, ProductOutput, ProductPage

router = APIRouter(prefix="/products", tags=["products"])


async def get_or_404(session: Session, product_id: int) -> Product:
    """Return the product; raise 404 when there is none."""
    product = await catalogue.find(session, product_id)
    if product is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product


@router.get("")
async def list_products(pagination: Pagination, session: Session) -> ProductPage:
    """List the products, page by page."""
    products, total = await catalogue.find_page(session, pagination.page, pagination.page_size)
    items = [ProductOutput.model_validate(product) for product in products]
    return ProductPage(items=items, total=total, page=pagination.page, page_size=pagination.page_size)


@router.post("", status_code=HTTPStatus.CREATED, response_model=ProductOutput)
async def create_product(values: ProductInput, session: Session, request: Request, response: Response) -> Product:
    """Add a product."""
    product = await catalogue.add(session, values)
    response.headers["Location"] = f"{request.url.path}/{product.id}"
    return product


@router.get("/{product_id}", response_model=ProductOutput)
{% if "cache" in cookiecutter.redis %}
async def get_product(product_id: ProductId, session: Session, cache: CacheDep) -> Response:
    """Return a product; `X-Cache` says whether it came from the cache."""
    key = f"product:{product_id}"
    text = await cache.get(key)
    hit = text is not None
    if text is None:
        product = await get_or_404(session, product_id)
        text = ProductOutput.model_validate(product).model_dump_json()
        await cache.set(key, text)
    return Response(text, media_type="application/json", headers={"X-Cache": "HIT" if hit else "MISS"})
{% else %}
async def get_product(product_id: ProductId, session: Session) -> Product:
    """Return a product."""
    return await get_or_404(session, product_id)
{% endif %}


@router.put("/{product_id}", response_model=ProductOutput)
{% if "cache" in cookiecutter.redis %}
async def update_product(product_id: ProductId, values: ProductInput, session: Session, cache: CacheDep) -> Product:
    """Replace a product."""
    product = await get_or_404(session, product_id)
    try:
        return await catalogue.replace(session, product, values)
    finally:
        # After an error too: the change may have been committed before the connection broke.
        await cache.delete(f"product:{product_id}")
{% else %}
async def update_product(product_id: ProductId, values: ProductInput, session: Session) -> Product:
    """Replace a product."""
    return await catalogue.replace(session, await get_or_404(session, product_id), values)
{% endif %}


@router.delete("/{product_id}", status_code=HTTPStatus.NO_CONTENT)
{% if "cache" in cookiecutter.redis %}
async def delete_product(product_id: ProductId, session: Session, cache: CacheDep) -> None:
    """Delete a product."""
    product = await get_or_404(session, product_id)
    try:
        await catalogue.remove(session, product)
    finally:
        await cache.delete(f"product:{product_id}")
{% else %}
async def delete_product(product_id: ProductId, session: Session) -> None:
    """Delete a product."""
    await catalogue.remove(session, await get_or_404(session, product_id))
{% endif %}
