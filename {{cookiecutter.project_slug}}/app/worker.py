"""Run the worker: `python -m app.worker`; `python -m app.worker check` says whether it is at work."""

import logging.config
import socket
import sys
from datetime import UTC, datetime, timedelta

from rq import Queue, Worker

from app import jobs, logs
{% if cookiecutter.framework == "flask" %}
from app.main import create_app
{% endif %}
from app.settings import load_settings

HEARTBEAT_SECONDS = 30


def main() -> None:
    """Work until a signal says to stop; a job that is under way is finished first."""
    settings = load_settings()
    queue = jobs.connect(settings.redis_url)
    if sys.argv[1:] == ["check"]:
        sys.exit(not at_work(queue))
    logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
    worker = Worker(
        [queue],
        connection=queue.connection,
        serializer=queue.serializer,
        worker_ttl=HEARTBEAT_SECONDS + 15,
        log_job_description=False,
    )
{% if cookiecutter.framework == "flask" %}
    with create_app(settings).app_context():
        worker.work(logging_level=settings.log_level)
{% else %}
    worker.work(logging_level=settings.log_level)
{% endif %}


def at_work(queue: Queue) -> bool:
    """Say whether a worker on this machine has given a sign of life lately."""
    lately = datetime.now(UTC) - timedelta(seconds=3 * HEARTBEAT_SECONDS)
    return any(
        worker.hostname == socket.gethostname() and worker.last_heartbeat and worker.last_heartbeat > lately
        for worker in Worker.all(queue.connection, serializer=queue.serializer)
    )


if __name__ == "__main__":
    main()
