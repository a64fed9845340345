"""Answers to database errors: 503 for an outage, 409 for a conflict, 500 for a mistake in a statement."""

import dataclasses
{% if cookiecutter.database == "sqlite" %}
import sqlite3
import threading
{% else %}
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
{% endif %}
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Column, Integer, MetaData, String, Table, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, db
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


def add_route(app: Flask) -> None:
    """Add a route that asks the database."""

    @app.get("/ask")
    def ask() -> str:
        db.session.execute(text("SELECT 1"))
        return "answered"


def test_database_is_down(settings: Settings) -> None:
    """Without a database there is an answer that says when to try again."""
{% if cookiecutter.database == "sqlite" %}
    url = settings.database_url.set(database="/nowhere/app.db")
{% else %}
    url = settings.database_url.set(host="127.0.0.1", port=1)
{% endif %}
    app = create_app(dataclasses.replace(settings, database_url=url))
    add_route(app)
    response = app.test_client().get("/ask")
    assert (response.status_code, response.content_type) == (503, "application/problem+json")
    assert int(response.headers["Retry-After"]) > 0
{% if cookiecutter.database != "sqlite" %}


def test_pool_is_exhausted(settings: Settings) -> None:
    """While all connections are in use, other requests don't wait for long."""
    app = create_app(dataclasses.replace(settings, pool_size=1))
    add_route(app)
    with app.app_context():
        connection = db.engine.connect()
    assert app.test_client().get("/ask").status_code == 503
    connection.close()
    assert app.test_client().get("/ask").status_code == 200


def test_pool_is_fair(app: Flask) -> None:
    """A free connection goes to the thread that has waited longest, not to the one that asks next."""
    with app.app_context():
        engine = db.engines["probe"]  # one connection
    turns: list[int] = []

    def ask(number: int) -> None:
        while len(turns) < 200:
            with engine.connect():
                turns.append(number)
                time.sleep(0.001)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    assert min(Counter(turns)[number] for number in range(4)) > 20


def test_broken_connection(settings: Settings) -> None:
    """A connection that breaks while nobody uses it is replaced, and no request fails."""
    app = create_app(dataclasses.replace(settings, pool_size=1))
    add_route(app)
    with app.app_context(), db.engine.connect() as connection:
        unused = connection.connection.driver_connection
    unused.close()
    assert app.test_client().get("/ask").status_code == 200
{% endif %}
{% if cookiecutter.database == "mariadb" %}


def test_isolation(app: Flask) -> None:
    """Each statement sees what other transactions have committed."""
    with app.app_context():
        assert db.session.scalar(text("SELECT @@transaction_isolation")) == "READ-COMMITTED"
{% endif %}


{% if cookiecutter.database == "sqlite" %}
@pytest.mark.parametrize(("seconds", "status"), [(1, 503), (10, 200)])
def test_locked_database(settings: Settings, seconds: int, status: int) -> None:
    """A statement that writes waits for a lock for STATEMENT_SECONDS; one that reads doesn't wait."""
    app = create_app(dataclasses.replace(settings, statement_seconds=seconds))

    @app.get("/read")
    def read() -> str:
        db.session.execute(text("SELECT count(*) FROM sqlite_schema"))
        return "read"

    @app.get("/write")
    def write() -> str:
        db.session.execute(text("BEGIN IMMEDIATE"))
        return "written"

    client = app.test_client()
    # Switches to WAL, if no connection has yet: SQLite doesn't wait for a lock then.
    assert client.get("/write").status_code == 200
    other = sqlite3.connect(settings.database_url.database, check_same_thread=False)
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
    app = create_app(dataclasses.replace(settings, statement_seconds=seconds))

    @app.get("/sleep")
    def sleep() -> str:
        for statement in statements:
            db.session.execute(text(statement))
        return "slept"

    assert app.test_client().get("/sleep").status_code == status
{% endif %}


def test_unique_violation(app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """A second row with a unique value is a conflict; the answer doesn't show the statement, nor the log the row."""

    @app.get("/book")
    def book() -> str:
        SEATS.create(db.session.connection())
        for _ in range(2):
            db.session.execute(SEATS.insert().values(number=1, guest="Ada"))
        return "booked twice"

    response = client.get("/book")
    assert (response.status_code, response.json["title"]) == (409, "Conflict")
    assert "seats" not in response.text
    assert "constraint violated" in caplog.text
    assert "Ada" not in caplog.text
{% if cookiecutter.database == "sqlite" %}


def test_foreign_key(app: Flask, client: FlaskClient) -> None:
    """A row that refers to one that isn't there is a conflict: SQLite checks that only if it is told to."""

    @app.get("/refer")
    def refer() -> str:
        db.session.execute(text("CREATE TEMPORARY TABLE rooms (id INTEGER PRIMARY KEY)"))
        db.session.execute(text("CREATE TEMPORARY TABLE doors (room INTEGER REFERENCES rooms)"))
        db.session.execute(text("INSERT INTO doors VALUES (1)"))
        return "referred"

    assert client.get("/refer").status_code == 409
{% endif %}


@pytest.mark.parametrize("statement", ["SELECT 1 FROM missing", "SELECT missing"], ids=["table", "column"])
def test_wrong_statement(app: Flask, client: FlaskClient, statement: str) -> None:
    """A missing table or column is a mistake, which doesn't pass if the client tries again."""

    @app.get("/select")
    def select() -> str:
        db.session.execute(text(statement))
        return "selected"

    assert client.get("/select").status_code == 500


def test_written_values_stay(app: Flask, client: FlaskClient) -> None:
    """What has been written is answered without another connection: the pool may be exhausted by then."""

    @app.get("/write")
    def write() -> list[Any]:
        Draft.metadata.create_all(db.session.connection())
        draft = Draft(text="first", changed_at=OLD)
        db.session.add(draft)
        db.session.commit()
        return [draft.id, draft.text, db.session().in_transaction()]

    assert client.get("/write").json == [1, "first", False]


def test_value_computed_by_the_database(app: Flask, client: FlaskClient) -> None:
    """What the database computes in an update can be read after the commit."""

    @app.get("/change")
    def change() -> str:
        Draft.metadata.create_all(db.session.connection())
        draft = Draft(text="first", changed_at=OLD)
        db.session.add(draft)
        db.session.commit()
        draft.text = "second"
        db.session.commit()
        return draft.changed_at.isoformat()

    response = client.get("/change")
    assert response.status_code == 200
    assert datetime.fromisoformat(response.text) > OLD
