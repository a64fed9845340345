"""Whether a report that was asked for is made."""

import os

import httpx
from rq import SimpleWorker

from app import jobs
{% if cookiecutter.framework == "flask" %}
from app.main import create_app
{% endif %}


def test_report(client: httpx.Client) -> None:
    """A report waits in the queue until a worker makes it."""
    response = client.post("/reports")
    address = response.headers["Location"]
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert client.get(address).json() == response.json()

    queue = jobs.connect(os.environ["REDIS_URL"])
{% if cookiecutter.framework == "flask" %}
    with create_app().app_context():
        SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True)
{% else %}
    SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True)
{% endif %}

    report = client.get(address).json()
    assert report["status"] == "finished"
    assert report["result"].keys() == {"products", "stock_value"}


def test_missing(client: httpx.Client) -> None:
    """A report that nobody asked for is not there."""
    assert client.get("/reports/none").status_code == 404
