"""Reports over HTTP: slow work that a worker does, while the client asks for its progress."""

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, abort, current_app, url_for
from flask_smorest import Blueprint
from redis import RedisError
from rq.exceptions import NoSuchJobError

from app import jobs
from app.problems import Problem, problem
from app.schemas import Report
from app.settings import Settings

logger = logging.getLogger(__name__)

blueprint = Blueprint("reports", __name__, url_prefix="/reports", description="Reports, made by a worker")


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its queue; answer 503 while Redis is out of reach."""
    app.extensions["queue"] = jobs.connect(settings.redis_url)
    app.register_error_handler(RedisError, unavailable)


def unavailable(error: Exception) -> Response:
    """Answer a request that needs the queue while Redis is out of reach."""
    logger.error("the queue does not answer: %s", error)
    return problem(503, "The queue does not answer.")


@blueprint.post("")
@blueprint.response(HTTPStatus.ACCEPTED, Report)
def create() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Ask for a report."""
    job = jobs.enqueue_report(current_app.extensions["queue"])
    return jobs.progress(job), HTTPStatus.ACCEPTED, {"Location": url_for("reports.show", report_id=job.id)}


@blueprint.get("/<report_id>")
@blueprint.response(HTTPStatus.OK, Report)
@blueprint.alt_response(HTTPStatus.NOT_FOUND, schema=Problem)
def show(report_id: str) -> dict[str, Any]:
    """Return a report, as far as it has come."""
    try:
        return jobs.progress(jobs.find_report(current_app.extensions["queue"], report_id))
    except NoSuchJobError:
        abort(HTTPStatus.NOT_FOUND, f"There is no report {report_id}.")
