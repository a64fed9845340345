"""The jobs that the web service hands to the worker, and the queue between the two."""

{% if cookiecutter.framework == "fastapi" and cookiecutter.database != "none" %}
import asyncio
{% endif %}
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app import catalogue
{% if cookiecutter.framework == "fastapi" and cookiecutter.database != "none" %}
from app.database import Database
from app.settings import load_settings
{% endif %}

KEPT_SECONDS = 24 * 60 * 60
# compose.prod.yaml waits a little longer for a worker that is told to stop.
TIME_LIMIT_SECONDS = 300

# What the API says of the states that RQ tells apart; all the others are still to come.
STATES = {
    JobStatus.STARTED: "started",
    JobStatus.FINISHED: "finished",
    JobStatus.FAILED: "failed",
    JobStatus.STOPPED: "failed",
    JobStatus.CANCELED: "failed",
}


def connect(redis_url: str) -> Queue:
    """Return the queue. Arguments and results travel as JSON, so that nothing in Redis is ever run as code."""
    redis = Redis.from_url(redis_url, socket_connect_timeout=2)
    return Queue(connection=redis, serializer=JSONSerializer, default_timeout=TIME_LIMIT_SECONDS)


def enqueue_report(queue: Queue) -> Job:
    """Ask the worker for a report, which is kept for a day."""
    return queue.enqueue(summarise_catalogue, result_ttl=KEPT_SECONDS, failure_ttl=KEPT_SECONDS)


def find_report(queue: Queue, report_id: str) -> Job:
    """Return a report that somebody asked for; raise NoSuchJobError where nobody did."""
    try:
        return Job.fetch(report_id, connection=queue.connection, serializer=queue.serializer)
    except ValueError as error:
        # No id that RQ would ever give.
        raise NoSuchJobError(report_id) from error


def progress(job: Job) -> dict[str, Any]:
    """Return how far a job has come, in the words of the API."""
    state = STATES.get(job.get_status(refresh=False), "queued")
    return {"id": job.id, "status": state, "result": job.return_value() if state == "finished" else None}


def summarise_catalogue() -> dict[str, Any]:
    """Make a report: how many products there are, and what all that is in stock is worth."""
{% if cookiecutter.framework == "fastapi" and cookiecutter.database != "none" %}
    return asyncio.run(_summarise_catalogue())


async def _summarise_catalogue() -> dict[str, Any]:
    async with Database(load_settings()) as database, database.session() as session:
        return await catalogue.summary(session)
{% else %}
    return catalogue.summary()
{% endif %}
