"""Development, every combination: an edit shows without a build, and the project's own tools work inside."""

import os

import pytest

from tests.docker.stack import Project, Stack, wait_for

stored = pytest.mark.only_where(database=("sqlite", "postgresql", "mariadb"))

APPLY_AND_CHECK = """
from alembic import command
from alembic.config import Config
config = Config("migrations/alembic.ini")
command.upgrade(config, "head")
command.check(config)
"""

# Two migrations: a table that refers to the products, and a change that SQLite can only make by copying them.
REFER = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "refer", {head!r}
def upgrade():
    op.create_table("reviews", sa.Column("product", sa.Integer, sa.ForeignKey("products.id", ondelete="CASCADE")))
    op.execute("INSERT INTO products (id, name, description, price, stock, created_at, updated_at)"
               " VALUES (1, 'Ink', '', 1, 1, '2026-01-01', '2026-01-01')")
    op.execute("INSERT INTO reviews VALUES (1)")
"""
COPY = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "copy", "refer"
def upgrade():
    with op.batch_alter_table("products") as products:
        products.alter_column("name", type_=sa.String(300))
    print("reviews left:", op.get_bind().exec_driver_sql("SELECT count(*) FROM reviews").scalar())
"""

# What the application imports of its packages after every edit, for the first module and the last.
BEGIN = """
import sys
known = set(sys.modules)
"""
END = """
import sys
import app
anew = {name for name in set(sys.modules) - app.known if name.partition(".")[0] not in sys.stdlib_module_names}
print("imported anew:", sorted(name for name in anew if not name.startswith("app.")))
"""

SLOW = """
import time
for _ in range(300):
    print("slow to import")
    time.sleep(0.2)
"""

NOTE = '''

class Note(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[Decimal]
    written_at: Mapped[datetime]
'''


def test_edit_shows_without_a_build(project: Project, development: Stack) -> None:
    """Source files that are edited on the host show in the next answer, however quickly the edits follow each other."""
    container = development.containers()["web"]["Id"]
    with development.client() as client:
        assert client.get("/openapi.json").json()["info"]["version"] == "0.1.0"
        if project.stores:
            append(project, "app/models.py", NOTE)
        replace(project, "app/main.py", '"0.1.0"', '"0.2.0"')
        wait_for(lambda: client.get("/openapi.json").json()["info"]["version"] == "0.2.0")
    assert development.containers()["web"]["Id"] == container


@stored
def test_migration_from_inside(project: Project, development: Stack) -> None:
    """A migration written inside belongs to the host's user, holds the change and nothing else, and can be applied."""
    development.execute("alembic", "revision", "--autogenerate", "--message", "add notes")
    (migration,) = (project.directory / "migrations" / "versions").glob("*_add_notes.py")
    assert migration.stat().st_uid == project.directory.stat().st_uid
    text = migration.read_text(encoding="utf-8")
    assert text.count("op.") == 2, text
    assert "app." not in text
    assert "No new upgrade operations" in development.execute("python", "-c", APPLY_AND_CHECK)


@pytest.mark.only_where(database=("sqlite",), redis=("none",))
def test_migration_that_copies_a_table(project: Project, development: Stack) -> None:
    """A migration that copies a table, as SQLite needs it, keeps the rows that refer to what is in it."""
    versions = project.directory / "migrations" / "versions"
    head = development.execute("alembic", "heads").split()[0]
    (versions / "refer.py").write_text(REFER.format(head=head), encoding="utf-8")
    (versions / "copy.py").write_text(COPY, encoding="utf-8")
    address = f"sqlite{'+aiosqlite' if project.answers['framework'] == 'fastapi' else ''}:////tmp/copied.db"
    try:
        said = development.execute("env", f"DATABASE_URL={address}", "alembic", "upgrade", "head")
    finally:
        for name in ("refer.py", "copy.py"):
            (versions / name).unlink()
    assert "reviews left: 1" in said


def test_own_tests_pass(development: Stack) -> None:
    """The project's own tests pass, against the services of its development stack, and with what was added to it."""
    assert " passed" in development.execute("pytest")


def test_edit_imports_the_application_alone(project: Project, development: Stack) -> None:
    """After an edit no package is imported again."""
    append(project, "app/__init__.py", BEGIN)
    append(project, "app/main.py", END)
    wait_for(lambda: "imported anew:" in development.compose("logs", "web"))
    *_, anew = development.compose("logs", "web").partition("imported anew:")
    assert anew.splitlines()[0] == " []"
    replace(project, "app/main.py", END, "")
    replace(project, "app/__init__.py", BEGIN, "")


@pytest.mark.sampled
def test_edit_while_starting(project: Project, development: Stack) -> None:
    """An edit that comes before an earlier one could show need not wait for it."""
    with development.client() as client:
        append(project, "app/products.py", SLOW)
        wait_for(lambda: "slow to import" in development.compose("logs", "--tail", "30", "web"))
        replace(project, "app/products.py", SLOW, "")
        wait_for(lambda: client.get("/products").status_code == 200)
    # Told to stop it does so at once, and is not killed when it has gone on for seconds.
    *_, after = development.compose("logs", "web").rpartition("Changes detected")
    assert after.count("slow to import") <= 1


@pytest.mark.sampled
def test_mistake_is_survived(project: Project, development: Stack) -> None:
    """A file that Python can't read does not end the server: it serves again as soon as the file is mended."""
    with development.client() as client:
        append(project, "app/products.py", "\ndef broken(:\n")
        wait_for(lambda: "SyntaxError" in development.compose("logs", "--tail", "30", "web"))
        replace(project, "app/products.py", "\ndef broken(:\n", "")
        wait_for(lambda: client.get("/products").status_code == 200)


def test_files_belong_to_the_owner(project: Project, development: Stack) -> None:
    """Whatever was written inside, the caches of tools too, belongs to the host's user, and no bytecode is."""
    development.execute("python", "-c", "open('written', 'w')")
    written = list(project.directory.rglob("*"))
    assert not [path for path in written if path.suffix == ".pyc"]
    owners = {path.stat().st_uid for path in written}
    assert owners == {project.directory.stat().st_uid}
    assert os.getuid() != 0 or owners != {0}


def test_stops_at_once(project: Project, development: Stack) -> None:
    """Ctrl-C ends the development server by itself too."""
    development.compose("stop", "web")
    assert development.containers()["web"]["State"]["ExitCode"] == 0
    assert project.directory.is_dir()


@pytest.mark.sampled
def test_targets(project: Project, development: Stack) -> None:
    """What the Makefile offers works, also before anything was built."""
    assert project.slug == development.name
    development.compose("down", "--rmi", "local")
    assert " passed" in project.run("make", "test")
    assert "Success" in project.run("make", "lint")
    if project.stores:
        assert "say what has changed" in project.run("make", "migration", expect=2)
        project.run("make", "migration", "m=no change")
        project.run("make", "migrate")
    project.run("make", "lock")
    assert {path.stat().st_uid for path in project.directory.rglob("*")} == {project.directory.stat().st_uid}
    project.run("make", "up")
    project.run("make", "down")


def append(project: Project, file: str, text: str) -> None:
    """Add a text to a file of the project."""
    path = project.directory / file
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(project: Project, file: str, old: str, new: str) -> None:
    """Write something else into a file of the project, which looks as if the last change was in the same second."""
    path = project.directory / file
    changed = path.stat().st_mtime
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")
    os.utime(path, (changed, changed))
