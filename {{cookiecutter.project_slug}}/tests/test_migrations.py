"""Whether the migrations lead to the tables that app/models.py describes."""

import pytest
from alembic import command
from alembic.config import Config


@pytest.mark.usefixtures("services")
def test_nothing_is_missing() -> None:
    """No change of the models is without a migration: `make migration` writes one."""
    command.check(Config("migrations/alembic.ini"))
