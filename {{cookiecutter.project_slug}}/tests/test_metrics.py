"""The metrics: nothing is served unless it is asked for, and requests are counted by route."""

{% if cookiecutter.framework == "flask" %}
import dataclasses

from flask.testing import FlaskClient
{% else %}
from fastapi.testclient import TestClient
{% endif %}

from app.main import create_app
from app.settings import Settings


{% if cookiecutter.framework == "flask" %}
def test_off(client: FlaskClient) -> None:
{% else %}
def test_off(client: TestClient) -> None:
{% endif %}
    """By default there are no metrics."""
    assert client.get("/metrics").status_code == 404


def test_requests(settings: Settings) -> None:
    """A request is counted under its route and status; one without a route under none of its own."""
{% if cookiecutter.framework == "flask" %}
    client = create_app(dataclasses.replace(settings, metrics=True)).test_client()
    client.get("/health")
    client.get("/nowhere/1")
    lines = client.get("/metrics").text.splitlines()
{% else %}
    with TestClient(create_app(settings.model_copy(update={"metrics": True}))) as client:
        client.get("/health")
        client.get("/nowhere/1")
        lines = client.get("/metrics").text.splitlines()
{% endif %}
    for route, status in (("/health", 200), ("none", 404)):
        labels = f'method="GET",route="{route}",status="{status}"'
        assert "http_request_duration_seconds_count{" + labels + "} 1.0" in lines
{% if "queue" in cookiecutter.redis %}
    assert 'queue_jobs{status="queued"} 0.0' in lines
{% endif %}
