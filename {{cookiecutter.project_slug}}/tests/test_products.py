"""Whether the catalogue keeps what it is told."""

from typing import Any

import httpx
import pytest
{% if cookiecutter.framework == "fastapi" %}
from fastapi.testclient import TestClient

from app import catalogue, database
from app.main import create_app
{% endif %}

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 12}


@pytest.fixture
def pen(client: httpx.Client) -> dict[str, Any]:
    """Return a product that the catalogue holds."""
    product: dict[str, Any] = client.post("/products", json=PEN).json()
    return product


def test_create(client: httpx.Client) -> None:
    """A new product gets an id, an address and times, and is found there."""
    response = client.post("/products", json=PEN)
    product = response.json()
    assert response.status_code == 201
    assert product.items() >= PEN.items()
    assert product["created_at"] == product["updated_at"]
    assert client.get(response.headers["Location"]).json() == product


def test_create_with_defaults(client: httpx.Client) -> None:
    """A name and a price are enough, and a price always has two places."""
    product = client.post("/products", json={"name": "Ink", "price": "9.9"}).json()
    assert (product["description"], product["price"], product["stock"]) == ("", "9.90", 0)
    assert client.post("/products", json={"name": "Gift", "price": "-0"}).json()["price"] == "0.00"


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
        ("price", "1e30"),
        ("price", None),
        ("stock", -1),
        ("stock", 2**31),
        ("stock", 2.7),
        ("stock", "2"),
    ],
)
def test_refuse(client: httpx.Client, field: str, value: object) -> None:
    """A product that makes no sense is refused, with the name of the field."""
    response = client.post("/products", json={**PEN, field: value})
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_refuse_what_is_not_json(client: httpx.Client) -> None:
    """A body that can't be read is the client's mistake."""
    response = client.post("/products", content="{", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (400, 400)


def test_list(client: httpx.Client, pen: dict[str, Any]) -> None:
    """The list comes in pages, oldest first, and tells how many there are in all."""
    total = client.get("/products").json()["total"]
    page = client.get("/products", params={"page": total, "page_size": 1}).json()
    assert page == {"items": [pen], "page": total, "page_size": 1, "total": total}
    assert client.get("/products", params={"page": total + 1, "page_size": 1}).json()["items"] == []


@pytest.mark.parametrize("query", [{"page": 0}, {"page_size": 101}, {"page": "x"}])
def test_refuse_page(client: httpx.Client, query: dict[str, Any]) -> None:
    """A page that can't be is refused."""
    assert client.get("/products", params=query).status_code == 422


def test_update(client: httpx.Client, pen: dict[str, Any]) -> None:
    """A product takes new values, and keeps its id."""
    response = client.put(f"/products/{pen['id']}", json={"name": "Pencil", "price": "1.50"})
    assert response.status_code == 200
    assert response.json().items() >= {"id": pen["id"], "name": "Pencil", "price": "1.50", "stock": 0}.items()
    assert client.get(f"/products/{pen['id']}").json() == response.json()


def test_delete(client: httpx.Client, pen: dict[str, Any]) -> None:
    """A product that was deleted is gone."""
    assert client.delete(f"/products/{pen['id']}").status_code == 204
    assert client.get(f"/products/{pen['id']}").status_code == 404
    assert client.delete(f"/products/{pen['id']}").status_code == 404


@pytest.mark.parametrize("address", ["/products/0", f"/products/{2**63}", "/products/x", "/products/", "/nowhere"])
def test_missing(client: httpx.Client, address: str) -> None:
    """What is not there is answered with a problem."""
    response = client.get(address)
    assert (response.status_code, response.json()["title"]) == (404, "Not Found")
{% if cookiecutter.framework == "fastapi" %}


@pytest.mark.usefixtures("services")
def test_no_connection_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that waits for a connection in vain is told so, and what needs none is answered meanwhile."""
    monkeypatch.setattr(database, "CONNECTIONS", 0)
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.1)
    with TestClient(create_app()) as client:
        response = client.get("/products")
        assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
        assert client.get("/health").status_code == 200


@pytest.mark.usefixtures("services")
def test_unforeseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of is a problem too, with the id that finds it in the logs."""
    monkeypatch.delattr(catalogue, "page")
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        response = client.get("/products", headers={"X-Request-ID": "mine-1"})
    assert (response.status_code, response.json()["title"]) == (500, "Internal Server Error")
    assert response.headers["X-Request-ID"] == "mine-1"
{% endif %}
