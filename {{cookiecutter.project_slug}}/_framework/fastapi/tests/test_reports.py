"""Reports: enqueued over HTTP, made by a worker."""

{% if cookiecutter.sample == "products" and cookiecutter.database != "none" %}
from decimal import Decimal
{% endif %}
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rq import SimpleWorker
from rq.job import Job, JobStatus

from app import queue
from app.main import create_app
from app.reports import job
from app.settings import Settings


def run_jobs(settings: Settings) -> None:
    """Run all enqueued jobs, as the worker does."""
    jobs = queue.connect(settings.redis_url)
    SimpleWorker([jobs], connection=jobs.connection, serializer=jobs.serializer).work(burst=True)


def make_report(settings: Settings, client: TestClient) -> dict[str, Any]:
    """Create a report, run its job, and return it."""
    response = client.post("/reports")
    assert (response.status_code, response.json()["status"], response.json()["result"]) == (202, "queued", None)
    run_jobs(settings)
    report: dict[str, Any] = client.get(response.headers["Location"]).json()
    assert report["id"] == response.json()["id"]
    return report


def hours_left(settings: Settings, report: dict[str, Any]) -> float:
    """Return for how many more hours Redis keeps a report."""
    connection = queue.connect(settings.redis_url).connection
    return connection.ttl(Job.key_for(report["id"])) / 3600


{% if cookiecutter.sample == "none" %}
def test_report(settings: Settings, client: TestClient) -> None:
    """A report says where its job ran."""
    report = make_report(settings, client)
    assert report["status"] == "finished"
    assert report["result"].keys() == {"host", "python"}
{% elif cookiecutter.database == "none" %}
def test_report(settings: Settings, client: TestClient) -> None:
    """A report counts the products and values their stock."""
    report = make_report(settings, client)
    assert (report["status"], report["result"]) == ("finished", {"products": 3, "stock_value": "1155.50"})
{% else %}
def test_report(settings: Settings, client: TestClient) -> None:
    """A report counts the products and values their stock."""
    before = make_report(settings, client)["result"]
    client.post("/products", json={"name": "Ink", "price": "12.50", "stock": 2})
    report = make_report(settings, client)
    assert report["status"] == "finished"
    assert report["result"]["products"] == before["products"] + 1
    assert Decimal(report["result"]["stock_value"]) == Decimal(before["stock_value"]) + 25


def test_large_report(settings: Settings, client: TestClient) -> None:
    """A sum that no integer of the database can hold is a number like any other."""
    product = client.post("/products", json={"name": "Ink", "price": "9999999999.99", "stock": 2**31 - 1})
    assert make_report(settings, client)["status"] == "finished"
    assert client.delete(product.headers["Location"]).status_code == 204
{% endif %}


def test_report_is_kept(settings: Settings, client: TestClient) -> None:
    """A report can be read for a day."""
    assert 23 < hours_left(settings, make_report(settings, client)) <= 24


def test_failed_report(monkeypatch: pytest.MonkeyPatch, settings: Settings, client: TestClient) -> None:
    """A job that raises makes a failed report, which can be read for a day, too."""
    response = client.post("/reports")
{% if cookiecutter.sample == "products" %}
    monkeypatch.delattr(job, "summarise_catalogue")
{% else %}
    monkeypatch.delattr(job, "describe_worker")
{% endif %}
    run_jobs(settings)
    report = client.get(response.headers["Location"]).json()
    assert report["status"] == "failed"
    assert 23 < hours_left(settings, report) <= 24


@pytest.mark.parametrize(
    ("status", "shown"),
    [("deferred", "queued"), ("scheduled", "queued"), ("stopped", "failed"), ("canceled", "failed")],
)
def test_status(settings: Settings, client: TestClient, status: str, shown: str) -> None:
    """A job that will not run any more has failed, whatever RQ calls it."""
    report = client.post("/reports").json()
    job = queue.connect(settings.redis_url).fetch_job(report["id"])
    assert job
    job.set_status(JobStatus(status))
    assert client.get(f"/reports/{report['id']}").json() == report | {"status": shown}


@pytest.mark.parametrize("report_id", ["unknown", "no.id", "x" * 500, "%FF"])
def test_not_found(client: TestClient, report_id: str) -> None:
    """There is no report that nobody created."""
    assert client.get(f"/reports/{report_id}").status_code == 404


def test_another_job(settings: Settings, client: TestClient) -> None:
    """A job of another function isn't shown as a report."""
    other = queue.connect(settings.redis_url).enqueue("operator.add", 1, 2)
    assert client.get(f"/reports/{other.id}").status_code == 404


def test_redis_is_down(settings: Settings) -> None:
    """Without Redis there is an answer that says when to try again."""
    with TestClient(create_app(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))) as client:
        response = client.post("/reports")
    assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(response.headers["Retry-After"]) > 0
