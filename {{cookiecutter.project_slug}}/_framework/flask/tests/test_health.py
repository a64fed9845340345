"""Health, readiness, the API description, request ids and the request log."""

import dataclasses
import logging
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
{% if cookiecutter.database != "none" %}
from sqlalchemy import event
{% endif %}

from app import __version__
{% if cookiecutter.database != "none" %}
from app.database import db
{% endif %}
from app.main import create_app
from app.settings import Settings


@pytest.mark.parametrize("path", ["/health", "/up"])
def test_health(client: FlaskClient, path: str) -> None:
    """A running process is healthy."""
    response = client.get(path)
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_readiness(client: FlaskClient) -> None:
    """The service is ready when all its dependencies are up."""
    response = client.get("/ready")
    assert response.status_code == 200
{% if cookiecutter.database != "none" and cookiecutter.redis != "none" %}
    assert response.json == {"status": "ready", "database": "up", "redis": "up"}
{% elif cookiecutter.database != "none" %}
    assert response.json == {"status": "ready", "database": "up"}
{% elif cookiecutter.redis != "none" %}
    assert response.json == {"status": "ready", "redis": "up"}
{% else %}
    assert response.json == {"status": "ready"}
{% endif %}
{% if cookiecutter.database != "none" %}


def test_readiness_without_database(settings: Settings) -> None:
    """The service is healthy but not ready while its database is down."""
{% if cookiecutter.database == "sqlite" %}
    url = settings.database_url.set(database="/nowhere/app.db")
{% else %}
    url = settings.database_url.set(host="127.0.0.1", port=1)
{% endif %}
    client = create_app(dataclasses.replace(settings, database_url=url)).test_client()
    response = client.get("/ready")
    assert (response.status_code, response.json["database"]) == (503, "down")
    assert client.get("/health").status_code == 200


def test_readiness_opens_one_connection(app: Flask, client: FlaskClient) -> None:
    """Anyone may ask, as often as they like: the database sees one connection."""
    opened = []
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "connect", lambda connection, _entry: opened.append(connection))
    for _ in range(3):
        assert client.get("/ready").status_code == 200
    assert len(opened) == 1
{% endif %}
{% if cookiecutter.redis != "none" %}


def test_readiness_without_redis(settings: Settings) -> None:
{% if cookiecutter.redis == "cache" %}
    """The service is ready without its cache: it is only slower."""
{% else %}
    """The service is healthy but not ready while Redis is down."""
{% endif %}
    client = create_app(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0")).test_client()
    response = client.get("/ready")
    assert (response.status_code, response.json["redis"]) == ({{ 200 if cookiecutter.redis == "cache" else 503 }}, "down")
    assert client.get("/health").status_code == 200
{% endif %}


def test_api_description(client: FlaskClient) -> None:
    """The description and the page that shows it are served, and `/` leads there in development."""
    description = client.get("/openapi.json").json
    assert description["info"]["version"] == __version__
    for path in description["paths"].values():
        for operation in (path[method] for method in path.keys() & {"get", "post", "put", "delete"}):
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}
    assert description["components"]["responses"]["DEFAULT_ERROR"]["content"].keys() == {"application/problem+json"}
    assert b"openapi.json" in client.get("/docs").data
    assert client.get("/").headers["Location"] == "/docs"


def test_root_in_production(settings: Settings) -> None:
    """In production `/` names the service."""
    app = create_app(dataclasses.replace(settings, environment="production"))
    assert app.test_client().get("/").json["version"] == __version__


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/docs"])
def test_head(client: FlaskClient, path: str) -> None:
    """HEAD is answered like GET, without a body."""
    response = client.head(path)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == client.get(path).headers["Content-Length"]


def test_request_id(client: FlaskClient) -> None:
    """The response has the client's request id, or a new one if that isn't plausible."""
    assert client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    new = {client.get("/health", headers={"X-Request-ID": "not plausible"}).headers["X-Request-ID"] for _ in range(2)}
    assert [len(request_id) for request_id in new] == [32, 32]


def test_request_log(app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """A request is logged in one line, with its id and the milliseconds that it took; probes are not."""

    @app.get("/slow")
    def wait() -> str:
        time.sleep(0.05)
        return "waited"

    with caplog.at_level(logging.INFO, logger="app.requests"):
        for path in ("/health", "/up", "/ready"):
            client.get(path)
        response = client.get("/slow")
    (record,) = [record for record in caplog.records if record.name == "app.requests"]
    assert record.getMessage() == "GET /slow 200"
    facts = {"method": "GET", "path": "/slow", "status": 200, "client": "127.0.0.1"}
    assert record.__dict__.items() >= facts.items()
    assert record.__dict__["request_id"] == response.headers["X-Request-ID"]
    assert record.__dict__["duration_ms"] >= 50


def test_log_level(settings: Settings) -> None:
    """Nothing below LOG_LEVEL is logged."""
    create_app(dataclasses.replace(settings, log_level="WARNING"))
    assert not logging.getLogger("app.requests").isEnabledFor(logging.INFO)
