"""Errors have one shape, however they are raised."""

from typing import NoReturn

import flask_smorest
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException


class EnhanceYourCalm(HTTPException):
    """An error whose status the standard library doesn't know."""

    code = 420
    description = "Slow down."


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/health", 405)])
def test_routing(client: FlaskClient, method: str, path: str, status: int) -> None:
    """An unknown path or method is a problem."""
    response = client.open(path, method=method)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.json.keys() == {"type", "title", "status", "detail"}
    assert response.json["status"] == status


def test_abort(app: Flask) -> None:
    """The message, errors and headers of flask_smorest.abort() reach the client."""

    @app.get("/conflict")
    def conflict() -> None:
        errors = {"json": {"name": ["Taken."]}}
        flask_smorest.abort(409, message="There is one already.", errors=errors, headers={"Retry-After": "5"})

    response = app.test_client().get("/conflict")
    assert (response.status_code, response.headers["Retry-After"]) == (409, "5")
    assert response.json["detail"] == "There is one already."
    assert response.json["errors"] == [{"field": "name", "message": "Taken."}]


def test_unregistered_status(app: Flask) -> None:
    """An error may have any status."""

    @app.get("/calm")
    def calm() -> NoReturn:
        raise EnhanceYourCalm

    response = app.test_client().get("/calm")
    assert (response.status_code, response.json["status"], response.json["detail"]) == (420, 420, "Slow down.")


def test_unexpected(app: Flask) -> None:
    """An unexpected exception is a problem without details, and has the request id that finds it in the log."""

    @app.get("/bug")
    def bug() -> NoReturn:
        raise RuntimeError("secret")

    response = app.test_client().get("/bug", headers={"X-Request-ID": "mine-1"})
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert response.headers["X-Request-ID"] == "mine-1"
    assert "secret" not in response.text
