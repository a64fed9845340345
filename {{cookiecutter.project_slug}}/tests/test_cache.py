"""Whether the cache is fast and never wrong."""

{% if cookiecutter.database != "none" %}
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from app import catalogue


def test_hit_after_miss(client: httpx.Client) -> None:
    """What was read once comes from the cache, and is the same."""
    address = client.post("/products", json={"name": "Ink", "price": "9.90"}).headers["Location"]
    first, second = client.get(address), client.get(address)
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.json() == second.json()


def test_write_invalidates(client: httpx.Client) -> None:
    """A product that changed is read anew, and one that was deleted is gone."""
    address = client.post("/products", json={"name": "Ink", "price": "9.90"}).headers["Location"]
    client.get(address)
    client.put(address, json={"name": "Ink", "price": "8.50"})
    changed = client.get(address)
    assert (changed.headers["X-Cache"], changed.json()["price"]) == ("MISS", "8.50")
    client.delete(address)
    assert client.get(address).status_code == 404


def test_write_whose_answer_is_lost(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that was stored, though the database could no longer say so, is read anew."""
    ink = {"name": "Ink", "price": "9.90"}
    # The first may have the id of a product that was deleted, and whose absence somebody has just looked up.
    _, address = (client.post("/products", json=ink).headers["Location"] for _ in range(2))
    assert [client.get(address).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
    replace = catalogue.replace

{% if cookiecutter.framework == "fastapi" %}
    async def lose(*arguments: Any) -> None:
        await replace(*arguments)
        raise OperationalError("COMMIT", None, ConnectionError("lost"))
{% else %}
    def lose(*arguments: Any) -> None:
        replace(*arguments)
        raise OperationalError("COMMIT", None, ConnectionError("lost"))
{% endif %}

    monkeypatch.setattr(catalogue, "replace", lose)
    assert client.put(address, json=ink | {"price": "8.50"}).status_code == 503
    assert client.get(address).json()["price"] == "8.50"
{% else %}
import httpx


def test_hit_after_miss(client: httpx.Client) -> None:
    """What was read once comes from the cache, and is the same."""
    first, second = client.get("/products/3"), client.get("/products/3")
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.json() == second.json()
{% endif %}
