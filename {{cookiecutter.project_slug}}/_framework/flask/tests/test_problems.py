"""Errors have one shape, however they are raised."""

import dataclasses
from typing import Any, NoReturn

import flask_smorest
import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from app.api import Blueprint
from app.main import create_app
from app.settings import Settings


class CountSchema(Schema):
    """A body of a request."""

    count = fields.Integer(required=True, strict=True)


class EnhanceYourCalm(HTTPException):
    """An error whose status the standard library doesn't know."""

    code = 420
    description = "Slow down."


@pytest.fixture
def app(settings: Settings) -> Flask:
    """Return the application, with a route that takes a JSON body of up to 200,000 bytes."""
    app = create_app(dataclasses.replace(settings, max_body_bytes=200_000))
    blueprint = Blueprint("echo", __name__)

    @blueprint.post("/echo")
    @blueprint.arguments(CountSchema)
    def echo(values: dict[str, Any]) -> dict[str, Any]:
        return values

    app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/health", 405)])
def test_routing(client: FlaskClient, method: str, path: str, status: int) -> None:
    """An unknown path or method is a problem."""
    response = client.open(path, method=method)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.json.keys() == {"type", "title", "status", "detail"}
    assert response.json["status"] == status


def test_allowed_methods(client: FlaskClient) -> None:
    """The answer to an unknown method names the allowed ones."""
    assert sorted(client.delete("/echo").headers["Allow"].split(", ")) == ["OPTIONS", "POST"]


def test_invalid_field(client: FlaskClient) -> None:
    """An invalid body is refused, with the name of the field."""
    response = client.post("/echo", json={"count": "many"})
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert [error["field"] for error in response.json["errors"]] == ["count"]


@pytest.mark.parametrize("body", ["{", "[" * 100_000, '{"count": ' + "9" * 5000 + "}", '{"count": "\udcff"}', ""])
def test_invalid_json(client: FlaskClient, body: str) -> None:
    """A body that isn't JSON, or that Python refuses to read, is a bad request."""
    data = body.encode(errors="surrogateescape")
    response = client.post("/echo", data=data, content_type="application/json")
    assert response.status_code == response.json["status"] == 400


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_content_type(client: FlaskClient, content_type: str | None) -> None:
    """Only JSON is accepted."""
    response = client.post("/echo", data='{"count": 1}', content_type=content_type)
    assert response.status_code == response.json["status"] == 415


def test_too_large(client: FlaskClient) -> None:
    """A body over MAX_BODY_BYTES is refused."""
    response = client.post("/echo", data=b" " * 200_000 + b'{"count": 1}', content_type="application/json")
    assert response.status_code == response.json["status"] == 413
    assert response.headers["X-Request-ID"]


def test_abort(app: Flask) -> None:
    """The message, errors and headers of flask_smorest.abort() reach the client."""

    @app.get("/conflict")
    def conflict() -> None:
        errors = {"json": {"name": ["Taken."], "query": {"text": ["Too long."]}}, "headers": {"X-Token": ["Unknown."]}}
        flask_smorest.abort(409, message="There is one already.", errors=errors, headers={"Retry-After": "5"})

    response = app.test_client().get("/conflict")
    assert (response.status_code, response.headers["Retry-After"]) == (409, "5")
    assert response.json["detail"] == "There is one already."
    assert response.json["errors"] == [
        {"field": "name", "message": "Taken."},
        {"field": "query.text", "message": "Too long."},
        {"field": "X-Token", "message": "Unknown."},
    ]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (["Taken.", "Odd."], [("", "Taken."), ("", "Odd.")]),
        ("Taken.", [("", "Taken.")]),
        ({"name": "Taken.", "_schema": ["Odd."]}, [("name", "Taken."), ("", "Odd.")]),
        ({"json": {1: {"name": ("Taken.",)}}, 2: ["Odd."]}, [("1.name", "Taken."), ("2", "Odd.")]),
        (None, []),
    ],
)
def test_abort_with_errors(app: Flask, errors: Any, expected: list[tuple[str, str]]) -> None:
    """The errors of flask_smorest.abort() may have any form, and its headers may be pairs."""

    @app.get("/conflict")
    def conflict() -> None:
        flask_smorest.abort(409, message="No.", errors=errors, headers=[("Retry-After", "5")])

    response = app.test_client().get("/conflict")
    assert (response.status_code, response.headers["Retry-After"], response.json["detail"]) == (409, "5", "No.")
    assert [(error["field"], error["message"]) for error in response.json.get("errors", [])] == expected


def test_unregistered_status(app: Flask) -> None:
    """An error may have any status."""

    @app.get("/calm")
    def calm() -> NoReturn:
        raise EnhanceYourCalm

    response = app.test_client().get("/calm")
    assert (response.status_code, response.json["status"], response.json["detail"]) == (420, 420, "Slow down.")


def test_unexpected(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception is a problem without details, and has the request id that finds it in the log."""

    @app.get("/bug")
    def bug() -> NoReturn:
        raise RuntimeError("secret")

    response = app.test_client().get("/bug", headers={"X-Request-ID": "mine-1"})
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert response.headers["X-Request-ID"] == "mine-1"
    assert "secret" not in response.text
    assert "RuntimeError: secret" in caplog.text
