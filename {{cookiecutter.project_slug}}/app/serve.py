"""Start the server: `python -m app.serve`.

Workers are forked from this process: they start at once and share its memory. In production it puts the application
together, once. In development it has the packages alone, and the worker that it forks after every edit only has to
import the application.
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
import sys
{% if cookiecutter.database == "sqlite" %}
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
# What takes long to import, and changes with the image only.
PACKAGES = [
{% if cookiecutter.framework == "flask" %}
    "flask_smorest",
{% if cookiecutter.database != "none" %}
    "flask_sqlalchemy",
{% endif %}
{% else %}
    "fastapi",
    "pydantic.v1",
    "uvloop",
{% if cookiecutter.database != "none" %}
    "sqlalchemy.ext.asyncio",
{% endif %}
{% endif %}
{% if cookiecutter.database == "sqlite" %}
    "sqlalchemy.dialects.sqlite",
{% elif cookiecutter.database == "postgresql" %}
    "sqlalchemy.dialects.postgresql",
    "psycopg",
{% elif cookiecutter.database == "mariadb" %}
    "sqlalchemy.dialects.mysql",
    "{{ "pymysql" if cookiecutter.framework == "flask" else "asyncmy" }}",
{% endif %}
{% if cookiecutter.redis != "none" %}
    "redis{{ "" if cookiecutter.framework == "flask" else ".asyncio" }}",
{% endif %}
{% if "queue" in cookiecutter.redis %}
    "rq",
{% endif %}
]


def main() -> None:
    """Serve until a signal says to stop."""
    settings = load_settings()
    development = settings.environment == "development"
    log_config = logs.config(settings.environment, settings.log_level)
    logging.config.dictConfig(log_config)
{% if cookiecutter.database == "sqlite" %}
    with new_database(settings.database_url):
        for package in PACKAGES:
            importlib.import_module(package)
        app: Any = None if development else importlib.import_module("app.main").create_app(settings)
{% else %}
    for package in PACKAGES:
        importlib.import_module(package)
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
    multiprocessing.set_start_method("fork")
    # Until it serves, a worker ends at once when it is told to; it would take this process's own handler over.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    if development:
        # Each worker imports them anew, as their files are by then.
        for module in [name for name in sys.modules if name.partition(".")[0] == "app"]:
            del sys.modules[module]
        importlib.invalidate_caches()
        server.serve()
    else:
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
