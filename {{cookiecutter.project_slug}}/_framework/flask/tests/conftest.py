"""What the tests share: the application, and what it depends on, apart from the data of development."""

{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
import os
{% endif %}
from collections.abc import Iterator

import httpx
import pytest
{% if cookiecutter.database != "none" %}
from alembic import command
from alembic.config import Config
{% endif %}
{% if cookiecutter.redis != "none" %}
from redis import Redis
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
from sqlalchemy import create_engine, make_url, text
{% endif %}

from app.main import create_app


@pytest.fixture(scope="session")
{% if cookiecutter.database == "sqlite" %}
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the application an empty database{{ " and an empty Redis" if cookiecutter.redis != "none" else "" }}."""
{% elif cookiecutter.database != "none" %}
def services() -> Iterator[None]:
    """Give the application an empty database{{ " and an empty Redis" if cookiecutter.redis != "none" else "" }}."""
{% else %}
def services() -> Iterator[None]:
    """Give the application {{ "an empty Redis" if cookiecutter.redis != "none" else "its settings" }}."""
{% endif %}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENVIRONMENT", "development")
{% if cookiecutter.redis != "none" %}
        environment.setenv("REDIS_URL", os.environ["TEST_REDIS_URL"])
        Redis.from_url(os.environ["TEST_REDIS_URL"]).flushdb()
{% endif %}
{% if cookiecutter.database == "sqlite" %}
        database = tmp_path_factory.mktemp("data") / "test.db"
        environment.setenv("DATABASE_URL", f"sqlite:///{database}")
{% elif cookiecutter.database != "none" %}
        environment.setenv("DATABASE_URL", os.environ["TEST_DATABASE_URL"])
        create_database(os.environ["TEST_DATABASE_URL"])
{% endif %}
{% if cookiecutter.database != "none" %}
        command.upgrade(Config("migrations/alembic.ini"), "head")
{% endif %}
        yield


@pytest.fixture(scope="session")
def client(services: None) -> Iterator[httpx.Client]:  # noqa: ARG001  # it has to be there
    """Return a client of the application."""
    with httpx.Client(transport=httpx.WSGITransport(app=create_app()), base_url="http://test") as client:
        yield client
{% if cookiecutter.database in ("postgresql", "mariadb") %}


def create_database(address: str) -> None:
    """Create the tests' own database, anew for every run."""
    url = make_url(address)
{% if cookiecutter.database == "postgresql" %}
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
{% else %}
    engine = create_engine(url.set(database="mysql"), isolation_level="AUTOCOMMIT")
{% endif %}
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {url.database}"))
        connection.execute(text(f"CREATE DATABASE {url.database}"))
    engine.dispose()
{% endif %}
