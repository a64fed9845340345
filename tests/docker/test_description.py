"""The OpenAPI description is true: schemathesis makes requests from it, and compares each response with it."""

import subprocess
from pathlib import Path

import pytest

from tests.docker.stack import Stack

SEED = "1"
# Of each kind of request to each route: a run takes about 20 seconds.
EXAMPLES = "20"


# With all routes; SQLite refuses nothing that one of the others takes.
@pytest.mark.only_where(
    base_image=["slim"],
    database=["none", "postgresql", "mariadb"],
    redis=["queue", "cache-and-queue"],
    sample=["products"],
)
@pytest.mark.one_for_each("framework", "database")
def test_description_is_true(production: Stack, tmp_path: Path) -> None:
    """Valid requests succeed, invalid ones are refused, and every response is as described."""
    command = ("schemathesis", "--no-color", "run", "--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES)
    done = subprocess.run(
        (*command, "--generation-database", "none", f"http://127.0.0.1:{production.project.port}/openapi.json"),
        cwd=tmp_path,  # where it looks for settings
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout
