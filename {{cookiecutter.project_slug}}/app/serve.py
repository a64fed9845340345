"""Start the server: `python -m app.serve`."""

import multiprocessing
{% if cookiecutter.metrics == "prometheus" %}
import os
{% endif %}
{% if cookiecutter.base_image == "alpine" %}
import threading
{% endif %}
from importlib import import_module
from pathlib import Path
{% if cookiecutter.metrics == "prometheus" %}
from tempfile import mkdtemp
{% endif %}

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app import logs
from app.settings import load_settings
{% if cookiecutter.database == "sqlite" %}
from app.tables import create_tables
{% endif %}


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    development = settings.environment == "development"
{% if cookiecutter.base_image == "alpine" %}
    # Python on Alpine expects more stack than a thread has: deeply nested JSON would crash it.
    threading.stack_size(8 * 1024 * 1024)
{% endif %}
{% if cookiecutter.database == "sqlite" %}
    create_tables(settings.database_url)
{% endif %}
{% if cookiecutter.metrics == "prometheus" %}
    if settings.metrics:
        # Before prometheus_client is imported: it then keeps the numbers of each process in files of this directory.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = mkdtemp()
{% endif %}
    if development:
        # A new interpreter for each reload: a fork would have the old modules.
        multiprocessing.set_start_method("spawn")
    else:
        # Fork after the import: workers share its memory. Each creates its own application.
        multiprocessing.set_start_method("fork")
        import_module("app.{{ "asgi" if cookiecutter.framework == "flask" else "main" }}")
    server = Granian(
        "app.{{ "asgi" if cookiecutter.framework == "flask" else "main" }}:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address="0.0.0.0",  # noqa: S104  # the container's own interface; Docker publishes it
        port=settings.port,
{% if cookiecutter.framework == "flask" %}
        url_path_prefix=settings.root_path or None,
{% endif %}
        workers=1 if development else settings.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=5,  # seconds for the running requests at a stop
        # Connections per worker. A connection that sends nothing counts too, so there must be room for many.
        backpressure=4096,
        reload=development,
        reload_paths=[Path(__file__).parent],
        reload_tick=10,  # milliseconds
        reload_ignore_worker_failure=True,  # keep waiting for the next edit after one that doesn't start
        log_level=LogLevels(settings.log_level.lower()),
        log_dictconfig=logs.config(settings),
    )
    server.serve()


if __name__ == "__main__":
    main()
