"""Deploys and rollbacks under load: nothing is lost, and what goes wrong leaves the old version serving."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.docker.load import load
from tests.docker.stack import Project, Stack

# Requests a second: far fewer than a service can answer that shares a slow machine with other stacks and builds.
RATE = 20
JOB_SECONDS = 10
MIGRATION = '''"""Made by a test."""

from alembic import op

revision = "{revision}"
down_revision = {previous!r}


def upgrade() -> None:
    """Add a table."""
    op.execute("CREATE TABLE {revision} (id INTEGER PRIMARY KEY)")
    op.execute("{statement}")
'''


@pytest.fixture
def deployed(project: Project, production: Stack) -> Iterator[Stack]:
    """Return the production stack, and start its first version again at the end, from nothing."""
    before = {path: path.read_bytes() for path in project.directory.rglob("*") if path.is_file()}
    yield production
    for path in [path for path in project.directory.rglob("*") if path.is_file() and path not in before]:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    for path, content in before.items():
        path.write_bytes(content)
    # The database, too, is as it was: without the revisions of other versions.
    production.compose("down", "--volumes")
    production.compose("up", "--detach", "--wait")


def prepare(stack: Stack, tag: str, *, statement: str = "SELECT 1", code: str = "") -> None:
    """Add a line of code and a migration that ends with a statement, and choose a new tag."""
    project = stack.project
    with (project.directory / "app" / "main.py").open("a", encoding="utf-8") as file:
        file.write(f"{code}  # {tag}\n")
    choose(project, tag)
    if project.has_database:
        versions = project.directory / "migrations" / "versions"
        versions.mkdir(exist_ok=True)
        revision = f"test{tag.replace('.', '')}"
        # The version that runs has all the migrations until now, or none.
        previous = next(iter(stack.execute("alembic", "heads").split()), None)
        migration = MIGRATION.format(revision=revision, previous=previous, statement=statement)
        (versions / f"{revision}.py").write_text(migration, encoding="utf-8")


def choose(project: Project, tag: str) -> None:
    """Set TAG, as the README says."""
    (project.directory / ".env").write_text(f"PORT={project.port}\nTAG={tag}\n", encoding="utf-8")


def version(stack: Stack) -> str:
    """Return the version that answers."""
    with stack.client() as client:
        answer: str = client.get("/").json()["version"]
        return answer


def start_job(stack: Stack) -> str:
    """Start a job that takes a while, and return its id."""
    enqueue = (
        "from app import queue; from app.settings import load_settings; "
        f"print(queue.connect(load_settings().redis_url).enqueue('time.sleep', {JOB_SECONDS}).id)"
    )
    return stack.execute("python", "-c", enqueue).strip()


@pytest.mark.only_where(proxy=["caddy"])
@pytest.mark.one_for_each("database")
def test_deploy_behind_the_proxy(
    project: Project, deployed: Stack, record_property: Callable[[str, object], None]
) -> None:
    """No request fails while a version with a migration replaces another, nor while it is rolled back."""
    job = start_job(deployed) if project.queues else ""
    prepare(deployed, "0.2.0")
    with load(project.port, rate=RATE, writes=project.stores) as requests:
        time.sleep(1)
        project.run("make", "deploy")
        time.sleep(1)
    record_property("requests", f"deploy: {requests}")
    assert requests.failed == []
    assert requests.sent >= 5 * RATE
    assert version(deployed) == "0.2.0"
    assert "twin" not in deployed.containers()
    if job:
        assert deployed.job_status(job) == "finished"
    with load(project.port, rate=RATE, writes=project.stores) as requests:
        fail_to_deploy(deployed, "0.3.0")
        choose(project, "0.1.0")
        project.run("make", "rollback")
    record_property("requests", f"failing deploy and rollback: {requests}")
    assert requests.failed == []
    assert version(deployed) == "0.1.0"


@pytest.mark.only_where(proxy=["none"], database=["sqlite", "postgresql", "mariadb"])
@pytest.mark.one_for_each("framework")
def test_deploy_without_a_proxy(
    project: Project, deployed: Stack, record_property: Callable[[str, object], None]
) -> None:
    """A migration that fails leaves the old version serving; a rollback returns to an older one."""
    prepare(deployed, "0.2.0")
    with load(project.port, rate=RATE, writes=project.stores) as requests:
        project.run("make", "deploy")
    record_property("requests", f"deploy: {requests}")
    assert version(deployed) == "0.2.0"
    with load(project.port, rate=RATE, writes=project.stores) as requests:
        fail_to_deploy(deployed, "0.3.0")
    record_property("requests", f"failing deploy: {requests}")
    assert requests.failed == []
    assert version(deployed) == "0.2.0"
    choose(project, "0.1.0")
    project.run("make", "rollback")
    assert version(deployed) == "0.1.0"
    deployed.compose("down")
    assert "make prod" in project.run("make", "deploy", expect=2)
    # As after a reboot: the database is newer than this version.
    deployed.compose("up", "--detach", "--wait")
    assert "newer than this version" in deployed.compose("logs", "migrate")


def fail_to_deploy(stack: Stack, tag: str) -> None:
    """Deploy a version whose migration fails, or which doesn't start if there are no migrations."""
    project = stack.project
    if project.has_database:
        prepare(stack, tag, statement="SELECT 1 FROM missing_table")
    else:
        prepare(stack, tag, code="import missing_module")
    output = project.run("make", "deploy", expect=2)
    assert ("missing_table" if project.has_database else "unhealthy") in output
