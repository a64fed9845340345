"""Start the server: `python -m app.serve`."""

import multiprocessing
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from app import logs
from app.settings import load_settings


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    development = settings.environment == "development"
    multiprocessing.set_start_method("fork")
    server = Granian(
        "app.main:create_app",
        factory=True,
        address="0.0.0.0",  # noqa: S104
        port=settings.port,
        interface=Interfaces.{{ "WSGI" if cookiecutter.framework == "flask" else "ASGI" }},
        workers=1 if development else settings.workers,
        respawn_failed_workers=True,
        reload=development,
        reload_paths=[Path(__file__).parent],
        log_dictconfig=logs.config(settings),
    )
    server.serve()


if __name__ == "__main__":
    main()
