"""A database that is away or busy is answered with 503, and a broken constraint with 409."""

{% if cookiecutter.database == "sqlite" %}
import sqlite3
import threading
{% endif %}
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import MetaData, String, func, make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.dependencies import SessionDep
from app.main import create_app
from app.settings import Settings
{% if cookiecutter.database == "postgresql" %}

SLEEP, NO_LIMIT = "SELECT pg_sleep(3.5)", "SET statement_timeout = 0"
{% elif cookiecutter.database == "mariadb" %}

SLEEP, NO_LIMIT = "SELECT SLEEP(3.5)", "SET max_statement_time = 0"
{% endif %}

OLD = datetime(2000, 1, 1, tzinfo=UTC)


class Draft(Base):
    """A draft, with a time that the database computes. Its table is not part of the application."""

    __tablename__ = "drafts"
    __table_args__ = ({"prefixes": ["TEMPORARY"]},)
    metadata = MetaData()

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(onupdate=func.now())


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


{% if cookiecutter.database == "sqlite" %}
@pytest.mark.parametrize(("seconds", "status"), [(1, 503), (10, 200)])
def test_locked_database(settings: Settings, seconds: int, status: int) -> None:
    """A statement waits for a lock for STATEMENT_SECONDS."""
    app = create_app(settings.model_copy(update={"statement_seconds": seconds}))

    @app.get("/write")
    async def write(session: SessionDep) -> None:
        await session.execute(text("BEGIN IMMEDIATE"))

    with TestClient(app) as client:
        # Switches to WAL, if no connection has yet: SQLite doesn't wait for a lock then.
        assert client.get("/write").status_code == 200
        other = sqlite3.connect(str(settings.database_url.database), check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        unlock = threading.Timer(3.5, other.close)
        unlock.start()
        assert client.get("/write").status_code == status
        unlock.join()
{% else %}
@pytest.mark.parametrize(
    ("seconds", "statements", "status"),
    [(1, [SLEEP], 503), (1, [NO_LIMIT, SLEEP], 503), (10, [SLEEP], 200)],
    ids=["server gives up", "client gives up", "enough time"],
)
def test_slow_statement(settings: Settings, seconds: int, statements: list[str], status: int) -> None:
    """A statement may take STATEMENT_SECONDS."""
    app = create_app(settings.model_copy(update={"statement_seconds": seconds}))

    @app.get("/sleep")
    async def sleep(session: SessionDep) -> None:
        for statement in statements:
            await session.execute(text(statement))

    with TestClient(app) as client:
        assert client.get("/sleep").status_code == status
{% endif %}


def test_constraint(app: FastAPI, client: TestClient) -> None:
    """Data that a constraint refuses is a conflict."""

    @app.get("/conflict")
    async def conflict() -> None:
        raise IntegrityError("INSERT", {}, ValueError("UNIQUE constraint failed"))

    response = client.get("/conflict")
    assert (response.status_code, response.json()["title"]) == (409, "Conflict")
    assert "INSERT" not in response.text


def test_value_computed_by_the_database(app: FastAPI, client: TestClient) -> None:
    """What the database computes in an update can be read after the commit."""

    @app.get("/change")
    async def change(session: SessionDep) -> datetime:
        connection = await session.connection()
        await connection.run_sync(Draft.metadata.create_all)
        draft = Draft(text="first", changed_at=OLD)
        session.add(draft)
        await session.commit()
        draft.text = "second"
        await session.commit()
        return draft.changed_at

    response = client.get("/change")
    assert response.status_code == 200
    assert datetime.fromisoformat(response.json()) > OLD
