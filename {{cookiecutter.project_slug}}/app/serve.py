"""Start the server: `python -m app.serve`.

In production the application is imported here, once, and the workers are forked from this process: they start at
once and share its memory. In development a single worker imports it itself, and anew after every change.
"""

import gc
import importlib
import logging.config
import multiprocessing
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

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
    create_database(settings.database_url.database)
{% endif %}
    if not development:
        # What is imported is no garbage: it isn't searched for any while it loads, nor later by the workers.
        gc.disable()
        importlib.import_module("app.main")
        gc.freeze()
        gc.enable()
        multiprocessing.set_start_method("fork")
    Granian(
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
    ).serve()
{% if cookiecutter.database == "sqlite" %}


def create_database(file: str | None) -> None:
    """Create the embedded database where there is none yet; the migrations bring an older one up to date."""
    if file and not Path(file).exists():
        from alembic import command  # noqa: PLC0415  # takes a while, and is needed once
        from alembic.config import Config  # noqa: PLC0415

        command.upgrade(Config("migrations/alembic.ini"), "head")
{% endif %}


if __name__ == "__main__":
    main()
