"""Fixtures: the application and its test client{{ ", with a database and a Redis of their own" if cookiecutter.database != "none" and cookiecutter.redis != "none" else ", with a database of their own" if cookiecutter.database != "none" else ", with a Redis of their own" if cookiecutter.redis != "none" else "" }}."""

{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
import os
{% endif %}
from collections.abc import Iterator

import pytest
{% if cookiecutter.database != "none" %}
from alembic import command
from alembic.config import Config
{% endif %}
from flask import Flask
from flask.testing import FlaskClient
{% if cookiecutter.redis != "none" %}
from redis import Redis
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
from sqlalchemy import create_engine, text
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
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENVIRONMENT", "development")
{% if cookiecutter.redis != "none" %}
        environment.setenv("REDIS_URL", os.environ["TEST_REDIS_URL"])
{% endif %}
{% if cookiecutter.database == "sqlite" %}
        environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('data') / 'test.db'}")
{% elif cookiecutter.database != "none" %}
        environment.setenv("DATABASE_URL", os.environ["TEST_DATABASE_URL"])
        create_database()
{% endif %}
{% if cookiecutter.database != "none" %}
        command.upgrade(Config("migrations/alembic.ini"), "head")
{% endif %}
        yield


@pytest.fixture
def settings() -> Settings:
    """Return the settings of the tests; `dataclasses.replace(settings, …)` changes one."""
    return load_settings()


@pytest.fixture
def app(settings: Settings) -> Flask:
    """Return the application."""
{% if cookiecutter.redis != "none" %}
    Redis.from_url(settings.redis_url).flushdb()
{% endif %}
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a test client of the application."""
    return app.test_client()
{% if cookiecutter.database in ("postgresql", "mariadb") %}


def create_database() -> None:
    """Create the tests' database; drop the one of an earlier run."""
    url = load_settings().database_url
{% if cookiecutter.database == "postgresql" %}
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
{% else %}
    engine = create_engine(url.set(database="mysql"), isolation_level="AUTOCOMMIT")
{% endif %}
    with engine.connect() as connection:
{% if cookiecutter.database == "postgresql" %}
        # FORCE disconnects other clients.
        connection.execute(text(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)"))
{% else %}
        # Another client's open transaction blocks this: fail instead of waiting for a day.
        connection.execute(text("SET lock_wait_timeout = 5"))
        connection.execute(text(f"DROP DATABASE IF EXISTS {url.database}"))
{% endif %}
        connection.execute(text(f"CREATE DATABASE {url.database}"))
    engine.dispose()
{% endif %}
