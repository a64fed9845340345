"""The read-only catalogue over HTTP."""

import pytest
from flask.testing import FlaskClient


def test_list(client: FlaskClient) -> None:
    """The list is paginated, with the total."""
    page = client.get("/products?page=2&page_size=1").json
    assert page["items"] == [client.get("/products/2").json]
    assert (page["page"], page["page_size"], page["total"]) == (2, 1, 3)
    assert page["items"][0]["price"] == "34.00"
{% if "cache" in cookiecutter.redis %}


def test_cache(client: FlaskClient) -> None:
    """A product is read from the cache the second time."""
    first, second = client.get("/products/3"), client.get("/products/3")
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.json == second.json
{% endif %}


@pytest.mark.parametrize(("method", "path"), [("POST", "/products"), ("PUT", "/products/1"), ("DELETE", "/products/1")])
def test_read_only(client: FlaskClient, method: str, path: str) -> None:
    """The catalogue can't be changed."""
    response = client.open(path, method=method, json={})
    assert (response.status_code, response.json["title"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize("query", ["page=0", "page_size=101", "page=x", "page=" + "9" * 5000])
def test_invalid_page(client: FlaskClient, query: str) -> None:
    """An invalid page is refused."""
    assert client.get(f"/products?{query}").status_code == 422


@pytest.mark.parametrize("product_id", ["0", "x", str(2**31), str(2**63), "9" * 5000, "", "4"])
def test_not_found(client: FlaskClient, product_id: str) -> None:
    """There is no product with an impossible id."""
    response = client.get(f"/products/{product_id}")
    assert (response.status_code, response.json["title"]) == (404, "Not Found")


def test_head(client: FlaskClient) -> None:
    """HEAD is answered like GET, without a body."""
    response = client.head("/products/1")
    assert (response.status_code, response.data) == (200, b"")
