"""Development: every cell starts and answers; an edit shows without a build, and the project's own tools work."""

import os
import re
from pathlib import Path

import pytest

from tests.docker.conftest import OWNER
from tests.docker.stack import Project, Stack, wait_for

PEN = {"name": "Fountain pen", "price": "34.00"}
products = pytest.mark.only_where(sample=["products"])
stored = pytest.mark.only_where(sample=["products"], database=["sqlite", "postgresql", "mariadb"])

SLOW = """
import time
for _ in range(300):
    print("slow to import", flush=True)
    time.sleep(0.2)
"""
EDIT = "\n# an edit\n"
# Code that is not formatted, and what it is formatted to
UNTIDY = "TWO   =  ( 1,2 )\n"
TIDY = "TWO = (1, 2)\n"
BROKEN = "\ndef broken(:\n"
NOTE_IMPORTS = """
from datetime import datetime
from app.columns import UtcDateTime
from app.database import Base
"""
NOTE = '''

class Note(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
'''
# Types that only PostgreSQL has. Alembic doesn't know where the second one can be imported from.
POSTGRESQL_IMPORTS = """
from datetime import timedelta
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
"""
POSTGRESQL_COLUMNS = """
    took: Mapped[timedelta]
    facts: Mapped[dict[str, str]] = mapped_column(Facts)
"""
FACTS = '''

class Facts(TypeDecorator[dict[str, str]]):
    """Facts as JSON."""

    impl = JSONB
    cache_ok = True
'''
# A module that nothing imports
NOTES = '''"""Notes in folders."""

import enum
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Identity, Numeric, String, Text, func, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class State(enum.Enum):
    """The state of a note."""

    OPEN = "open"


class Folder(Base):
    """A folder."""

    __tablename__ = "folders"

    id: Mapped[int] = mapped_column(primary_key=True)
    sheets: Mapped[int] = mapped_column()
    pages: Mapped[int | None] = mapped_column(Computed("sheets * 2"))


class Note(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folders.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column()
    title: Mapped[str] = mapped_column(String(20))
    state: Mapped[State] = mapped_column()
    pages: Mapped[int] = mapped_column(server_default="1")
    # Defaults that a database reports in other words
    place: Mapped[State] = mapped_column(server_default="OPEN")
    author: Mapped[str] = mapped_column(String(20), server_default="it's me")
    subtitle: Mapped[str] = mapped_column(Text, server_default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="[1]")
    public: Mapped[bool] = mapped_column(server_default=true())
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2), server_default="2.5")
    left: Mapped[int] = mapped_column(server_default=text("-1"))
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
'''
# A column that only PostgreSQL has
IDENTITY = """
    number: Mapped[int] = mapped_column(Identity())
"""
# Changes of the models, and what the migration has for each
CHANGES = (
    ("parent_id: Mapped[int | None] = mapped_column(", 'ForeignKey("notes.id")', "create_foreign_key("),
    ("title: Mapped[str] = mapped_column(String(20)", ", unique=True", "create_unique_constraint("),
    ("state: Mapped[State] = mapped_column(", "index=True", "create_index("),
    (
        'tablename__ = "notes"\n',
        '    __table_args__ = (CheckConstraint("pages > 0", name="pages"),)\n',
        "check_constraint(",
    ),
    ('server_default="1', "0", '"10"'),
    ("server_default=\"it's me", " again", "it's me again"),
    ('server_default="[1', ", 2", "[1, 2]"),
)
# A change by which the version before can't read a new row
OPEN = '    OPEN = "open"\n'
DONE = '    DONE = "done"\n'
# A change that refuses rows that are there
LABEL = "    label: Mapped[str | None] = mapped_column(String(20), unique=True, index=True)\n"


@pytest.mark.every
def test_starts_and_answers(project: Project, development: Stack) -> None:
    """`up --build --wait` ends with every service healthy; `/` leads to the docs, and the catalogue shows samples."""
    containers = development.containers()
    states = {name: one["State"].get("Health", one["State"])["Status"] for name, one in containers.items()}
    assert states == project.services
    with development.client() as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/ready").json()["status"] == "ready"
        assert client.get("/", follow_redirects=True).url.path == "/docs"
        if project.has_products:
            assert client.get("/products").json()["total"] > 0
        if project.stores:
            assert client.post("/products", json=PEN).json().items() >= PEN.items()
        if project.queues:
            address = client.post("/reports").headers["Location"]
            wait_for(lambda: client.get(address).json()["status"] == "finished")


def test_ports_are_this_machines_alone(development: Stack) -> None:
    """The service and the data services can be reached from this machine, and from no other."""
    for name in {"web", "db", "redis"} & set(development.containers()):
        ports = development.containers()[name]["NetworkSettings"]["Ports"]
        published = [address for addresses in ports.values() for address in addresses or ()]
        assert {address["HostIp"] for address in published} == {"127.0.0.1"}, name


def test_edit_shows_without_a_build(project: Project, development: Stack) -> None:
    """Source files that are edited on the host show in the next answer, however quickly the edits follow each other.

    What the former process does with its connections at its end is not in the log.
    """
    container = development.containers()["web"]["Id"]
    with development.client() as client:
        assert client.get("/openapi.json").json()["info"]["description"] == project.answers["description"]
        append(project, "app/health.py", EDIT)
        replace(project, "app/main.py", project.answers["description"], "Edited.")
        wait_for(lambda: client.get("/openapi.json").json()["info"]["description"] == "Edited.")
        replace(project, "app/health.py", EDIT, "")
        replace(project, "app/main.py", "Edited.", project.answers["description"])
        wait_for(lambda: client.get("/openapi.json").json()["info"]["description"] == project.answers["description"])
    assert development.containers()["web"]["Id"] == container
    assert "Pool" not in development.compose("logs", "web")


@pytest.mark.only_where(redis=["queue", "cache-and-queue"])
def test_edit_of_a_job_shows_without_a_build(project: Project, development: Stack) -> None:
    """The worker runs the job as it was last saved."""
    append(project, "app/reports/job.py", '\n\nprint("the worker reads an edit")\n')
    wait_for(lambda: "the worker reads an edit" in development.compose("logs", "worker"))
    replace(project, "app/reports/job.py", '\n\nprint("the worker reads an edit")\n', "")
    with development.client() as client:

        def made() -> bool:
            """Make a report; the service may be restarting, too."""
            address = client.post("/reports").headers["Location"]
            wait_for(lambda: client.get(address).json()["status"] == "finished")
            return True

        wait_for(made)


@pytest.mark.one_for_each("framework")
def test_edit_while_starting(project: Project, development: Stack) -> None:
    """An edit that comes before an earlier one could show need not wait for it."""
    with development.client() as client:
        append(project, "app/main.py", SLOW)
        wait_for(lambda: "slow to import" in development.compose("logs", "--tail", "30", "web"))
        replace(project, "app/main.py", SLOW, "")
        # The slow one would take a minute.
        wait_for(lambda: client.get("/health").status_code == 200, seconds=45)


@pytest.mark.one_for_each("framework")
def test_mistake_is_survived(project: Project, development: Stack) -> None:
    """A syntax error does not end the server: it serves again as soon as the file is corrected."""
    with development.client() as client:
        append(project, "app/health.py", BROKEN)
        wait_for(lambda: "SyntaxError" in development.compose("logs", "--tail", "30", "web"))
        replace(project, "app/health.py", BROKEN, "")
        wait_for(lambda: client.get("/health").status_code == 200)
    assert development.containers()["web"]["RestartCount"] == 0


@stored
@pytest.mark.one_for_each("framework", "database")
def test_migration_from_inside(project: Project, development: Stack) -> None:
    """A migration belongs to the host's user, holds the change and nothing else, and can be applied and taken back."""
    models = project.directory / "app" / "products" / "models.py"
    before = models.read_text(encoding="utf-8")
    docstring, end, rest = before.partition('"""\n')
    imports, note = NOTE_IMPORTS, NOTE
    if project.answers["database"] == "postgresql":
        imports, note = imports + POSTGRESQL_IMPORTS, FACTS + note + POSTGRESQL_COLUMNS
    models.write_text(f"{docstring}{end}{imports}{rest}{note}", encoding="utf-8")
    said = project.run("make", "migration", "m=add notes")
    versions = project.directory / "migrations" / "versions"
    (migration,) = versions.glob("*_add_notes.py")
    assert migration.stat().st_uid == project.directory.stat().st_uid, said
    text = migration.read_text(encoding="utf-8")
    assert text.count("op.create_table") == text.count("op.drop_table") == 1, text
    assert text.count("op.") == 2 + text.count("op.f("), text
    assert "app." not in text, text
    if project.answers["database"] == "postgresql":
        assert "sa.Interval()" in text
        assert "postgresql.JSONB(" in text
    alembic(development, "upgrade head", "check", "downgrade -1", "upgrade head", "downgrade -1")
    migration.unlink()
    models.write_text(before, encoding="utf-8")


@stored
@pytest.mark.one_for_each("framework")
def test_migration_of_an_empty_table(project: Project, development: Stack) -> None:
    """A new column gets its migration before the samples are added, as in a new checkout: they need that column."""

    def emptied() -> bool:
        """Delete all products; return whether there are none."""
        with development.client() as client:
            for product in client.get("/products", params={"page_size": 100}).json()["items"]:
                client.delete(f"/products/{product['id']}")
            return bool(client.get("/products").json()["total"] == 0)

    # The service may still be reloading the edits of another test.
    wait_for(emptied)
    column = '    colour: Mapped[str] = mapped_column(String(30), server_default="")\n'
    replace(project, "app/products/models.py", "    created_at:", f"{column}    created_at:")
    project.run("make", "migration", "m=add colour")
    project.run("make", "migrate")

    def filled() -> bool:
        """Return whether there are products."""
        with development.client() as client:
            return bool(client.get("/products").json()["total"] > 0)

    wait_for(filled)
    alembic(development, "downgrade -1")
    (migration,) = (project.directory / "migrations" / "versions").glob("*_add_colour.py")
    assert "op.add_column(" in migration.read_text(encoding="utf-8")
    migration.unlink()
    replace(project, "app/products/models.py", column, "")


@stored
@pytest.mark.one_for_each("database")
def test_migrations_of_changes(project: Project, development: Stack) -> None:
    """Constraints, defaults and enums get migrations, up and down; the project's tests find one that lacks or fails."""
    versions = project.directory / "migrations" / "versions"
    notes = project.directory / "app" / "notes.py"
    before = set(versions.iterdir())
    original = NOTES + IDENTITY if project.answers["database"] == "postgresql" else NOTES
    steps = ("upgrade head", "check", "downgrade -1", "upgrade head")
    notes.write_text(original, encoding="utf-8")
    alembic(development, "revision --autogenerate -m notes", *steps)
    changed = original
    for old, new, _ in CHANGES:
        assert old in changed
        changed = changed.replace(old, old + new)
    notes.write_text(changed, encoding="utf-8")
    alembic(development, "revision --autogenerate -m constraints", *steps)
    notes.write_text(changed.replace(OPEN, OPEN + DONE), encoding="utf-8")
    alembic(development, "revision --autogenerate -m state", *steps)
    append(project, "app/notes.py", LABEL)
    alembic(development, "revision --autogenerate -m label", *steps)
    migrations = [next(versions.glob(f"*_{name}.py")) for name in ("notes", "constraints", "state", "label")]
    first, second, third, fourth = (migration.read_text(encoding="utf-8") for migration in migrations)
    assert "WARNING" not in first
    assert {change for *_, change in CHANGES if change not in second} == set(), second
    # On SQLite an enum is a VARCHAR without a constraint, so the migration is empty.
    assert "DONE" in third or not project.has_server, third
    assert "# WARNING: the version" in second
    assert "# WARNING: the version" in third
    assert "# WARNING: the version" in fourth
    append(project, "app/notes.py", "    subject: Mapped[str] = mapped_column(String(20))\n")
    alembic(development, "revision --autogenerate -m subject")
    replace(project, "app/notes.py", 'server_default="10', 'server_default="100')
    said = development.compose("exec", "--no-TTY", "web", "pytest", "tests/test_migrations.py", expect=1)
    assert "FAILED tests/test_migrations.py::test_models_have_migrations" in said
    # MariaDB makes up a value for rows that have none.
    if project.answers["database"] != "mariadb":
        assert "FAILED tests/test_migrations.py::test_migrations_keep_rows" in said
    notes.unlink()
    next(versions.glob("*_subject.py")).unlink()
    alembic(development, "downgrade -4")
    for path in set(versions.iterdir()) - before:
        path.unlink()


@pytest.mark.only_where(database=["postgresql", "mariadb"])
@pytest.mark.one_for_each("framework", "database")
def test_tests_while_a_client_is_connected(project: Project, development: Stack) -> None:
    """The tests disconnect other clients of their database; MariaDB's don't wait for an open transaction either."""
    development.execute("pytest", "tests/test_settings.py")
    if project.answers["database"] == "postgresql":
        client = "exec psql --username=app --dbname=app_test --command='SELECT pg_sleep(120)'"
        sessions = "psql --username=app --command='SELECT datname, query FROM pg_stat_activity' | grep app_test"
    else:
        statements = "BEGIN; SELECT * FROM alembic_version; SELECT SLEEP(120)"
        client = f"exec mariadb --password=app --database=app_test --execute='{statements}'"
        sessions = "mariadb --password=app --execute='SHOW FULL PROCESSLIST'"
    development.compose("exec", "--detach", "db", "sh", "-c", client)
    wait_for(lambda: "SLEEP(120)" in development.compose("exec", "--no-TTY", "db", "sh", "-c", sessions).upper())
    if project.answers["database"] == "postgresql":
        assert " passed" in development.execute("pytest", "tests/test_settings.py")
    else:
        said = development.compose("exec", "--no-TTY", "web", "pytest", "tests/test_settings.py", expect=1)
        assert "Lock wait timeout exceeded" in said
        mariadb = "mariadb --password=app --skip-column-names"
        client = "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(120)'"
        development.compose("exec", "--no-TTY", "db", "sh", "-c", f'{mariadb} --execute "{client}" | {mariadb}')


def test_own_tests_pass(development: Stack) -> None:
    """The project's own tests pass, with the services of its development stack."""
    assert " passed" in development.execute("pytest")


def test_files_belong_to_the_owner(project: Project, development: Stack) -> None:
    """Whatever was written inside, the caches of tools too, belongs to the host's user, and no bytecode is."""
    development.execute("python", "-c", "open('written', 'w')")
    written = list(project.directory.rglob("*"))
    assert not [path for path in written if path.suffix == ".pyc"]
    owners = {path.stat().st_uid for path in written}
    assert owners == {project.directory.stat().st_uid}
    assert os.getuid() != 0 or owners != {0}


@stored
@pytest.mark.one_for_each("database")
def test_data_survives(project: Project, development: Stack) -> None:
    """What was written is there after `make down` and `make up`, and the samples are not added again."""
    with development.client() as client:
        client.post("/products", json=PEN | {"name": "Kept"})
        before = client.get("/products", params={"page_size": 100}).json()
    for target in ("down", "up"):
        project.run("make", target)
    with development.client() as client:
        assert client.get("/products", params={"page_size": 100}).json() == before


@pytest.mark.only_where(redis=["queue", "cache-and-queue"])
@pytest.mark.one_for_each("redis")
def test_reports_survive(development: Stack) -> None:
    """A report that was made can be read after `down` and `up`, and one that was accepted is made."""
    with development.client() as client:
        made = client.post("/reports").headers["Location"]
        wait_for(lambda: client.get(made).json()["status"] == "finished")
        before = client.get(made).json()
        development.compose("stop", "worker")
        accepted = client.post("/reports").headers["Location"]
    for step in ("down", "up --detach --wait"):
        development.compose(*step.split())
    with development.client() as client:
        assert client.get(made).json() == before
        wait_for(lambda: client.get(accepted).json()["status"] == "finished")


@pytest.mark.only_where(database=["postgresql"], redis=["cache-and-queue"])
@pytest.mark.one_for_each("redis")
def test_shell(project: Project, development: Stack, tmp_path: Path) -> None:
    """`make shell` is in the web service, as the host's user, who can write to the source."""
    user = tmp_path / "id"
    user.write_text(f"#!/bin/sh\necho {OWNER}\n", encoding="utf-8")
    user.chmod(0o755)
    path = f"PATH={tmp_path}:{os.environ['PATH']}"
    # As part of another make, it would say which directory it enters.
    shell = ("make", "--silent", "--no-print-directory", "shell")
    shown = project.run("env", path, *shell, stdin="hostname; id -u; id -g; touch typed; pwd\n")
    container = development.containers()["web"]["Config"]["Hostname"]
    assert shown.split() == [container, str(OWNER), str(OWNER), "/app"]
    written = project.directory / "typed"
    assert written.stat().st_uid == OWNER
    written.unlink()


def test_stops_by_itself(development: Stack) -> None:
    """Ctrl-C ends the development server by itself: it is not killed after the grace period."""
    development.compose("stop", "web")
    assert development.containers()["web"]["State"]["ExitCode"] == 0


@pytest.mark.one_for_each("framework")
def test_targets(project: Project, development: Stack) -> None:
    """The Makefile's targets work, also before anything was built."""
    development.compose("down", "--rmi", "local")
    targets = project.run("make", "help")
    assert " passed" in project.run("make", "test")
    checked = project.run("make", "lint")
    assert [one for one in ("All checks passed", "already formatted", "Success") if one not in checked] == []
    append(project, "app/fields.py", UNTIDY)
    project.run("make", "format")
    replace(project, "app/fields.py", TIDY, "")
    if project.has_database:
        assert "describe the change" in project.run("make", "migration", expect=2)
        project.run("make", "migrate")
    assert {path.stat().st_uid for path in project.directory.rglob("*")} == {project.directory.stat().st_uid}
    project.run("make", "up")
    assert "up" in targets
    project.run("make", "down")


@pytest.mark.one_for_each("framework")
def test_lock_works_from_any_state(project: Project, development: Stack) -> None:
    """`make lock` needs no lock that can be read and no image that can be built; `make upgrade` moves forward."""
    development.compose("down", "--rmi", "local")
    names = ("requirements.txt", "requirements-dev.txt")
    before = {name: (project.directory / name).read_text(encoding="utf-8") for name in names}
    replace(project, "pyproject.toml", "dependencies = [", 'dependencies = [\n  "pluggy",')
    for name, text in before.items():
        (project.directory / name).write_text(f"<<<<<<< HEAD\n{text}=======\nno-such-package==0\n", encoding="utf-8")
    project.run("make", "lock")
    replace(project, "pyproject.toml", 'dependencies = [\n  "pluggy",', "dependencies = [")
    for name in names:
        text = (project.directory / name).read_text(encoding="utf-8")
        assert "\npluggy==" in text
        assert "<<<" not in text
        assert "no-such-package" not in text
        assert "://" not in text, "a lock names the host of an index"
        # A version that is not the newest, which `make upgrade` leaves behind.
        older = re.sub(r"^pluggy==\S+", "pluggy==1.6.0", text, flags=re.MULTILINE)
        (project.directory / name).write_text(older, encoding="utf-8")
    project.run("make", "upgrade")
    locked = [(project.directory / name).read_text(encoding="utf-8") for name in names]
    assert "\npluggy==" not in locked[0]
    assert "\npluggy==" in locked[1]
    assert "\npluggy==1.6.0" not in locked[1]


def alembic(development: Stack, *commands: str) -> None:
    """Run commands of Alembic in one process: each of them would import the application."""
    code = "import sys; from alembic.config import main; [main(command.split()) for command in sys.argv[1:]]"
    development.execute("python", "-c", code, *commands)


def append(project: Project, file: str, text: str) -> None:
    """Add a text to the end of a file of the project."""
    path = project.directory / file
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(project: Project, file: str, old: str, new: str) -> None:
    """Replace text in a file of the project; the modification time stays, as after two changes in the same second."""
    path = project.directory / file
    modified = path.stat().st_mtime
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")
    os.utime(path, (modified, modified))
