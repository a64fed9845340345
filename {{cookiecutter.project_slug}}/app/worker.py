"""Run the worker: `python -m app.worker`."""

import logging
import logging.config
import time
from pathlib import Path
from typing import Any

import rq
from redis import Redis, RedisError
from rq.exceptions import StopRequested
from rq.job import Job

{% if cookiecutter.framework == "flask" %}
from app import logs
from app.main import create_app
{% else %}
import app.main  # noqa: F401  # import the jobs here once, not in the process of every job
from app import logs
{% endif %}
from app.queue import KEEP_SECONDS, connect
from app.settings import load_settings

logger = logging.getLogger(__name__)


class StoppableWorker(rq.Worker):
    """RQ's worker, without a fault in how RQ 3.0 stops. Delete this class when RQ's signal handler no longer raises.

    It raises StopRequested wherever the program is. A job that Redis is just handing over then gets stuck: 14 jobs in
    200 stops under load. Here the handler only sets a flag, which an idle worker checks every second.
    """

    received_signal = False

    def request_stop(self, *_: Any) -> None:
        """Handle SIGTERM and SIGINT: stop after the current job."""
        self.received_signal = True

    def dequeue_job_and_maintain_ttl(self, *_: Any, **__: Any) -> tuple[Job, rq.Queue] | None:
        """Wait for a job; return None, which ends RQ's loop, after a signal."""
        result = None
        while result is None and not self.received_signal:
            result = super().dequeue_job_and_maintain_ttl(timeout=1, max_idle_time=1)
        return result

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """Tell Redis that the worker is alive; stop after a signal, even if Redis can't be reached."""
        try:
            super().heartbeat(*args, **options)
        except RedisError:
            # RQ would try again until Redis is back.
            if self.received_signal:
                raise StopRequested from None
            raise


class Worker(StoppableWorker):
    """A worker that touches a file for the health check, and soon finds the jobs of a worker that died.

    Every ten seconds it reports that it and its job are alive, and looks for jobs without such a report for 45 seconds.
    """

    # Seconds between two attempts to reconnect to Redis.
    max_connection_wait_time = 2.0

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """Tell Redis and the health check that the worker is alive."""
        super().heartbeat(*args, **options)
        Path("/tmp/heartbeat").touch()  # noqa: S108  # the container's own /tmp

    def maintain_heartbeats(self, *args: Any, **options: Any) -> None:
        """Keep the running job alive, and look for jobs of dead workers, which RQ does between two jobs only."""
        super().maintain_heartbeats(*args, **options)
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ's method has no annotations

    def get_heartbeat_ttl(self, *_: Any, **__: Any) -> int:
        """Return the seconds without a heartbeat after which a job counts as abandoned; RQ says 70 here."""
        return 45


def wait_for(redis: Redis) -> None:
    """Wait until Redis can be written to: with a full disk it still answers."""
    while True:
        try:
            redis.set("healthcheck", "ok", ex=60)
        except RedisError as error:
            logger.warning("waiting for Redis: %s", error)
            time.sleep(2)
        else:
            return


def main() -> None:
    """Run jobs until a signal."""
    settings = load_settings()
    logging.config.dictConfig(logs.config(settings))
    # RQ logs two lines each time it looks for abandoned jobs, every ten seconds.
    logging.getLogger("rq.worker").addFilter(lambda record: "cleaning" not in str(record.msg))
    queue = connect(settings.redis_url)
    wait_for(queue.connection)
    worker = Worker(
        [queue],
        connection=queue.connection,
        serializer=queue.serializer,
        default_result_ttl=KEEP_SECONDS,
        job_monitoring_interval=10,
        maintenance_interval=10,
        worker_ttl=16,  # a command waits worker_ttl - 5 seconds for a Redis that hangs
        log_job_description=False,  # the arguments may be personal data
    )
    try:
{% if cookiecutter.framework == "flask" %}
        with create_app(settings).app_context():
            worker.work(with_scheduler=True, logging_level=settings.log_level)
{% else %}
        worker.work(with_scheduler=True, logging_level=settings.log_level)
{% endif %}
    except RedisError as error:
        logger.error("stopped without Redis: %s", error)


if __name__ == "__main__":
    main()
