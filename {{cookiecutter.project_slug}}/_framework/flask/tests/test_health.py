"""Health, readiness, the API description and request ids."""

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import __version__


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


def test_api_description(client: FlaskClient) -> None:
    """The description and the page that shows it are served, and `/` leads there in development."""
    assert client.get("/openapi.json").json["info"]["version"] == __version__
    assert b"openapi.json" in client.get("/docs").data
    assert client.get("/").headers["Location"] == "/docs"


def test_root_in_production(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    """In production `/` names the service."""
    settings = app.config["SETTINGS"]
    monkeypatch.setitem(app.config, "SETTINGS", dataclasses.replace(settings, environment="production"))
    assert app.test_client().get("/").json["version"] == __version__


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/docs"])
def test_head(client: FlaskClient, path: str) -> None:
    """HEAD is answered like GET, without a body."""
    response = client.head(path)
    assert (response.status_code, response.data) == (200, b"")


def test_request_id(client: FlaskClient) -> None:
    """The response has the client's request id, or a new one if that isn't plausible."""
    assert client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert len(client.get("/health", headers={"X-Request-ID": "not plausible"}).headers["X-Request-ID"]) == 32
