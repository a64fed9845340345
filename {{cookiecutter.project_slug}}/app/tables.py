"""SQLite's tables: created at the first start, so that `docker run` alone serves.

The migrations run in one transaction: after an interrupted start the file is still empty, and the next start runs them.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL


def create_tables(url: URL) -> None:
    """Run the migrations if the database is empty; an older database is upgraded by `alembic upgrade head`."""
    file = Path(url.database or "")
    if not os.access(file.parent, os.W_OK):
        raise SystemExit(f"database: the directory {file.parent} doesn't exist or user {os.getuid()} can't write to it")
    with closing(sqlite3.connect(file)) as connection:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        # Imported only here: serving needs no Alembic, and importing it takes a while.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        command.upgrade(Config("migrations/alembic.ini"), "head")
