"""The catalogue over HTTP."""

from http import HTTPStatus
from typing import Annotated, Any

{% if "cache" in cookiecutter.redis %}
from fastapi import APIRouter, HTTPException, Query, Response
{% else %}
from fastapi import APIRouter, HTTPException, Query
{% endif %}

from app import catalogue
{% if "cache" in cookiecutter.redis %}
from app.cache import CurrentCache
{% endif %}
from app.catalogue import Product
from app.problems import Problem
from app.schemas import PageInput, ProductOutput, ProductPage

router = APIRouter(prefix="/products", tags=["products"])


@router.get("", response_model=ProductPage)
async def index(part: Annotated[PageInput, Query()]) -> dict[str, Any]:
    """List the products, page by page."""
    items, total = catalogue.page(part.page, part.page_size)
    return {"items": items, "page": part.page, "page_size": part.page_size, "total": total}


@router.get("/{product_id:int}", response_model=ProductOutput, responses={404: {"model": Problem}})
{% if "cache" in cookiecutter.redis %}
async def show(cache: CurrentCache, product_id: int) -> Response:
    """Return one product; `X-Cache` says whether it came from the cache."""

    async def load() -> str:
        return ProductOutput.model_validate(found(product_id)).model_dump_json()

    product, cached = await cache.fetch(product_id, load)
    return Response(product, media_type="application/json", headers={"X-Cache": "HIT" if cached else "MISS"})
{% else %}
async def show(product_id: int) -> Product:
    """Return one product."""
    return found(product_id)
{% endif %}


def found(product_id: int) -> Product:
    """Return the product, or answer 404."""
    product = catalogue.find(product_id)
    if product is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product
