"""Start the server: `python -m app.serve`."""

import logging.config
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from app import logs
from app.settings import load_settings


def main() -> None:
    """Serve until a signal says to stop."""
    settings = load_settings()
    development = settings.environment == "development"
    log_config = logs.config(settings)
    logging.config.dictConfig(log_config)
    Granian(
        "app.main:create_app",
        factory=True,
        address="0.0.0.0",
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1 if development else settings.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        reload=development,
        reload_paths=[Path(__file__).parent],
        reload_ignore_worker_failure=True,
        log_dictconfig=log_config,
    ).serve()


if __name__ == "__main__":
    main()
