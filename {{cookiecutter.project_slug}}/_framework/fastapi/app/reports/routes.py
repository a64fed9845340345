"""The reports over HTTP: a request enqueues a job, the worker runs it, and the client polls for the result."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request, Response
from rq.exceptions import NoSuchJobError
from rq.job import Job

from app.dependencies import QueueDep
from app.queue import JOB_OPTIONS, fetch_job, job_status
{% if cookiecutter.sample == "products" %}
from app.reports.job import summarise_catalogue
{% else %}
from app.reports.job import describe_worker
{% endif %}
from app.reports.schemas import Report

router = APIRouter(prefix="/reports", tags=["reports"])


# Not `async def`: RQ blocks while it waits for Redis, so FastAPI has to run these in a thread.
@router.post("", status_code=HTTPStatus.ACCEPTED)
def create_report(queue: QueueDep, request: Request, response: Response) -> Report:
    """Enqueue a report."""
{% if cookiecutter.sample == "products" %}
    job = queue.enqueue(summarise_catalogue, **JOB_OPTIONS)
{% else %}
    job = queue.enqueue(describe_worker, **JOB_OPTIONS)
{% endif %}
    response.headers["Location"] = f"{request.url.path}/{job.id}"
    return describe(job)


@router.get("/{report_id}")
def get_report(report_id: str, queue: QueueDep) -> Report:
    """Return a report and its progress."""
    try:
{% if cookiecutter.sample == "products" %}
        return describe(fetch_job(queue, report_id, summarise_catalogue))
{% else %}
        return describe(fetch_job(queue, report_id, describe_worker))
{% endif %}
    except NoSuchJobError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no report {report_id}.") from None


def describe(job: Job) -> Report:
    """Return a job as the API describes it."""
    status = job_status(job)
    return Report(id=job.id, status=status, result=job.return_value() if status == "finished" else None)
