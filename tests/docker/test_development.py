"""Development, every combination: an edit shows without a build, and the project's own tools work inside."""

import os

import pytest

from tests.docker.stack import Project, Stack, wait_for

stored = pytest.mark.only_where(database=("sqlite", "postgresql", "mariadb"))
# What hangs on the framework and the base image alone.
each_base = pytest.mark.only_where(database=("sqlite",), redis=("none",))

APPLY_AND_CHECK = """
from alembic import command
from alembic.config import Config
config = Config("migrations/alembic.ini")
command.upgrade(config, "head")
command.check(config)
"""

NOTE = '''

class Note(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[Decimal]
    written_at: Mapped[datetime]
'''


def test_own_tests_pass(development: Stack) -> None:
    """The project's own tests pass, against the services of its development stack."""
    assert " passed" in development.execute("pytest")


def test_edit_shows_without_a_build(project: Project, development: Stack) -> None:
    """A source file that is edited on the host shows in the next answer, from the same container."""
    container = development.containers()["web"]["Id"]
    source = project.directory / "app" / "health.py"
    before = source.read_text(encoding="utf-8")
    with development.client() as client:
        assert client.get("/health").json() == {"status": "ok"}
        source.write_text(before.replace('"ok"', '"edited"'), encoding="utf-8")
        wait_for(lambda: client.get("/health").json() == {"status": "edited"})
    assert development.containers()["web"]["Id"] == container


@each_base
def test_mistake_is_survived(project: Project, development: Stack) -> None:
    """A file that Python can't read does not end the server: it serves again as soon as the file is mended."""
    source = project.directory / "app" / "products.py"
    good = source.read_text(encoding="utf-8")
    with development.client() as client:
        source.write_text(f"{good}\ndef broken(:\n", encoding="utf-8")
        wait_for(lambda: "SyntaxError" in development.compose("logs", "--tail", "30", "web"))
        source.write_text(good, encoding="utf-8")
        wait_for(lambda: client.get("/products").status_code == 200)


@stored
def test_migration_from_inside(project: Project, development: Stack) -> None:
    """A migration written inside belongs to the host's user, holds the change and nothing else, and can be applied."""
    models = project.directory / "app" / "models.py"
    models.write_text(models.read_text(encoding="utf-8") + NOTE, encoding="utf-8")
    development.execute("alembic", "revision", "--autogenerate", "--message", "add notes")
    (migration,) = (project.directory / "migrations" / "versions").glob("*_add_notes.py")
    assert migration.stat().st_uid == project.directory.stat().st_uid
    text = migration.read_text(encoding="utf-8")
    assert text.count("op.") == 2, text
    assert "app." not in text
    assert "No new upgrade operations" in development.execute("python", "-c", APPLY_AND_CHECK)


def test_files_belong_to_the_owner(project: Project, development: Stack) -> None:
    """Whatever was written inside, the bytecode and the caches of tools too, belongs to the host's user."""
    development.execute("python", "-c", "open('written', 'w')")
    owners = {path.stat().st_uid for path in project.directory.rglob("*")}
    assert owners == {project.directory.stat().st_uid}
    assert os.getuid() != 0 or owners != {0}


def test_stops_at_once(project: Project, development: Stack) -> None:
    """Ctrl-C ends the development server by itself too."""
    development.compose("stop", "web")
    assert development.containers()["web"]["State"]["ExitCode"] == 0
    assert project.directory.is_dir()


@each_base
def test_targets(project: Project, development: Stack) -> None:
    """What the Makefile offers works, also before anything was built."""
    assert project.slug == development.name
    development.compose("down", "--rmi", "local")
    source = project.directory / "app" / "health.py"
    source.write_text(source.read_text(encoding="utf-8").replace('"edited"', '"ok"'), encoding="utf-8")
    assert " passed" in project.run("make", "test")
    assert "Success" in project.run("make", "lint")
    project.run("make", "migration", "m=no change")
    project.run("make", "migrate")
    project.run("make", "lock")
    assert {path.stat().st_uid for path in project.directory.rglob("*")} == {project.directory.stat().st_uid}
    project.run("make", "up")
    project.run("make", "down")
