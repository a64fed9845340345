"""The worker as a process: jobs that finish, fail, run again or later, and a stop by a signal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.job import Job

from app.queue import JOB_OPTIONS, connect, fetch_job, job_status


@pytest.fixture
def queue() -> Queue:
    """Return the tests' queue, empty."""
    Redis.from_url(os.environ["TEST_REDIS_URL"]).flushdb()
    return connect(os.environ["TEST_REDIS_URL"])


@pytest.fixture
def worker(queue: Queue) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ARG001  # emptied before
    """Start the worker, and stop it after the test."""
    environment = os.environ | {"REDIS_URL": os.environ["TEST_REDIS_URL"]}
    process = subprocess.Popen([sys.executable, "-m", "app.worker"], env=environment)
    yield process
    process.terminate()
    process.wait(20)


def wait_for(queue: Queue, job: Job, *statuses: str) -> str:
    """Return the status of a job when it is one of these, or after 20 seconds."""
    deadline = time.monotonic() + 20
    while (status := job_status(fetch_job(queue, job.id))) not in statuses and time.monotonic() < deadline:
        time.sleep(0.1)
    return status


@pytest.mark.usefixtures("worker")
def test_jobs(queue: Queue) -> None:
    """The worker runs jobs at once or later, and a job that raises runs again before it counts as failed."""
    succeeding = queue.enqueue("operator.add", 1, 2, **JOB_OPTIONS)
    later = queue.enqueue_in(timedelta(seconds=1), "operator.add", 3, 4, **JOB_OPTIONS)
    failing = queue.enqueue("math.sqrt", -1, **JOB_OPTIONS)
    failing_later = queue.enqueue("math.sqrt", -1, retry=Retry(max=1, interval=1))
    assert wait_for(queue, succeeding, "finished", "failed") == "finished"
    assert succeeding.return_value() == 3
    assert wait_for(queue, later, "finished", "failed") == "finished"
    for job in failing, failing_later:
        assert wait_for(queue, job, "finished", "failed") == "failed"
        assert fetch_job(queue, job.id).retries_left == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(queue: Queue, worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """A signal lets a job that runs finish, and starts no other."""
    running = queue.enqueue("time.sleep", 2)
    waiting = queue.enqueue("time.sleep", 2)
    assert wait_for(queue, running, "started") == "started"
    worker.send_signal(number)
    assert worker.wait(20) == 0
    assert job_status(fetch_job(queue, running.id)) == "finished"
    assert job_status(fetch_job(queue, waiting.id)) == "queued"
