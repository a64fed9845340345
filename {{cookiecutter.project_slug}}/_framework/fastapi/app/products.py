"""The catalogue over HTTP."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app import catalogue
{% if "cache" in cookiecutter.redis %}
from app.cache import CurrentCache
{% endif %}
from app.models import Product
from app.problems import Problem
from app.schemas import PageInput, ProductInput, ProductOutput, ProductPage

router = APIRouter(prefix="/products", tags=["products"])
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}


async def request_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Open a session for one request."""
    async with request.app.state.database.session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(request_session)]


@router.get("", response_model=ProductPage)
async def index(session: Session, part: Annotated[PageInput, Query()]) -> dict[str, Any]:
    """List the products, page by page."""
    items, total = await catalogue.page(session, part.page, part.page_size)
    return {"items": items, "page": part.page, "page_size": part.page_size, "total": total}


@router.post("", status_code=HTTPStatus.CREATED, response_model=ProductOutput)
async def create(session: Session, values: ProductInput, request: Request, response: Response) -> Product:
    """Add a product."""
    product = await catalogue.add(session, values.model_dump())
    response.headers["Location"] = request.app.url_path_for("show", product_id=product.id)
    return product


@router.get("/{product_id:int}", response_model=ProductOutput, responses=NOT_FOUND)
{% if "cache" in cookiecutter.redis %}
async def show(request: Request, cache: CurrentCache, product_id: int) -> Response:
    """Return one product; `X-Cache` says whether it came from the cache."""

    async def load() -> str:
        # Opened here: what the cache knows doesn't wait for a connection to the database.
        async with request.app.state.database.session() as session:
            return ProductOutput.model_validate(await found(session, product_id)).model_dump_json()

    product, cached = await cache.fetch(product_id, load)
    return Response(product, media_type="application/json", headers={"X-Cache": "HIT" if cached else "MISS"})
{% else %}
async def show(session: Session, product_id: int) -> Product:
    """Return one product."""
    return await found(session, product_id)
{% endif %}


@router.put("/{product_id:int}", response_model=ProductOutput, responses=NOT_FOUND)
{% if "cache" in cookiecutter.redis %}
async def update(session: Session, cache: CurrentCache, product_id: int, values: ProductInput) -> Product:
    """Give a product new values."""
    product = await found(session, product_id)
    try:
        return await catalogue.replace(session, product, values.model_dump())
    finally:
        # Also where the database's answer was lost: it may have been stored.
        await cache.forget(product_id)
{% else %}
async def update(session: Session, product_id: int, values: ProductInput) -> Product:
    """Give a product new values."""
    return await catalogue.replace(session, await found(session, product_id), values.model_dump())
{% endif %}


@router.delete("/{product_id:int}", status_code=HTTPStatus.NO_CONTENT, responses=NOT_FOUND)
{% if "cache" in cookiecutter.redis %}
async def delete(session: Session, cache: CurrentCache, product_id: int) -> None:
    """Remove a product."""
    product = await found(session, product_id)
    try:
        await catalogue.remove(session, product)
    finally:
        await cache.forget(product_id)
{% else %}
async def delete(session: Session, product_id: int) -> None:
    """Remove a product."""
    await catalogue.remove(session, await found(session, product_id))
{% endif %}


async def found(session: Session, product_id: int) -> Product:
    """Return the product, or answer 404."""
    product = await catalogue.find(session, product_id)
    if product is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product
