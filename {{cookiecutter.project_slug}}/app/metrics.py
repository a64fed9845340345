"""Metrics for Prometheus, at /metrics if METRICS is true.

Each worker process keeps its numbers in files (see app/serve.py); the one that is asked adds up those of all.
"""

import os
import time
{% if "queue" in cookiecutter.redis %}
from collections.abc import Iterator
from datetime import UTC, datetime
{% endif %}
from pathlib import Path
{% if cookiecutter.database != "none" %}
from typing import Any
{% endif %}

{% if cookiecutter.framework == "flask" %}
from flask import Flask, Response, g, request
{% elif "queue" in cookiecutter.redis %}
from fastapi import APIRouter, FastAPI, Request, Response
{% else %}
from fastapi import APIRouter, FastAPI, Response
{% endif %}
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
{% if cookiecutter.database != "none" %}
    Gauge,
{% endif %}
    Histogram,
    generate_latest,
)
{% if "queue" in cookiecutter.redis %}
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
{% endif %}
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
{% if "queue" in cookiecutter.redis %}
from prometheus_client.registry import Collector
from redis import RedisError
from rq import Queue
{% endif %}
{% if cookiecutter.database != "none" %}
from sqlalchemy import Engine, QueuePool, event
from sqlalchemy.pool import ConnectionPoolEntry
{% endif %}
{% if cookiecutter.framework == "fastapi" %}
from starlette.types import ASGIApp, Message, Receive, Scope, Send
{% endif %}
{% if cookiecutter.framework == "flask" and (cookiecutter.database != "none" or "queue" in cookiecutter.redis) %}

{% if cookiecutter.database != "none" %}
from app.database import db
{% endif %}
{% if "queue" in cookiecutter.redis %}
from app.queue import current_queue
{% endif %}
{% endif %}

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Clients can invent others, and each would take up space in the files.
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

REQUESTS = Histogram("http_request_duration_seconds", "Requests, and how long they took", ["method", "route", "status"])
{% if cookiecutter.database != "none" %}
# "livesum": added up over the processes that are alive.
POOL = Gauge("database_pool_connections", "Connections that the pools may open", multiprocess_mode="livesum")
POOL_USED = Gauge("database_pool_connections_used", "Connections that requests use", multiprocess_mode="livesum")
{% endif %}
{% if cookiecutter.framework == "flask" %}


def init_app(app: Flask) -> None:
    """Measure requests and serve the metrics; call it after the `init_app` of the other modules."""
    forget_dead_processes()
{% if cookiecutter.database != "none" %}
    with app.app_context():
        watch_pool(db.engine)
{% endif %}

    @app.after_request
    def observe_request(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        observe(request.method, route, response.status_code, time.perf_counter() - g.started)
        return response

    @app.get("/metrics")
    def get_metrics() -> Response:
{% if "queue" in cookiecutter.redis %}
        return Response(generate_latest(registry(current_queue())), content_type=CONTENT_TYPE_LATEST)
{% else %}
        return Response(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)
{% endif %}


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request and how long it took."""
    REQUESTS.labels(method if method in METHODS else "other", route, status).observe(seconds)
{% else %}

router = APIRouter(include_in_schema=False)


class MeasureRequests:
    """Middleware that measures requests; inside of what copies the scope, because the router notes the route in it."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = scope["route"].path if "route" in scope else "none"
            REQUESTS.labels(method, route, status).observe(time.perf_counter() - started)


def init_app(app: FastAPI) -> None:
    """Measure requests and serve the metrics; call it before middleware is added that copies the scope."""
    forget_dead_processes()
    app.add_middleware(MeasureRequests)
    app.include_router(router)


@router.get("/metrics")
{% if "queue" in cookiecutter.redis %}
def get_metrics(request: Request) -> Response:
    """Answer Prometheus."""
    return Response(generate_latest(registry(request.app.state.queue)), media_type=CONTENT_TYPE_LATEST)
{% else %}
def get_metrics() -> Response:
    """Answer Prometheus."""
    return Response(generate_latest(registry()), media_type=CONTENT_TYPE_LATEST)
{% endif %}
{% endif %}


{% if "queue" in cookiecutter.redis %}
def registry(queue: Queue) -> CollectorRegistry:
    """Return what is known now: the numbers of all processes, and of the queue."""
{% else %}
def registry() -> CollectorRegistry:
    """Return the numbers of all processes."""
{% endif %}
    collected = CollectorRegistry()
    if DIRECTORY in os.environ:
        MultiProcessCollector(collected)  # type: ignore[no-untyped-call]  # the library has no annotations here
    else:
        collected.register(REGISTRY)
{% if "queue" in cookiecutter.redis %}
    collected.register(QueueCollector(queue))
{% endif %}
    return collected


def forget_dead_processes() -> None:
    """Drop the gauges of workers that have died."""
    if DIRECTORY not in os.environ:
        return
    for file in Path(os.environ[DIRECTORY]).glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if not Path("/proc", pid).exists():
            mark_process_dead(int(pid))  # type: ignore[no-untyped-call]  # the library has no annotations here
{% if cookiecutter.database != "none" %}


def watch_pool(engine: Engine) -> None:
    """Count the connections that an engine's pool lends."""
    if isinstance(engine.pool, QueuePool):
        POOL.set(engine.pool.size())
    lent: set[ConnectionPoolEntry] = set()

    @event.listens_for(engine, "checkout")
    def count_checkout(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        lent.add(entry)
        POOL_USED.inc()

    @event.listens_for(engine, "checkin")
    def count_checkin(_connection: Any, entry: ConnectionPoolEntry) -> None:
        # An entry that couldn't connect is checked in, too, without having been lent.
        if entry in lent:
            lent.remove(entry)
            POOL_USED.dec()
{% endif %}
{% if "queue" in cookiecutter.redis %}


class QueueCollector(Collector):
    """Asks Redis for the jobs of the queue."""

    def __init__(self, queue: Queue) -> None:
        """Ask about this queue."""
        self.queue = queue

    def collect(self) -> Iterator[Metric]:
        """Yield the number of jobs by status, and how long the next one has waited; nothing while Redis is down."""
        try:
            counts = {
                "queued": self.queue.count,
                "started": self.queue.started_job_registry.get_job_count(cleanup=False),
                "failed": self.queue.failed_job_registry.get_job_count(cleanup=False),
            }
            waiting = next(iter(self.queue.get_jobs(0, 1)), None)
        except RedisError:
            return
        jobs = GaugeMetricFamily("queue_jobs", "Jobs by status", labels=["status"])
        for status, count in counts.items():
            jobs.add_metric([status], count)
        yield jobs
        since = waiting.enqueued_at if waiting else None
        seconds = (datetime.now(UTC) - since.replace(tzinfo=UTC)).total_seconds() if since else 0
        yield GaugeMetricFamily("queue_oldest_seconds", "How long the next job has waited", value=seconds)
{% endif %}
