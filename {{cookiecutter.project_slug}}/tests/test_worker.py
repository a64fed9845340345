"""The worker as a process: jobs that finish, fail, run again or later, and a stop by a signal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis, exceptions
from rq import Queue, Retry
from rq.job import Job

from app.queue import JOB_OPTIONS, TIMEOUT_SECONDS, connect, job_status
from app.worker import Worker


@pytest.fixture
def queue() -> Queue:
    """Return the tests' queue, empty."""
    Redis.from_url(os.environ["TEST_REDIS_URL"]).flushdb()
    return connect(os.environ["TEST_REDIS_URL"])


@pytest.fixture
def worker(queue: Queue) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ARG001  # emptied before
    """Start the worker, and stop it after the test."""
    with start_worker(os.environ["TEST_REDIS_URL"]) as process:
        yield process


@contextmanager
def start_worker(redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the worker, and stop it at the end."""
    environment = os.environ | {"REDIS_URL": redis_url}
    process = subprocess.Popen([sys.executable, "-m", "app.worker"], env=environment, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def read_status(job: Job) -> str:
    """Return the present status of a job."""
    job.refresh()  # type: ignore[no-untyped-call]  # RQ's method has no annotations
    return job_status(job)


def wait_for(job: Job, *statuses: str) -> str:
    """Return the status of a job when it is one of these, or after 20 seconds."""
    deadline = time.monotonic() + 20
    while (status := read_status(job)) not in statuses and time.monotonic() < deadline:
        time.sleep(0.1)
    return status


def test_jobs(queue: Queue, worker: subprocess.Popen[bytes]) -> None:
    """The worker runs jobs at once or later, and a job that raises runs again before it counts as failed.

    Results are kept for a day, also of a job that was enqueued without JOB_OPTIONS.
    The log doesn't show the arguments of a job, which may be personal data.
    """
    succeeding = queue.enqueue("operator.add", "Ada ", "Lovelace", **JOB_OPTIONS)
    later = queue.enqueue_in(timedelta(seconds=1), "operator.add", 3, 4)
    failing = queue.enqueue("math.sqrt", -1, **JOB_OPTIONS)
    failing_later = queue.enqueue("math.sqrt", -1, retry=Retry(max=1, interval=1))
    assert wait_for(succeeding, "finished", "failed") == "finished"
    assert succeeding.return_value() == "Ada Lovelace"
    assert succeeding.timeout == TIMEOUT_SECONDS
    assert wait_for(later, "finished", "failed") == "finished"
    for job in succeeding, later:
        assert queue.connection.ttl(job.key) > 23 * 60 * 60
    for job in failing, failing_later:
        assert wait_for(job, "finished", "failed") == "failed"
        assert job.retries_left == 0
    worker.terminate()
    log, _ = worker.communicate(timeout=20)
    assert succeeding.id.encode() in log
    assert b"Lovelace" not in log


def test_arguments_are_json(queue: Queue) -> None:
    """Arguments that are not JSON are refused: with pickle, anyone who can write to Redis could run code here."""
    with pytest.raises(TypeError):
        queue.enqueue("operator.not_", object())


def test_redis_is_read_only(queue: Queue) -> None:
    """The worker starts when Redis can be written to: with a full disk it answers, but takes no job."""
    redis, account = queue.connection, "read-only"
    job = queue.enqueue("operator.add", 1, 2)
    redis.acl_setuser(account, enabled=True, nopass=True, keys=["*"], channels=["*"], categories=["+@all", "-@write"])
    try:
        with start_worker(os.environ["TEST_REDIS_URL"].replace("//", f"//{account}@")) as process:
            assert process.stdout
            assert any(b"waiting for Redis" in line for line in process.stdout)
            redis.acl_setuser(account, enabled=True, categories=["+@write"])
            assert wait_for(job, "finished", "failed") == "finished"
    finally:
        redis.acl_deluser(account)


def test_redis_is_away(monkeypatch: pytest.MonkeyPatch, queue: Queue) -> None:
    """A worker that has lost Redis asks for it every two seconds, however long it is away."""
    job = queue.enqueue("operator.add", 1, 2)
    worker = Worker([queue], connection=queue.connection, serializer=queue.serializer)
    dequeue, pauses = Queue.dequeue_any, list[float]()

    def dequeue_any(*args: Any, **options: Any) -> Any:
        if len(pauses) < 10:
            raise exceptions.ConnectionError
        return dequeue(*args, **options)

    monkeypatch.setattr(Queue, "dequeue_any", dequeue_any)
    monkeypatch.setattr(time, "sleep", pauses.append)
    result = worker.dequeue_job_and_maintain_ttl()
    assert result
    assert result[0] == job
    assert max(pauses) <= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(queue: Queue, worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """A signal lets a job that runs finish, and starts no other."""
    running = queue.enqueue("time.sleep", 2)
    waiting = queue.enqueue("time.sleep", 2)
    assert wait_for(running, "started") == "started"
    worker.send_signal(number)
    assert worker.wait(20) == 0
    assert read_status(running) == "finished"
    assert read_status(waiting) == "queued"
