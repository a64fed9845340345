"""The RQ queue: the connection, the options of a job, and its status."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

{% if cookiecutter.framework == "flask" %}
from flask import Flask, Response, current_app
{% else %}
from fastapi import FastAPI, Request, Response
{% endif %}
from redis import Redis, RedisError
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.problems import problem
{% if cookiecutter.framework == "flask" %}
from app.settings import Settings
{% endif %}

logger = logging.getLogger(__name__)

{% if cookiecutter.deploy == "swarm" %}
# stop_grace_period in compose.prod.yaml and stack.yaml is ten seconds longer, so that a running job can finish.
{% elif cookiecutter.deploy == "kubernetes" %}
# stop_grace_period in compose.prod.yaml and terminationGracePeriodSeconds in k8s/base/worker.yaml are ten seconds longer,
# so that a running job can finish.
{% else %}
# stop_grace_period in compose.prod.yaml is ten seconds longer, so that a running job can finish.
{% endif %}
{% if cookiecutter.database != "none" %}
# STATEMENT_SECONDS of the worker, in {{ "the compose files and stack.yaml" if cookiecutter.deploy == "swarm" else "the compose files and k8s/base/worker.yaml" if cookiecutter.deploy == "kubernetes" else "both compose files" }}, is the same.
{% endif %}
TIMEOUT_SECONDS = 300
KEEP_SECONDS = 24 * 60 * 60

# For queue.enqueue(). A job runs again when it raises or its worker dies: leave `retry` out if it can't run twice.
JOB_OPTIONS: dict[str, Any] = {"retry": Retry(max=2), "result_ttl": KEEP_SECONDS, "failure_ttl": KEEP_SECONDS}

# Any other status means that it has not run yet: "queued".
STATUSES = {
    JobStatus.STARTED: "started",
    JobStatus.FINISHED: "finished",
    JobStatus.FAILED: "failed",
    JobStatus.STOPPED: "failed",
    JobStatus.CANCELED: "failed",
}


def connect(redis_url: str) -> Queue:
    """Return the queue. Redis has two seconds to accept a connection, and two seconds to answer."""
    redis = Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2)
    # RQ's default serializer is pickle: anyone who can write to Redis could run code in the worker.
    return Queue(connection=redis, serializer=JSONSerializer, default_timeout=TIMEOUT_SECONDS)


def fetch_job(queue: Queue, job_id: str, function: Callable[..., Any]) -> Job:
    """Return a job that calls the function; raise NoSuchJobError if there is none with this id."""
    try:
        job = Job.fetch(job_id, connection=queue.connection, serializer=queue.serializer)
    except ValueError as error:  # RQ takes no such id
        raise NoSuchJobError(job_id) from error
    # RQ ignores what follows a colon. A job of another function is for another route to show.
    if job.id != job_id or job.func_name != f"{function.__module__}.{function.__qualname__}":
        raise NoSuchJobError(job_id)
    return job


def job_status(job: Job) -> str:
    """Return queued, started, finished or failed, as of when the job was fetched."""
    return STATUSES.get(job.get_status(refresh=False), "queued")
{% if cookiecutter.framework == "flask" %}


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its queue, and answer 503 when Redis can't be reached."""
    app.extensions["queue"] = connect(settings.redis_url)
    app.register_error_handler(RedisError, handle_unavailable)


def current_queue() -> Queue:
    """Return the application's queue."""
    queue: Queue = current_app.extensions["queue"]
    return queue


def handle_unavailable(error: Exception) -> Response:
    """Answer 503 when Redis can't be reached or takes too long."""
    logger.error("queue unavailable: %s", error)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "The queue is unavailable at the moment.", headers={"Retry-After": "5"}
    )
{% else %}


def add_error_handlers(app: FastAPI) -> None:
    """Answer 503 when Redis can't be reached."""
    app.add_exception_handler(RedisError, handle_unavailable)


async def handle_unavailable(_request: Request, error: Exception) -> Response:
    """Answer 503 when Redis can't be reached or takes too long."""
    logger.error("queue unavailable: %s", error)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "The queue is unavailable at the moment.", headers={"Retry-After": "5"}
    )
{% endif %}
