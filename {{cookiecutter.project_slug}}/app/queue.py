"""The queue between the web service and the worker."""

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

STATES = {JobStatus.STARTED: "started", JobStatus.FINISHED: "finished", JobStatus.FAILED: "failed"}


def connect(redis_url: str) -> Queue:
    """Return the queue."""
    return Queue(connection=Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2), serializer=JSONSerializer)


def fetch_job(queue: Queue, job_id: str) -> Job:
    """Return a job; raise NoSuchJobError for any unknown or malformed id."""
    try:
        return Job.fetch(job_id, connection=queue.connection, serializer=queue.serializer)
    except ValueError:
        raise NoSuchJobError(job_id) from None


def job_status(job: Job) -> str:
    """Return queued, started, finished or failed."""
    return STATES.get(job.get_status(refresh=False), "queued")
