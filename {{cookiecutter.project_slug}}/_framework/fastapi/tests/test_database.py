"""A database that is away or busy is answered with 503, and a broken constraint with 409."""

{% if cookiecutter.database == "sqlite" %}
import sqlite3
import threading
{% else %}
import asyncio
{% endif %}
from datetime import UTC, datetime
{% if cookiecutter.database == "postgresql" %}
from typing import Annotated
{% elif cookiecutter.database == "mariadb" %}
from typing import Annotated, Any
{% endif %}

import pytest
{% if cookiecutter.database == "sqlite" %}
from fastapi import FastAPI
{% else %}
from fastapi import Depends, FastAPI
{% endif %}
from fastapi.testclient import TestClient
from sqlalchemy import Column, Integer, MetaData, String, Table, func, make_url, text
{% if cookiecutter.database != "sqlite" %}
from sqlalchemy.ext.asyncio import AsyncSession
{% endif %}
from sqlalchemy.orm import Mapped, mapped_column

{% if cookiecutter.database == "sqlite" %}
from app.database import Base
from app.dependencies import SessionDep
{% else %}
from app.database import Base, create_engine
from app.dependencies import SessionDep, open_session
{% endif %}
from app.main import create_app
from app.settings import Settings
{% if cookiecutter.database == "postgresql" %}

SLEEP, NO_LIMIT = "SELECT pg_sleep(3.5)", "SET statement_timeout = 0"
{% elif cookiecutter.database == "mariadb" %}

SLEEP, NO_LIMIT = "SELECT SLEEP(3.5)", "SET max_statement_time = 0"
{% endif %}

SEATS = Table(
    "seats",
    MetaData(),
    Column("number", Integer, unique=True),
    Column("guest", String(20)),
    prefixes=["TEMPORARY"],
)
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
{% if cookiecutter.database != "sqlite" %}


def test_pool_is_exhausted(settings: Settings) -> None:
    """With all of POOL_SIZE connections in use, a request that needs another one doesn't wait for long."""
    app = create_app(settings.model_copy(update={"pool_size": 1}))
    add_route(app)

    @app.get("/ask-twice")
    async def ask_twice(
        first: SessionDep, second: Annotated[AsyncSession, Depends(open_session, use_cache=False)]
    ) -> None:
        for session in (first, second):
            await session.execute(text("SELECT 1"))

    with TestClient(app) as client:
        assert client.get("/ask-twice").status_code == 503
        assert client.get("/ask").status_code == 200


def test_pool_is_fair(settings: Settings) -> None:
    """A free connection goes to the request that has waited longest, not to the one that asks next."""
    order = []

    async def ask_twice_while_another_waits() -> None:
        engine = create_engine(settings, pool_size=1)

        async def ask(name: str) -> None:
            async with engine.connect():
                order.append(name)

        connection = await engine.connect()
        waiting = asyncio.create_task(ask("waiting"))
        await asyncio.sleep(0)  # until it waits
        await connection.close()
        await ask("next")
        await waiting
        await engine.dispose()

    asyncio.run(ask_twice_while_another_waits())
    assert order == ["waiting", "next"]


def test_broken_connection(settings: Settings) -> None:
    """A connection that breaks while nobody uses it is replaced, and no request fails."""
    app = create_app(settings.model_copy(update={"pool_size": 1}))
    add_route(app)

    @app.get("/break")
    async def break_connection() -> None:
        async with app.state.engine.connect() as connection:
            unused = (await connection.get_raw_connection()).driver_connection
{% if cookiecutter.database == "postgresql" %}
        await unused.close()
{% else %}
        unused.close()
{% endif %}

    with TestClient(app) as client:
        assert client.get("/break").status_code == 200
        assert client.get("/ask").status_code == 200
{% endif %}
{% if cookiecutter.database == "mariadb" %}


def test_isolation(app: FastAPI, client: TestClient) -> None:
    """Each statement sees what other transactions have committed."""

    @app.get("/isolation")
    async def isolation(session: SessionDep) -> Any:
        return await session.scalar(text("SELECT @@transaction_isolation"))

    assert client.get("/isolation").json() == "READ-COMMITTED"
{% endif %}


{% if cookiecutter.database == "sqlite" %}
@pytest.mark.parametrize(("seconds", "status"), [(1, 503), (10, 200)])
def test_locked_database(settings: Settings, seconds: int, status: int) -> None:
    """A statement that writes waits for a lock for STATEMENT_SECONDS; one that reads doesn't wait."""
    app = create_app(settings.model_copy(update={"statement_seconds": seconds}))

    @app.get("/read")
    async def read(session: SessionDep) -> None:
        await session.execute(text("SELECT count(*) FROM sqlite_schema"))

    @app.get("/write")
    async def write(session: SessionDep) -> None:
        await session.execute(text("BEGIN IMMEDIATE"))

    with TestClient(app) as client:
        # Switches to WAL, if no connection has yet: SQLite doesn't wait for a lock then.
        assert client.get("/write").status_code == 200
        other = sqlite3.connect(str(settings.database_url.database), check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        unlock = threading.Timer(3.5, other.close)
        unlock.start()
        assert client.get("/read").status_code == 200
        assert unlock.is_alive()
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


def test_unique_violation(app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """A second row with a unique value is a conflict; the answer doesn't show the statement, nor the log the row."""

    @app.get("/book")
    async def book(session: SessionDep) -> None:
        connection = await session.connection()
        await connection.run_sync(SEATS.create)
        for _ in range(2):
            await session.execute(SEATS.insert().values(number=1, guest="Ada"))

    response = client.get("/book")
    assert (response.status_code, response.json()["title"]) == (409, "Conflict")
    assert "seats" not in response.text
    assert "constraint violated" in caplog.text
    assert "Ada" not in caplog.text
{% if cookiecutter.database == "sqlite" %}


def test_foreign_key(app: FastAPI, client: TestClient) -> None:
    """A row that refers to one that isn't there is a conflict: SQLite checks that only if it is told to."""

    @app.get("/refer")
    async def refer(session: SessionDep) -> None:
        await session.execute(text("CREATE TEMPORARY TABLE rooms (id INTEGER PRIMARY KEY)"))
        await session.execute(text("CREATE TEMPORARY TABLE doors (room INTEGER REFERENCES rooms)"))
        await session.execute(text("INSERT INTO doors VALUES (1)"))

    assert client.get("/refer").status_code == 409
{% endif %}


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
