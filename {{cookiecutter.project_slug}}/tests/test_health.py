"""Whether the service says truly how it is."""

import httpx


def test_health(client: httpx.Client) -> None:
    """The process says that it is alive."""
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready(client: httpx.Client) -> None:
    """The service says that all it depends on is up."""
    response = client.get("/ready")
    assert response.status_code == 200
{% if cookiecutter.database != "none" and cookiecutter.redis != "none" %}
    assert response.json() == {"status": "ready", "database": "up", "redis": "up"}
{% elif cookiecutter.database != "none" %}
    assert response.json() == {"status": "ready", "database": "up"}
{% elif cookiecutter.redis != "none" %}
    assert response.json() == {"status": "ready", "redis": "up"}
{% else %}
    assert response.json() == {"status": "ready"}
{% endif %}


def test_description(client: httpx.Client) -> None:
    """The API is described, and the description can be looked at."""
    assert "/products" in client.get("/openapi.json").json()["paths"]
    assert client.get("/docs").status_code == 200


def test_request_id(client: httpx.Client) -> None:
    """An answer carries the id that the client gave its request, or a new one."""
    assert client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert len(client.get("/health", headers={"X-Request-ID": "not\tplausible"}).headers["X-Request-ID"]) == 32
