"""A database that is away or busy is answered with 503, and a broken constraint with 409."""

from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import MetaData, String, func, make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.dependencies import SessionDep
from app.main import create_app
from app.settings import Settings

OLD = datetime(2000, 1, 1, tzinfo=UTC)


class Draft(Base):
    """A draft, with a time that the database computes. Its table is none of the application's."""

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
