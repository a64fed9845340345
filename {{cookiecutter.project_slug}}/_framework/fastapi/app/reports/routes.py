"""Reports over HTTP."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request, Response
from rq.exceptions import NoSuchJobError
from rq.job import Job

from app.dependencies import QueueDep
from app.queue import fetch_job, job_status
{% if cookiecutter.sample == "products" %}
from app.reports.job import summarise_catalogue
{% else %}
from app.reports.job import describe_worker
{% endif %}
from app.reports.schemas import Report

router = APIRouter(prefix="/reports", tags=["reports"])


def describe_job(job: Job) -> Report:
    """Return how far a job has come, and its result."""
    status = job_status(job)
    return Report(id=job.id, status=status, result=job.return_value() if status == "finished" else None)


# Not `async def`: RQ blocks while it waits for Redis, so FastAPI has to run these in a thread.
@router.post("", status_code=HTTPStatus.ACCEPTED)
def create_report(queue: QueueDep, request: Request, response: Response) -> Report:
    """Ask for a report."""
{% if cookiecutter.sample == "products" %}
    job = queue.enqueue(summarise_catalogue)
{% else %}
    job = queue.enqueue(describe_worker)
{% endif %}
    response.headers["Location"] = f"{request.url.path}/{job.id}"
    return describe_job(job)


@router.get("/{report_id}")
def get_report(report_id: str, queue: QueueDep) -> Report:
    """Return a report and its progress."""
    try:
        return describe_job(fetch_job(queue, report_id))
    except NoSuchJobError:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such report.") from None
