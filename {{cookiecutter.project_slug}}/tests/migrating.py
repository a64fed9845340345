"""Run code on the connection that the migrations use."""

from collections.abc import Callable
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

CONFIG = Config("migrations/alembic.ini")
SCRIPTS = ScriptDirectory.from_config(CONFIG)


def run(function: Callable[[Connection], object]) -> None:
    """Call a function with the connection that migrations/env.py opens, instead of migrating."""

    def migrations(_revision: Any, context: Any) -> list[Any]:
        function(context.connection)
        return []

    with EnvironmentContext(CONFIG, SCRIPTS, fn=migrations):
        SCRIPTS.run_env()
