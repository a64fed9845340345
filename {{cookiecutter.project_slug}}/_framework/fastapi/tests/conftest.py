"""Fixtures: the application and its test client{{ ", with a database and a Redis of their own" if cookiecutter.database != "none" and cookiecutter.redis != "none" else ", with a database of their own" if cookiecutter.database != "none" else ", with a Redis of their own" if cookiecutter.redis != "none" else "" }}."""

{% if cookiecutter.database in ("postgresql", "mariadb") %}
import asyncio
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
import os
{% endif %}
{% if cookiecutter.base_image == "alpine" %}
import threading
{% endif %}
from collections.abc import Iterator

import pytest
{% if cookiecutter.database != "none" %}
from alembic import command
from alembic.config import Config
{% endif %}
from fastapi import FastAPI
from fastapi.testclient import TestClient
{% if cookiecutter.redis != "none" %}
from redis import Redis
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
{% endif %}

from app.main import create_app
from app.settings import Settings, load_settings


@pytest.fixture(scope="session", autouse=True)
{% if cookiecutter.database == "sqlite" %}
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
{% else %}
def services() -> Iterator[None]:
{% endif %}
    """Set the environment of the tests{{ ", and migrate an empty database" if cookiecutter.database != "none" else "" }}."""
{% if cookiecutter.base_image == "alpine" %}
    # As in app/serve.py: the test client runs the application in a thread.
    threading.stack_size(8 * 1024 * 1024)
{% endif %}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENVIRONMENT", "development")
{% if cookiecutter.redis != "none" %}
        environment.setenv("REDIS_URL", os.environ["TEST_REDIS_URL"])
{% endif %}
{% if cookiecutter.database == "sqlite" %}
        environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('data') / 'test.db'}")
{% elif cookiecutter.database != "none" %}
        environment.setenv("DATABASE_URL", os.environ["TEST_DATABASE_URL"])
        asyncio.run(create_database())
{% endif %}
{% if cookiecutter.database != "none" %}
        command.upgrade(Config("migrations/alembic.ini"), "head")
{% endif %}
        yield


@pytest.fixture
def settings() -> Settings:
    """Return the settings of the tests; `settings.model_copy(update={…})` changes one."""
    return load_settings()


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return the application."""
{% if cookiecutter.redis != "none" %}
    Redis.from_url(settings.redis_url).flushdb()
{% endif %}
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Return a test client of the application; exceptions become responses, as they do in production."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
{% if cookiecutter.database in ("postgresql", "mariadb") %}


async def create_database() -> None:
    """Create the tests' database; drop the one of an earlier run."""
    url = load_settings().database_url
{% if cookiecutter.database == "postgresql" %}
    engine = create_async_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
{% else %}
    engine = create_async_engine(url.set(database="mysql"), isolation_level="AUTOCOMMIT")
{% endif %}
    async with engine.connect() as connection:
{% if cookiecutter.database == "postgresql" %}
        # FORCE disconnects other clients.
        await connection.execute(text(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)"))
{% else %}
        # Another client's open transaction blocks this: fail instead of waiting for a day.
        await connection.execute(text("SET lock_wait_timeout = 5"))
        await connection.execute(text(f"DROP DATABASE IF EXISTS {url.database}"))
{% endif %}
        await connection.execute(text(f"CREATE DATABASE {url.database}"))
    await engine.dispose()
{% endif %}
