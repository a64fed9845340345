"""Run the worker: `python -m app.worker`."""

import os
import signal

if __name__ == "__main__":
    # A container's first process never gets a signal that it has no handler for, and starting takes a while. An
    # exception instead of an exit would be lost in any callback that runs at that moment.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: os._exit(0))

import logging.config
from pathlib import Path
from typing import Any

import rq

from app import jobs, logs
{% if cookiecutter.framework == "flask" %}
from app.main import create_app
{% endif %}
from app.settings import load_settings

HEARTBEAT_SECONDS = 30


class Worker(rq.Worker):
    """A worker that shows the container's health check that it is at work."""

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """Tell Redis that the worker is alive, and mark that it was told."""
        super().heartbeat(*args, **options)
        Path("/tmp/heartbeat").touch()  # noqa: S108  # the container's own


def main() -> None:
    """Work until a signal says to stop; a job that is under way is finished first."""
    settings = load_settings()
    logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
    queue = jobs.connect(settings.redis_url)
    worker = Worker(
        [queue],
        connection=queue.connection,
        serializer=queue.serializer,
        # RQ gives a sign of life a quarter of a minute before it would be given up.
        worker_ttl=HEARTBEAT_SECONDS + 15,
        log_job_description=False,
    )
{% if cookiecutter.framework == "flask" %}
    with create_app(settings).app_context():
        worker.work(logging_level=settings.log_level)
{% else %}
    worker.work(logging_level=settings.log_level)
{% endif %}


if __name__ == "__main__":
    main()
