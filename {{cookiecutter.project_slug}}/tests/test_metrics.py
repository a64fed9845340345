"""The metrics: nothing is served unless it is asked for, and requests are counted by route."""

{% if cookiecutter.framework == "flask" %}
import dataclasses
{% endif %}
import logging
{% if cookiecutter.framework == "fastapi" %}
from collections.abc import Iterator
{% endif %}
{% if cookiecutter.database != "none" %}
from typing import NoReturn
{% endif %}

import pytest
{% if cookiecutter.framework == "flask" %}
from flask.testing import FlaskClient
{% else %}
from fastapi.testclient import TestClient
{% endif %}
{% if cookiecutter.database != "none" %}
from prometheus_client import REGISTRY
from sqlalchemy import QueuePool, create_engine, event
{% endif %}

from app.main import create_app
{% if cookiecutter.database != "none" %}
from app.metrics import watch_pool
{% endif %}
from app.settings import Settings


@pytest.fixture
{% if cookiecutter.framework == "flask" %}
def measured(settings: Settings) -> FlaskClient:
    """Return a test client of an application that serves metrics."""
    return create_app(dataclasses.replace(settings, metrics=True)).test_client()
{% else %}
def measured(settings: Settings) -> Iterator[TestClient]:
    """Return a test client of an application that serves metrics."""
    with TestClient(create_app(settings.model_copy(update={"metrics": True}))) as client:
        yield client
{% endif %}


{% if cookiecutter.framework == "flask" %}
def test_off(client: FlaskClient) -> None:
{% else %}
def test_off(client: TestClient) -> None:
{% endif %}
    """By default there are no metrics."""
    assert client.get("/metrics").status_code == 404


{% if cookiecutter.framework == "flask" %}
def test_requests(measured: FlaskClient) -> None:
{% else %}
def test_requests(measured: TestClient) -> None:
{% endif %}
    """A request is counted under its route and status; one without a route under "none"."""
    measured.get("/health")
    measured.get("/nowhere/1")
    lines = measured.get("/metrics").text.splitlines()
    for route, status in (("/health", 200), ("none", 404)):
        labels = f'method="GET",route="{route}",status="{status}"'
        assert "http_request_duration_seconds_count{" + labels + "} 1.0" in lines
{% if "queue" in cookiecutter.redis %}
    assert 'queue_jobs{status="queued"} 0.0' in lines
{% endif %}


{% if cookiecutter.framework == "flask" %}
def test_invented_methods(measured: FlaskClient) -> None:
    """Clients can't make up metrics: methods that nobody knows are counted as one."""
    measured.open("/health", method="INVENTED")
{% else %}
def test_invented_methods(measured: TestClient) -> None:
    """Clients can't make up metrics: methods that nobody knows are counted as one."""
    measured.request("INVENTED", "/health")
{% endif %}
    text = measured.get("/metrics").text
    assert "INVENTED" not in text
    assert 'method="other"' in text


{% if cookiecutter.framework == "flask" %}
def test_request_log(measured: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
{% else %}
def test_request_log(measured: TestClient, caplog: pytest.LogCaptureFixture) -> None:
{% endif %}
    """The requests of Prometheus are not logged."""
    with caplog.at_level(logging.INFO, logger="app.requests"):
        measured.get("/metrics")
        measured.get("/docs")
    messages = [record.getMessage() for record in caplog.records if record.name == "app.requests"]
    assert messages == ["GET /docs 200"]
{% if cookiecutter.database != "none" %}


def test_pool_while_the_database_is_down() -> None:
    """Connections that could not be opened don't count as returned."""

    def refuse(*_: object) -> NoReturn:
        raise ConnectionRefusedError

    engine = create_engine("sqlite://", poolclass=QueuePool)
    watch_pool(engine)
    with engine.connect() as connection:
        assert REGISTRY.get_sample_value("database_pool_connections_used") == 1
        connection.invalidate()
    event.listen(engine, "do_connect", refuse)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            engine.connect()
    assert REGISTRY.get_sample_value("database_pool_connections_used") == 0
{% endif %}
