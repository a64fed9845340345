"""Reports over HTTP: slow work that a worker does, while the client asks for its progress."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from rq import Queue
from rq.exceptions import NoSuchJobError

from app import jobs
from app.problems import Problem
from app.schemas import Report

router = APIRouter(prefix="/reports", tags=["reports"])


def current_queue(request: Request) -> Queue:
    """Return the queue of the application that answers the request."""
    queue: Queue = request.app.state.queue
    return queue


CurrentQueue = Annotated[Queue, Depends(current_queue)]


# RQ waits for Redis: these run in a thread, so that no other request waits with them.
@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=Report)
def create(queue: CurrentQueue, request: Request, response: Response) -> dict[str, Any]:
    """Ask for a report."""
    job = jobs.enqueue_report(queue)
    response.headers["Location"] = request.app.url_path_for("show_report", report_id=job.id)
    return jobs.progress(job)


@router.get("/{report_id}", response_model=Report, responses={404: {"model": Problem}})
def show_report(queue: CurrentQueue, report_id: str) -> dict[str, Any]:
    """Return a report, as far as it has come."""
    try:
        return jobs.progress(jobs.find_report(queue, report_id))
    except NoSuchJobError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no report {report_id}.") from None
