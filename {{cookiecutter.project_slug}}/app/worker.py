"""Run the worker: `python -m app.worker`."""

import os
import signal

if __name__ == "__main__":
    # A container's first process never gets a signal that it has no handler for, and starting takes a while. An
    # exception instead of an exit would be lost in any callback that runs at that moment.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: os._exit(0))

import logging.config
import math
import time
from pathlib import Path
from typing import Any

import rq
from rq.exceptions import StopRequested

from app import jobs, logs
{% if cookiecutter.framework == "flask" %}
from app.main import create_app
{% endif %}
from app.settings import load_settings

HEARTBEAT_SECONDS = 30


class Worker(rq.Worker):
    """A worker that stops between jobs, and shows the container's health check that it is at work."""

    # While Redis is away, a signal to stop has to wait for as long.
    max_connection_wait_time = 2.0
    _told = -math.inf

    def request_stop(self, *_: Any) -> None:
        """Remember that a signal said to stop.

        An exception, RQ's own way, may come between a command and its answer, which the next command would be given.
        """
        self._stop_requested = True

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Whether to clean up, which RQ asks every second without a job: the moment at which to stop."""
        if self._stop_requested:
            raise StopRequested
        return bool(super().should_run_maintenance_tasks)

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """Tell Redis that the worker is alive, and mark that it was told; without a job, not every second."""
        if args or options or time.monotonic() - self._told > HEARTBEAT_SECONDS:
            self._told = time.monotonic()
            super().heartbeat(*args, **options)
            Path("/tmp/heartbeat").touch()  # noqa: S108  # the container's own

    def teardown(self) -> None:
        """Take leave of Redis, and end the thread that listens for orders."""
        # RQ wakes that thread before it tells it to end: if it is quick, it sleeps again, and RQ waits in vain.
        if self.pubsub_thread:
            self.pubsub_thread.stop()
        super().teardown()  # type: ignore[no-untyped-call]  # RQ annotates not all of its methods


def main() -> None:
    """Work until a signal says to stop; a job that is under way is finished first."""
    settings = load_settings()
    logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
    queue = jobs.connect(settings.redis_url)
    worker = Worker(
        [queue],
        connection=queue.connection,
        serializer=queue.serializer,
        # RQ looks up from the queue fifteen seconds before this is over: after one, to see whether to stop.
        worker_ttl=16,
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
