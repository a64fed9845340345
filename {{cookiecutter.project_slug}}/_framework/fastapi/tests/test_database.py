"""A database that is away or busy is answered with 503, and a broken constraint with 409."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError

from app.dependencies import SessionDep
from app.main import create_app
from app.settings import Settings


def add_route(app: FastAPI) -> None:
    """Add a route that asks the database."""

    @app.get("/ask")
    async def ask(session: SessionDep) -> None:
        await session.execute(text("SELECT 1"))


def test_database_is_down(settings: Settings) -> None:
    """Without a database there is an answer that says when to try again."""
{% if cookiecutter.database == "sqlite" %}
    url = make_url("sqlite+aiosqlite:////nowhere/app.db")
{% elif cookiecutter.database == "postgresql" %}
    url = make_url("postgresql+psycopg://app@127.0.0.1:1/app")
{% else %}
    url = make_url("mariadb+asyncmy://app@127.0.0.1:1/app")
{% endif %}
    app = create_app(settings.model_copy(update={"database_url": url}))
    add_route(app)
    with TestClient(app) as client:
        response = client.get("/ask")
    assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(response.headers["Retry-After"]) > 0


def test_constraint(app: FastAPI, client: TestClient) -> None:
    """Data that a constraint refuses is a conflict."""

    @app.get("/conflict")
    async def conflict() -> None:
        raise IntegrityError("INSERT", {}, ValueError("UNIQUE constraint failed"))

    response = client.get("/conflict")
    assert (response.status_code, response.json()["title"]) == (409, "Conflict")
    assert "INSERT" not in response.text
