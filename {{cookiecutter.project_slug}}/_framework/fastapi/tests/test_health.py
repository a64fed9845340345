"""Health, readiness, the API description, request ids and the request log."""

import logging
import time

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
{% if cookiecutter.database in ("postgresql", "mariadb") %}
from sqlalchemy import make_url
{% endif %}

from app import __version__
from app.main import create_app
from app.settings import Settings


@pytest.mark.parametrize("path", ["/health", "/up"])
def test_health(client: TestClient, path: str) -> None:
    """A running process is healthy."""
    response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readiness(client: TestClient) -> None:
    """The service is ready when all its dependencies are up."""
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
{% if cookiecutter.database in ("postgresql", "mariadb") %}


def test_readiness_without_database(settings: Settings) -> None:
    """The service is healthy but not ready while its database is down."""
{% if cookiecutter.database == "postgresql" %}
    url = make_url("postgresql+psycopg://app@127.0.0.1:1/app")
{% else %}
    url = make_url("mariadb+asyncmy://app@127.0.0.1:1/app")
{% endif %}
    with TestClient(create_app(settings.model_copy(update={"database_url": url}))) as client:
        response = client.get("/ready")
        assert (response.status_code, response.json()["database"]) == (503, "down")
        assert client.get("/health").status_code == 200
{% endif %}
{% if cookiecutter.redis != "none" %}


def test_readiness_without_redis(settings: Settings) -> None:
{% if cookiecutter.redis == "cache" %}
    """The service is ready without its cache: it is only slower."""
{% else %}
    """The service is healthy but not ready while Redis is down."""
{% endif %}
    with TestClient(create_app(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))) as client:
        response = client.get("/ready")
        assert (response.status_code, response.json()["redis"]) == ({{ 200 if cookiecutter.redis == "cache" else 503 }}, "down")
        assert client.get("/health").status_code == 200
{% endif %}


def test_api_description(client: TestClient) -> None:
    """The description and the page that shows it are served, and `/` leads there in development."""
    description = client.get("/openapi.json").json()
    assert description["info"]["version"] == __version__
    for path in description["paths"].values():
        for operation in path.values():
            assert operation["responses"]["4XX"]["content"].keys() == {"application/problem+json"}
    assert "openapi.json" in client.get("/docs").text
    assert client.get("/", follow_redirects=False).headers["Location"] == "/docs"


def test_root_in_production(settings: Settings) -> None:
    """In production `/` names the service."""
    app = create_app(settings.model_copy(update={"environment": "production"}))
    assert TestClient(app).get("/").json()["version"] == __version__


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/docs"])
def test_head(client: TestClient, path: str) -> None:
    """HEAD is answered like GET, without a body."""
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Length"] == client.get(path).headers["Content-Length"]


def test_root_path(settings: Settings) -> None:
    """Behind a proxy that strips a path prefix, the description and redirects have it."""
    client = TestClient(create_app(settings.model_copy(update={"root_path": "/shop"})))
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/shop"}]
    assert client.get("/", follow_redirects=False).headers["Location"] == "/shop/docs"


def test_request_id(client: TestClient) -> None:
    """The response has the client's request id, or a new one if that isn't plausible."""
    assert client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    new = {client.get("/health", headers={"X-Request-ID": "not plausible"}).headers["X-Request-ID"] for _ in range(2)}
    assert [len(request_id) for request_id in new] == [32, 32]


def test_request_log(app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """A request is logged in one line, with its id and the milliseconds that it took; probes are not."""

    @app.get("/slow")
    def wait() -> None:
        time.sleep(0.05)

    with caplog.at_level(logging.INFO, logger="app.requests"):
        for path in ("/health", "/up", "/ready"):
            client.get(path)
        response = client.get("/slow")
    (record,) = [record for record in caplog.records if record.name == "app.requests"]
    assert record.getMessage() == "GET /slow 200"
    assert record.__dict__.items() >= {"method": "GET", "path": "/slow", "status": 200}.items()
    assert record.__dict__["request_id"] == response.headers["X-Request-ID"]
    assert record.__dict__["duration_ms"] >= 50


def test_log_level(settings: Settings) -> None:
    """Nothing below LOG_LEVEL is logged."""
    create_app(settings.model_copy(update={"log_level": "WARNING"}))
    assert not logging.getLogger("app.requests").isEnabledFor(logging.INFO)


@pytest.fixture
def proxied(settings: Settings) -> FastAPI:
    """Return an application that is behind proxies in a network."""
    return create_app(settings.model_copy(update={"trusted_proxies": ["10.0.0.0/8"]}))


@pytest.mark.parametrize(("proxy", "logged"), [("10.1.2.3", "203.0.113.7"), ("127.0.0.1", "127.0.0.1")])
def test_client_address(proxied: FastAPI, caplog: pytest.LogCaptureFixture, proxy: str, logged: str) -> None:
    """The client's address comes from a proxy in TRUSTED_PROXIES; others are not believed."""
    with caplog.at_level(logging.INFO, logger="app.requests"):
        TestClient(proxied, client=(proxy, 50000)).get("/nowhere", headers={"X-Forwarded-For": "203.0.113.7"})
    assert [record.__dict__["client"] for record in caplog.records if record.name == "app.requests"] == [logged]
