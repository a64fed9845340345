"""Whether the cache is fast and never wrong."""

import httpx
{% if cookiecutter.database != "none" %}


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
{% else %}


def test_hit_after_miss(client: httpx.Client) -> None:
    """What was read once comes from the cache, and is the same."""
    first, second = client.get("/products/3"), client.get("/products/3")
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.json() == second.json()
{% endif %}
