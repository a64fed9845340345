"""Whether a report that was asked for is made."""

import os
{% if cookiecutter.database != "none" %}
from decimal import Decimal
{% endif %}
from typing import Any

import httpx
from rq import SimpleWorker

from app import jobs
{% if cookiecutter.framework == "flask" %}
from app.main import create_app
{% endif %}


def work() -> None:
    """Do what the queue holds, as the worker does."""
    queue = jobs.connect(os.environ["REDIS_URL"])
{% if cookiecutter.framework == "flask" %}
    with create_app().app_context():
        SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True)
{% else %}
    SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True)
{% endif %}


def report(client: httpx.Client) -> dict[str, Any]:
    """Ask for a report, have it made, and return it."""
    response = client.post("/reports")
    address = response.headers["Location"]
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert client.get(address).json() == response.json()
    work()
    made: dict[str, Any] = client.get(address).json()
    return made


def test_report(client: httpx.Client) -> None:
    """A report waits in the queue until a worker makes it, and counts what is there."""
{% if cookiecutter.database == "none" %}
    made = report(client)
    assert made["status"] == "finished"
    assert made["result"] == {"products": 3, "stock_value": "1155.50"}
{% else %}
    before = report(client)["result"]
    client.post("/products", json={"name": "Ink", "price": "12.50", "stock": 2})
    made = report(client)
    assert made["status"] == "finished"
    assert made["result"]["products"] == before["products"] + 1
    assert Decimal(made["result"]["stock_value"]) == Decimal(before["stock_value"]) + 25
{% endif %}


def test_missing(client: httpx.Client) -> None:
    """A report that nobody asked for is not there."""
    assert client.get("/reports/none").status_code == 404
    assert client.get("/reports/no.id").status_code == 404
