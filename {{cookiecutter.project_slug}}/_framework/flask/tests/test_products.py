"""The catalogue over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 12}


@pytest.fixture
def pen(client: FlaskClient) -> dict[str, Any]:
    """Return a product of the catalogue."""
    product: dict[str, Any] = client.post("/products", json=PEN).json
    return product


def test_create(client: FlaskClient) -> None:
    """A new product has an id and times, and is found at its location."""
    response = client.post("/products", json=PEN)
    product = response.json
    assert response.status_code == 201
    assert product.items() >= PEN.items()
    assert product["created_at"] == product["updated_at"]
    assert product["created_at"].endswith("+00:00")
    assert client.get(response.headers["Location"]).json == product


def test_create_with_defaults(client: FlaskClient) -> None:
    """A name and a price are enough; a price always has two decimal places."""
    product = client.post("/products", json={"name": "Ink", "price": "9.9"}).json
    assert (product["description"], product["price"], product["stock"]) == ("", "9.90", 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "nul\0"),
        ("name", "\ud800"),
        ("description", "x" * 2001),
        ("price", "-0.01"),
        ("price", "9.999"),
        ("price", "NaN"),
        ("price", "1e3"),
        ("price", "1_0"),
        ("price", "١"),
        ("price", 9.9),
        ("price", None),
        ("stock", -1),
        ("stock", 2**31),
        ("stock", 2.7),
        ("stock", "2"),
    ],
)
def test_invalid_field(client: FlaskClient, field: str, value: object) -> None:
    """An invalid product is refused, with the name of the field."""
    response = client.post("/products", json={**PEN, field: value})
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert [error["field"] for error in response.json["errors"]] == [field]


@pytest.mark.parametrize("body", ["{", "[" * 100_000, '{"stock": ' + "9" * 5000 + "}"])
def test_invalid_json(client: FlaskClient, body: str) -> None:
    """A body that isn't JSON, or that Python refuses to read, is a bad request."""
    response = client.post("/products", data=body, content_type="application/json")
    assert (response.status_code, response.json["status"]) == (400, 400)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_content_type(client: FlaskClient, content_type: str | None) -> None:
    """Only JSON is accepted."""
    response = client.post("/products", data='{"name": "Ink", "price": "9.90"}', content_type=content_type)
    assert (response.status_code, response.json["status"]) == (415, 415)


def test_too_large(client: FlaskClient) -> None:
    """A body over MAX_BODY_BYTES is refused."""
    response = client.post("/products", json=PEN | {"description": "x" * 2 * 1024 * 1024})
    assert (response.status_code, response.json["status"]) == (413, 413)


def test_list(client: FlaskClient, pen: dict[str, Any]) -> None:
    """The list is paginated, oldest first, with the total."""
    total = client.get("/products").json["total"]
    page = client.get(f"/products?page={total}&page_size=1").json
    assert page == {"items": [pen], "page": total, "page_size": 1, "total": total}
    assert client.get(f"/products?page={total + 1}&page_size=1").json["items"] == []


@pytest.mark.parametrize("query", ["page=0", "page_size=101", "page=x"])
def test_invalid_page(client: FlaskClient, query: str) -> None:
    """An invalid page is refused."""
    assert client.get(f"/products?{query}").status_code == 422


def test_update(client: FlaskClient, pen: dict[str, Any]) -> None:
    """A product takes new values and keeps its id; the body of a GET can be PUT back."""
    response = client.put(f"/products/{pen['id']}", json=pen | {"name": "Pencil", "price": "1.50"})
    assert response.status_code == 200
    assert response.json.items() >= {"id": pen["id"], "name": "Pencil", "price": "1.50", "stock": 12}.items()
    assert client.get(f"/products/{pen['id']}").json == response.json
{% if "cache" in cookiecutter.redis %}


def test_cache(client: FlaskClient, pen: dict[str, Any]) -> None:
    """A product is read from the cache until it changes."""
    address = f"/products/{pen['id']}"
    assert [client.get(address).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
    client.put(address, json=PEN | {"price": "8.50"})
    changed = client.get(address)
    assert (changed.headers["X-Cache"], changed.json["price"]) == ("MISS", "8.50")
    client.delete(address)
    assert client.get(address).status_code == 404
{% endif %}


def test_delete(client: FlaskClient, pen: dict[str, Any]) -> None:
    """A deleted product is gone."""
    assert client.delete(f"/products/{pen['id']}").status_code == 204
    assert client.get(f"/products/{pen['id']}").status_code == 404
    assert client.delete(f"/products/{pen['id']}").status_code == 404


@pytest.mark.parametrize("product_id", ["0", "x", str(2**31), str(2**63), "9" * 5000, ""])
def test_not_found(client: FlaskClient, product_id: str) -> None:
    """There is no product with an impossible id."""
    response = client.get(f"/products/{product_id}")
    assert (response.status_code, response.json["title"]) == (404, "Not Found")
