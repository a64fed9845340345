"""The generated OPERATIONS.md: its commands, taken word for word, and what they promise."""

import dataclasses
import re
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from dockwright.matrix import sample
from dockwright.template import load as load_template
from tests.docker.load import load
from tests.docker.stack import Project, Stack, wait_for
from tests.docker.test_deploy import start_job
from tests.docker.test_failures import Record

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 2}
ODD = PEN | {"name": "It's 100 % “Größe”;\n-- ink"}
STORED = ["sqlite", "postgresql", "mariadb"]
# How many blocks of commands each section has that the tests of this file run, or those of another file.
TESTED = {
    "Deploy": 2,
    "Roll back": 1,
    "Scale": 3,
    "Update": 2,
    "Move the directory": 1,
    "Change the passwords": 1,
    "Back up and restore": 3,
    "Look at it": 3,
    "Metrics and alerts": 1,  # test_metrics.py
}


def blocks(text: str) -> dict[str, list[str]]:
    """Return the commands of each section of an OPERATIONS.md."""
    sections = re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return {title: re.findall(r"^```sh\n(.*?)^```$", body, re.DOTALL | re.MULTILINE) for title, body in sections}


def run(project: Project, section: str, *numbers: int, replace: Mapping[str, str] | None = None) -> str:
    """Run blocks of a section, and return what they printed."""
    text = (project.directory / "OPERATIONS.md").read_text(encoding="utf-8")
    commands = "".join(blocks(text)[section][number] for number in numbers)
    for old, new in (replace or {}).items():
        assert old in commands
        commands = commands.replace(old, new)
    return project.run("bash", "-euo", "pipefail", "-c", commands)


def back_up(project: Project) -> Path:
    """Back up the database and return the new file."""
    (name,) = re.findall(r"^Wrote (.+)$", run(project, "Back up and restore", 0), re.MULTILINE)
    return Path(project.directory, name)


def restore(project: Project, file: Path) -> None:
    """Delete the data and restore a backup."""
    run(
        project,
        "Back up and restore",
        *(1, 2),
        replace={"backups/2026-01-31T12-00-00Z.sql": str(file.relative_to(project.directory))},
    )


def test_every_command_is_tested() -> None:
    """No OPERATIONS.md has a section or a block of commands that no test runs."""
    template = load_template()
    for cell in sample():
        found = blocks(template.text("OPERATIONS.md", template.complete(cell)))
        assert found["Deploy"][0] == "make deploy\n"  # test_deploy.py
        assert found["Roll back"][0] == "make rollback\n"  # test_deploy.py
        # No registry is here; the rest is test_deploy.py's, and what `up` does everywhere.
        assert found["Update"][0] == "docker compose -f compose.prod.yaml build --pull\nmake deploy\n"
        services = yaml.safe_load(template.text("compose.prod.yaml", template.complete(cell)))["services"]
        others = [name for name in ("db", "redis", "proxy") if name in services]
        pull = f"docker compose -f compose.prod.yaml pull {' '.join(others)}\n"
        assert found["Update"][1:] == [f"{pull}docker compose -f compose.prod.yaml up -d --wait\n"] * bool(others)
        for section, commands in found.items():
            assert len(commands) <= TESTED[section], section


@pytest.mark.only_where(database=STORED, sample=["products"])
@pytest.mark.one_for_each("database")
@pytest.mark.usefixtures("settled")
def test_backup(project: Project, production: Stack) -> None:
    """A backup that is made while the service is written to restores what was there, into an empty database only."""
    with production.client() as client:
        kept = client.post("/products", json=ODD)
        with load(project.port, rate=30, writes=True) as requests:
            time.sleep(1)
            file = back_up(project)
        assert requests.failed == []
        assert file.stat().st_mode & 0o777 == 0o600
        assert "backups/" in (project.directory / ".gitignore").read_text(encoding="utf-8").splitlines()
        lost = client.post("/products", json=PEN)
        total = client.get("/products").json()["total"]
        cut = file.with_name("cut.sql")
        cut.write_bytes(file.read_bytes()[:-300])
        for wrong, why in (
            ("", "name the backup"),
            ("backups/missing.sql", "name the backup"),
            ("README.md", "is not a complete backup"),
            (f"backups/{cut.name}", "is not a complete backup"),
        ):
            assert why in project.run("make", "restore", f"FILE={wrong}", expect=2)
        # Not empty: nothing changes.
        said = project.run("make", "restore", f"FILE={file.relative_to(project.directory)}", expect=2)
        assert "has to be empty" in said
        assert "Traceback" not in said
        assert client.get("/products").json()["total"] == total
    restore(project, file)
    with production.client() as client:
        assert client.get(kept.headers["Location"]).json() == kept.json()
        assert client.get(lost.headers["Location"]).status_code == 404
        assert client.post("/products", json=PEN).status_code == 201


@pytest.mark.only_where(database=STORED, sample=["products"])
@pytest.mark.one_for_each("database")
def test_backup_without_the_service(project: Project, production: Stack) -> None:
    """Where nothing runs that could be asked, the backup fails and leaves no file."""
    service = "db" if project.has_server else "web"
    before = set(project.directory.glob("backups/*"))
    production.compose("stop", service)
    assert "error: nothing was backed up" in project.run("make", "backup", expect=2)
    production.compose("start", service)
    assert set(project.directory.glob("backups/*")) == before
    with production.client() as client:
        wait_for(lambda: client.get("/ready").status_code == 200)


@pytest.mark.only_where(redis=["cache", "queue", "cache-and-queue"], database=["none", "postgresql", "mariadb"])
@pytest.mark.one_for_each("database")
@pytest.mark.usefixtures("settled")
def test_passwords_are_changed_after_a_move(project: Project, production: Stack, tmp_path: Path) -> None:
    """Where the project is moved to, its containers are created again, and get new passwords, twice."""
    moved = dataclasses.replace(project, directory=tmp_path / project.slug)
    shutil.move(project.directory, moved.directory)
    try:
        run(moved, "Move the directory", 0)
        for _ in range(2):
            run(moved, "Change the passwords", 0)
            with production.client() as client:
                assert "down" not in client.get("/ready").json().values()
    finally:
        shutil.move(moved.directory, project.directory)
    run(project, "Move the directory", 0)


@pytest.mark.only_where(database=["postgresql", "mariadb"], redis=["queue", "cache-and-queue"])
@pytest.mark.one_for_each("database")
@pytest.mark.usefixtures("settled")
def test_passwords_are_changed(project: Project, production: Stack, record_property: Record) -> None:
    """The passwords change while the service runs; the worker finishes its job, and the old ones are refused."""
    names = ("database_password", "database_admin_password", "redis_password")
    files = [project.directory / "secrets" / name for name in names]
    before = [file.read_text(encoding="utf-8") for file in files]
    job = start_job(production)
    wait_for(lambda: production.job_status(job) == "started")
    with load(project.port, rate=10, writes=project.stores) as requests:
        run(project, "Change the passwords", 0)
    record_property("requests", f"{requests}; 1 job accepted, {production.job_status(job)}")
    assert production.job_status(job) == "finished"
    after = [file.read_text(encoding="utf-8") for file in files]
    assert not set(before) & set(after)
    assert administers(production, after[1])
    assert not administers(production, before[1])
    with production.client() as client:
        assert client.get("/ready").json() == {"status": "ready", "database": "up", "redis": "up"}
        address = client.post("/reports").headers["Location"]
        wait_for(lambda: client.get(address).json()["status"] == "finished")
    assert {*(project.directory / "secrets").iterdir()} == {*files}
    # With the old password, as after an interrupted change, nothing starts. It is named at once, and the same helps.
    files[0].write_text(before[0], encoding="utf-8")
    start = time.monotonic()
    production.compose("run", "--rm", "migrate", expect=1)
    assert time.monotonic() - start < 45
    production.compose("down")
    production.compose("up", "--detach", "--wait", expect=1)
    message = "password authentication failed" if project.answers["database"] == "postgresql" else "Access denied"
    assert re.search(rf"^database: .*{message}", run(project, "Look at it", 2), re.MULTILINE)
    run(project, "Change the passwords", 0)
    assert set(production.containers()) == set(project.production_services)
    with production.client() as client:
        wait_for(lambda: client.get("/ready").status_code == 200)
        address = client.post("/reports").headers["Location"]
        wait_for(lambda: client.get(address).json()["status"] == "finished")


def administers(production: Stack, password: str) -> bool:
    """Return whether this is the password of the database's administrator."""
    if production.project.answers["database"] == "postgresql":
        # By name, as on its own address PostgreSQL asks nobody for a password.
        command = f"PGPASSWORD={password} psql --host=db --username=postgres -At -c 'SELECT 42'"
    else:
        command = f"mariadb --user=root --password={password} -N -e 'SELECT 42'"
    return "42" in production.compose("exec", "--no-TTY", "db", "sh", "-c", command, expect=None).splitlines()


@pytest.mark.only_where(database=["postgresql"], sample=["products"])
@pytest.mark.one_for_each("database")
def test_older_volume(project: Project, production: Stack) -> None:
    """The data of a volume that was set up with the service's role as superuser moves to one where it is none."""
    production.compose("down", "--volumes")
    override = project.directory / "compose.older.yaml"
    override.write_text(
        "services:\n  db:\n    configs: !reset []\n    environment: !override\n"
        "      POSTGRES_USER: app\n      POSTGRES_PASSWORD_FILE: /run/secrets/database_password\n",
        encoding="utf-8",
    )
    production.compose("--file", override.name, "up", "--detach", "--wait")
    override.unlink()
    assert is_superuser(production)
    with production.client() as client:
        kept = client.post("/products", json=PEN)
        said = project.run("make", "secrets", "backup")
        restore(project, project.directory / re.findall(r"^Wrote (.+)$", said, re.MULTILINE)[0])
        assert not is_superuser(production)
        wait_for(lambda: client.get(kept.headers["Location"]).json() == kept.json())


def is_superuser(stack: Stack) -> bool:
    """Return whether the service's role is PostgreSQL's superuser."""
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    return stack.execute("psql", "-U", "app", "-d", "app", "-At", "-c", query, service="db").strip() == "t"


@pytest.mark.only_where(proxy=["caddy"], redis=["queue", "cache-and-queue"])
@pytest.mark.one_for_each("proxy")
@pytest.mark.usefixtures("settled")
def test_scale(project: Project, production: Stack) -> None:
    """More processes, containers and workers are started."""
    environment = project.directory / ".env"
    before = environment.read_text(encoding="utf-8")
    page = (project.directory / "OPERATIONS.md").read_text(encoding="utf-8")
    (most,) = re.findall(r"set `WORKERS` in `.env`, 1 to (\d+)", page)
    environment.write_text(f"{before}WORKERS={most}\n", encoding="utf-8")
    run(project, "Scale", 0)
    with load(project.port, rate=20, writes=project.stores) as requests:
        wait_for(lambda: requests.sent > 60)
    assert requests.failed == []
    # They have the memory and the processes for it: none had to be started again.
    assert production.compose("logs", "web").count("Started worker-") == int(most)
    run(project, "Scale", 1)
    assert len(production.compose("ps", "--quiet", "web").split()) == 3
    run(project, "Scale", 2)
    assert len(production.compose("ps", "--quiet", "worker").split()) == 2
    environment.write_text(before, encoding="utf-8")
    run(project, "Scale", 0)


@pytest.mark.one_for_each("framework")
def test_look(project: Project, production: Stack) -> None:
    """The state, the readiness and what went wrong are shown."""
    wait_for(lambda: "(healthy)" in run(project, "Look at it", 0))
    default = load_template().options["port"].default
    assert project.answers["port"] != default
    ready = run(project, "Look at it", 1, replace={project.answers["port"]: str(project.port)})
    assert '"status":"ready"' in ready.replace(" ", "")
    # An error that is logged, by the service's own logging
    log = "import logging.config as c; from app import logs; from app.settings import load_settings as s;"
    log += "c.dictConfig(logs.config(s())); import logging; logging.error('made by a test')"
    production.execute("sh", "-c", f"python -c {shlex.quote(log)} >/proc/1/fd/1")
    wait_for(lambda: "made by a test" in run(project, "Look at it", 2))


@pytest.mark.only_where(proxy=["none"], database=STORED)
@pytest.mark.one_for_each("proxy")
@pytest.mark.usefixtures("settled")
def test_deploy_without_the_source(project: Project, production: Stack) -> None:
    """The version of TAG starts from an image that is there; `pull` is left out, as no registry is."""
    started = production.containers()["web"]["State"]["StartedAt"]
    project.run("docker", "tag", project.production_image, f"{project.slug}:0.1.1")
    environment = project.directory / ".env"
    before = environment.read_text(encoding="utf-8")
    for content in (f"{before}TAG=0.1.1\n", before):
        environment.write_text(content, encoding="utf-8")
        run(project, "Deploy", 1, replace={"docker compose -f compose.prod.yaml pull web\n": ""})
    assert production.containers()["web"]["State"]["StartedAt"] != started
    project.run("docker", "rmi", f"{project.slug}:0.1.1")
