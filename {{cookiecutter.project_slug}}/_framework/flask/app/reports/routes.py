"""The reports over HTTP: a request enqueues a job, the worker runs it, and the client polls for the result."""

from http import HTTPStatus
from typing import Any

from flask import abort, url_for
from rq.exceptions import NoSuchJobError
from rq.job import Job

from app.api import Blueprint
from app.queue import JOB_OPTIONS, current_queue, fetch_job, job_status
{% if cookiecutter.sample == "products" %}
from app.reports.job import summarise_catalogue
{% else %}
from app.reports.job import describe_worker
{% endif %}
from app.reports.schemas import ReportSchema

blueprint = Blueprint("reports", __name__, url_prefix="/reports", description="Reports, made by the worker")


@blueprint.post("")
@blueprint.response(HTTPStatus.ACCEPTED, ReportSchema)
def create_report() -> tuple[dict[str, Any], dict[str, str]]:
    """Enqueue a report."""
{% if cookiecutter.sample == "products" %}
    job = current_queue().enqueue(summarise_catalogue, **JOB_OPTIONS)
{% else %}
    job = current_queue().enqueue(describe_worker, **JOB_OPTIONS)
{% endif %}
    return describe(job), {"Location": url_for(".get_report", report_id=job.id)}


@blueprint.get("/<report_id>")
@blueprint.response(HTTPStatus.OK, ReportSchema)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
def get_report(report_id: str) -> dict[str, Any]:
    """Return a report and its progress."""
    try:
{% if cookiecutter.sample == "products" %}
        job = fetch_job(current_queue(), report_id, summarise_catalogue)
{% else %}
        job = fetch_job(current_queue(), report_id, describe_worker)
{% endif %}
    except NoSuchJobError:
        abort(HTTPStatus.NOT_FOUND, f"There is no report {report_id}.")
    return describe(job)


def describe(job: Job) -> dict[str, Any]:
    """Return the fields of ReportSchema."""
    status = job_status(job)
    return {"id": job.id, "status": status, "result": job.return_value() if status == "finished" else None}
