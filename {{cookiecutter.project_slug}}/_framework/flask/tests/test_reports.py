"""Reports: enqueued over HTTP, made by a worker."""

import dataclasses
{% if cookiecutter.sample == "products" and cookiecutter.database != "none" %}
from decimal import Decimal
{% endif %}
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from rq import SimpleWorker
from rq.job import Job, JobStatus

from app.main import create_app
from app.queue import current_queue
from app.reports import job, routes
from app.settings import Settings


def run_jobs(app: Flask) -> None:
    """Run all enqueued jobs, as the worker does."""
    with app.app_context():
        queue = current_queue()
        SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True)


def make_report(app: Flask, client: FlaskClient) -> dict[str, Any]:
    """Create a report, run its job, and return it."""
    response = client.post("/reports")
    assert (response.status_code, response.json["status"], response.json["result"]) == (202, "queued", None)
    run_jobs(app)
    report: dict[str, Any] = client.get(response.headers["Location"]).json
    assert report["id"] == response.json["id"]
    return report


def hours_left(app: Flask, report: dict[str, Any]) -> float:
    """Return for how many more hours Redis keeps a report."""
    with app.app_context():
        connection = current_queue().connection
    return connection.ttl(Job.key_for(report["id"])) / 3600


{% if cookiecutter.sample == "none" %}
def test_report(app: Flask, client: FlaskClient) -> None:
    """A report says where its job ran."""
    report = make_report(app, client)
    assert report["status"] == "finished"
    assert report["result"].keys() == {"host", "python"}
{% elif cookiecutter.database == "none" %}
def test_report(app: Flask, client: FlaskClient) -> None:
    """A report counts the products and values their stock."""
    report = make_report(app, client)
    assert (report["status"], report["result"]) == ("finished", {"products": 3, "stock_value": "1155.50"})
{% else %}
def test_report(app: Flask, client: FlaskClient) -> None:
    """A report counts the products and values their stock."""
    before = make_report(app, client)["result"]
    client.post("/products", json={"name": "Ink", "price": "12.50", "stock": 2})
    report = make_report(app, client)
    assert report["status"] == "finished"
    assert report["result"]["products"] == before["products"] + 1
    assert Decimal(report["result"]["stock_value"]) == Decimal(before["stock_value"]) + 25


def test_large_report(app: Flask, client: FlaskClient) -> None:
    """A sum that no integer of the database can hold is a number like any other."""
    product = client.post("/products", json={"name": "Ink", "price": "9999999999.99", "stock": 2**31 - 1})
    assert make_report(app, client)["status"] == "finished"
    assert client.delete(product.headers["Location"]).status_code == 204
{% endif %}


def test_report_is_kept(app: Flask, client: FlaskClient) -> None:
    """A report can be read for a day."""
    assert 23 < hours_left(app, make_report(app, client)) <= 24


def test_failed_report(monkeypatch: pytest.MonkeyPatch, app: Flask, client: FlaskClient) -> None:
    """A job that raises makes a failed report, which can be read for a day, too."""
    response = client.post("/reports")
{% if cookiecutter.sample == "products" %}
    monkeypatch.delattr(job, "summarise_catalogue")
{% else %}
    monkeypatch.delattr(job, "describe_worker")
{% endif %}
    run_jobs(app)
    report = client.get(response.headers["Location"]).json
    assert report["status"] == "failed"
    assert 23 < hours_left(app, report) <= 24


@pytest.mark.parametrize(
    ("status", "shown"),
    [("deferred", "queued"), ("scheduled", "queued"), ("stopped", "failed"), ("canceled", "failed")],
)
def test_status(app: Flask, client: FlaskClient, status: str, shown: str) -> None:
    """A job that will not run any more has failed, whatever RQ calls it."""
    report = client.post("/reports").json
    with app.app_context():
        job = current_queue().fetch_job(report["id"])
    job.set_status(JobStatus(status))
    assert client.get(f"/reports/{report['id']}").json == report | {"status": shown}


@pytest.mark.parametrize("report_id", ["unknown", "no.id", "x" * 500, "%FF"])
def test_not_found(client: FlaskClient, report_id: str) -> None:
    """There is no report that nobody created."""
    assert client.get(f"/reports/{report_id}").status_code == 404


def test_another_job(app: Flask, client: FlaskClient) -> None:
    """A job of another function isn't shown as a report."""
    with app.app_context():
        other = current_queue().enqueue("operator.add", 1, 2)
    assert client.get(f"/reports/{other.id}").status_code == 404


def test_location_of_copy(app: Flask, client: FlaskClient) -> None:
    """The location of a copy of the blueprint leads to the copy."""
    app.register_blueprint(routes.blueprint, name="summaries", url_prefix="/summaries")
    location = client.post("/summaries").headers["Location"]
    assert location.startswith("/summaries/")
    assert client.get(location).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/reports"), ("GET", "/reports/some")])
def test_redis_is_down(settings: Settings, method: str, path: str) -> None:
    """Without Redis there is an answer that says when to try again."""
    app = create_app(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    response = app.test_client().open(path, method=method)
    assert (response.status_code, response.content_type) == (503, "application/problem+json")
    assert int(response.headers["Retry-After"]) > 0
