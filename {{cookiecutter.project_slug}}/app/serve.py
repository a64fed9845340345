"""Start the server: `python -m app.serve`.

In production the application is put together here, once, and the workers are forked from this process: they start at
once and share its memory. In development a single worker does that itself, and anew after every change.
"""

import gc
import os
import signal

if __name__ == "__main__":
    # A container's first process never gets a signal that it has no handler for, and starting takes a while. An
    # exception instead of an exit would be lost in any callback that runs at that moment.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: os._exit(0))
    # What is imported is no garbage: none is looked for until the workers start.
    gc.disable()

import importlib
import logging.config
import multiprocessing
{% if cookiecutter.database == "sqlite" %}
import sys
from collections.abc import Iterator
from contextlib import contextmanager
{% endif %}
from pathlib import Path
{% if cookiecutter.database == "sqlite" %}
from tempfile import TemporaryDirectory
{% endif %}
from typing import Any

from granian import Granian
from granian.constants import Interfaces
{% if cookiecutter.database == "sqlite" %}
from sqlalchemy import URL
{% endif %}

from app import logs
from app.settings import load_settings

APP = "app.main:create_app"
PORT = {{ cookiecutter.port }}


def main() -> None:
    """Serve until a signal says to stop."""
    settings = load_settings()
    development = settings.environment == "development"
    log_config = logs.config(settings.environment, settings.log_level)
    logging.config.dictConfig(log_config)
{% if cookiecutter.database == "sqlite" %}
    with new_database(settings.database_url):
        app: Any = None if development else importlib.import_module("app.main").create_app(settings)
{% else %}
    app: Any = None if development else importlib.import_module("app.main").create_app(settings)
{% endif %}
    gc.freeze()
    gc.enable()
    server = Granian(
        APP,
        factory=True,
        address="0.0.0.0",  # noqa: S104  # the container's own interface, published by Docker
        port=PORT,
{% if cookiecutter.framework == "flask" %}
        interface=Interfaces.WSGI,
        blocking_threads=settings.threads,
        websockets=False,
{% else %}
        interface=Interfaces.ASGI,
{% endif %}
        workers=1 if development else settings.workers,
        # Ends a worker whose last request takes too long, before Docker ends them all.
        workers_kill_timeout=5,
        reload=development,
        reload_paths=[Path(__file__).parent],
        reload_ignore_worker_failure=True,
        log_dictconfig=log_config,
    )
    if development:
        server.serve()
    else:
        multiprocessing.set_start_method("fork")
        server.serve(target_loader=lambda _target: app)
{% if cookiecutter.database == "sqlite" %}


@contextmanager
def new_database(url: URL) -> Iterator[None]:
    """Create the embedded database where there is none yet; the migrations bring an older one up to date.

    A process of its own does it meanwhile: the server has no need of what it imports.
    """
    if not url.database or Path(url.database).exists():
        yield
        return
    directory = Path(url.database).parent
    if not os.access(directory, os.W_OK):
        sys.exit(f"database: {url.database} can't be created: {directory} is missing, or closed to user {os.getuid()}")
    creation = multiprocessing.get_context("fork").Process(target=create_database, args=(url, url.database))
    creation.start()
    yield
    creation.join()
    if creation.exitcode:
        sys.exit(1)


def create_database(url: URL, file: str) -> None:
    """Create the database with its tables, and give it its name when it is whole: whoever stops this may try again."""
    from alembic import command  # noqa: PLC0415  # takes a while, and is needed once
    from alembic.config import Config  # noqa: PLC0415

    with TemporaryDirectory(dir=Path(file).parent) as directory:
        unfinished = Path(directory) / "database"
        os.environ["DATABASE_URL"] = url.set(database=str(unfinished)).render_as_string()
        command.upgrade(Config("migrations/alembic.ini"), "head")
        unfinished.rename(file)
{% endif %}


if __name__ == "__main__":
    main()
