"""The catalogue over HTTP."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, func, select, update
{% if "cache" in cookiecutter.redis %}
from sqlalchemy.exc import OperationalError
{% endif %}

from app.main import create_app
{% if "cache" in cookiecutter.redis %}
from app.products import catalogue, routes
{% else %}
from app.products import routes
{% endif %}
from app.products.models import Product
from app.settings import Settings
from tests.migrating import run

OLD = datetime(2000, 1, 1, tzinfo=UTC)
PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 12}


@pytest.fixture
def pen(client: TestClient) -> dict[str, Any]:
    """Return a product of the catalogue."""
    product: dict[str, Any] = client.post("/products", json=PEN).json()
    return product


def test_create(client: TestClient) -> None:
    """A new product has an id and times, and is found at its location."""
    response = client.post("/products", json=PEN)
    product = response.json()
    assert response.status_code == 201
    assert product.items() >= PEN.items()
    assert product["created_at"] <= product["updated_at"]
    assert product["created_at"].endswith("Z")
    assert client.get(response.headers["Location"]).json() == product


def test_create_with_defaults(client: TestClient) -> None:
    """A name and a price are enough; a price always has two decimal places."""
    product = client.post("/products", json={"name": "Ink", "price": "9.9"}).json()
    assert (product["description"], product["price"], product["stock"]) == ("", "9.90", 0)


def test_largest_product(client: TestClient) -> None:
    """Whatever is valid can be stored, up to the largest values."""
    largest = {"name": "x" * 200, "description": "x" * 2000, "price": "9999999999.99", "stock": 2**31 - 1}
    response = client.post("/products", json=largest)
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json().items() >= largest.items()
{% if "queue" in cookiecutter.redis and cookiecutter.database == "sqlite" %}
    # In the reports, SQLite's sum would be a float that hides small ones.
    client.delete(response.headers["Location"])
{% endif %}


def test_location(app: FastAPI, client: TestClient) -> None:
    """A product is created below the path that its router has, and that the proxy has stripped."""
    copy = APIRouter(prefix="/articles")
    copy.include_router(routes.router)
    app.include_router(copy)
    location = client.post("/articles/products", json=PEN).headers["Location"]
    assert location.startswith("/articles/products/")
    assert client.get(location).status_code == 200


def test_location_behind_root_path(settings: Settings) -> None:
    """A location has the prefix that the proxy has stripped."""
    with TestClient(create_app(settings.model_copy(update={"root_path": "/shop"}))) as client:
        location = client.post("/products", json=PEN).headers["Location"]
        assert location.startswith("/shop/products/")
        assert client.get(location.removeprefix("/shop")).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "nul\0"),
        ("description", "x" * 2001),
        ("price", "-0.01"),
        ("price", "9.999"),
        ("price", "NaN"),
        ("price", "1e3"),
        ("price", "1_0"),
        ("price", "١"),
        ("price", "12345678901"),
        ("price", 9.9),
        ("price", None),
        ("stock", -1),
        ("stock", 2**31),
        ("stock", 2.7),
        ("stock", "2"),
        ("stock", True),
    ],
)
def test_invalid_field(client: TestClient, field: str, value: object) -> None:
    """An invalid product is refused, with the name of the field."""
    response = client.post("/products", json={**PEN, field: value})
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_unpaired_surrogate(client: TestClient) -> None:
    """Text that UTF-8 can't encode is refused."""
    body = b'{"name": "\\ud800", "price": "1.00"}'
    response = client.post("/products", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (422, ["name"])


def test_list(client: TestClient, pen: dict[str, Any]) -> None:
    """The list is paginated, oldest first, with the total; a change doesn't move a product."""
    newer = client.post("/products", json=PEN).json()
    client.put(f"/products/{pen['id']}", json=PEN | {"stock": 13})
    total = client.get("/products").json()["total"]
    page = client.get("/products", params={"page": total, "page_size": 1}).json()
    assert page == {"items": [newer], "page": total, "page_size": 1, "total": total}
    assert client.get("/products", params={"page": total + 1, "page_size": 1}).json()["items"] == []


@pytest.mark.parametrize("query", ["page=0", "page_size=101", "page=x", "page=" + "9" * 5000])
def test_invalid_page(client: TestClient, query: str) -> None:
    """An invalid page is refused."""
    assert client.get(f"/products?{query}").status_code == 422


def test_update(client: TestClient, pen: dict[str, Any]) -> None:
    """A product takes new values and keeps its id; the body of a GET can be PUT back."""
    response = client.put(f"/products/{pen['id']}", json=pen | {"name": "Pencil", "price": "1.50"})
    assert response.status_code == 200
    assert response.json().items() >= {"id": pen["id"], "name": "Pencil", "price": "1.50", "stock": 12}.items()
    assert client.get(f"/products/{pen['id']}").json() == response.json()


def test_times(client: TestClient, pen: dict[str, Any]) -> None:
    """A change sets `updated_at`, and keeps `created_at`."""
    run(lambda connection: connection.execute(update(Product).values(created_at=OLD, updated_at=OLD)))
    changed = client.put(f"/products/{pen['id']}", json=PEN | {"stock": 13}).json()
    assert datetime.fromisoformat(changed["created_at"]) == OLD < datetime.fromisoformat(changed["updated_at"])


def test_price_in_sql(client: TestClient, pen: dict[str, Any]) -> None:
    """SQL computes prices in cents: a rise of ten per cent, a sum, a comparison."""
    raised = func.round(Product.price_cents * Decimal("1.10"))
    value = func.sum(Product.price_cents * Product.stock)
    expensive = select(Product.id).where(Product.price_cents > 3739)

    def compute(connection: Connection) -> None:
        connection.execute(update(Product).where(Product.id == pen["id"]).values(price_cents=raised))
        assert connection.scalar(select(value).where(Product.id == pen["id"])) == 3740 * 12
        assert pen["id"] in connection.scalars(expensive).all()

    run(compute)
    assert client.get(f"/products/{pen['id']}").json()["price"] == "37.40"
{% if "cache" in cookiecutter.redis %}


def test_cache(client: TestClient, pen: dict[str, Any]) -> None:
    """A product is read from the cache until it changes."""
    address = f"/products/{pen['id']}"
    assert [client.get(address).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
    client.put(address, json=PEN | {"price": "8.50"})
    changed = client.get(address)
    assert (changed.headers["X-Cache"], changed.json()["price"]) == ("MISS", "8.50")


def test_cache_of_deleted(client: TestClient, pen: dict[str, Any]) -> None:
    """A product that was cached is gone once it is deleted."""
    address = f"/products/{pen['id']}"
    assert [client.get(address).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
    client.delete(address)
    assert client.get(address).status_code == 404


def test_cache_without_database(monkeypatch: pytest.MonkeyPatch, client: TestClient, pen: dict[str, Any]) -> None:
    """A cached product is read without the database."""
    address = f"/products/{pen['id']}"
    client.get(address)
    monkeypatch.delattr(catalogue, "find")
    assert client.get(address).headers["X-Cache"] == "HIT"


@pytest.mark.parametrize(("method", "function"), [("PUT", "update"), ("DELETE", "remove")])
def test_cache_after_lost_answer(
    monkeypatch: pytest.MonkeyPatch, client: TestClient, pen: dict[str, Any], method: str, function: str
) -> None:
    """A change is seen, although the connection broke before the database could confirm it."""
    address = f"/products/{pen['id']}"
    assert client.get(address).json() == pen
    change = getattr(catalogue, function)

    async def change_and_break(*arguments: Any) -> None:
        await change(*arguments)
        raise OperationalError("COMMIT", None, ConnectionError("lost"))

    monkeypatch.setattr(catalogue, function, change_and_break)
    assert client.request(method, address, json=PEN | {"price": "8.50"}).status_code == 503
    assert client.get(address).json() != pen
{% endif %}


def test_delete(client: TestClient, pen: dict[str, Any]) -> None:
    """A deleted product is gone, and no other one gets its id."""
    assert client.delete(f"/products/{pen['id']}").status_code == 204
    assert client.post("/products", json=PEN).json()["id"] != pen["id"]
    assert client.get(f"/products/{pen['id']}").status_code == 404
    assert client.delete(f"/products/{pen['id']}").status_code == 404


@pytest.mark.parametrize("product_id", ["0", "-1", "x", str(2**31), str(2**63), "9" * 5000, ""])
def test_not_found(client: TestClient, product_id: str) -> None:
    """There is no product with an impossible id."""
    response = client.get(f"/products/{product_id}")
    assert (response.status_code, response.json()["title"]) == (404, "Not Found")


def test_head(client: TestClient, pen: dict[str, Any]) -> None:
    """HEAD is answered like GET, without a body."""
    response = client.head(f"/products/{pen['id']}")
    assert (response.status_code, response.content) == (200, b"")
