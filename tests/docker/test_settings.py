"""Settings: the README's table is true, and what platforms hand out is taken."""

import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.docker.stack import OURS, TLS, Project, Stack, wait_for

# Run in the image: load_settings() for each environment, as a process of its own would.
LOAD = """
import json, os, sys
from app.settings import load_settings
loaded = []
for environment in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environment)
    try:
        settings = load_settings()
    except SystemExit as error:
        loaded.append(str(error))
        continue
    names = getattr(type(settings), "model_fields", None) or type(settings).__dataclass_fields__
    values = {name: getattr(settings, name) for name in names}
    if "database_url" in values:
        values["database_url"] = values["database_url"].render_as_string(hide_password=False)
    loaded.append(values)
json.dump(loaded, sys.stdout, default=str)
"""
Row = tuple[str, str]
Record = Callable[[str, object], None]
DATA = "--tmpfs=/data:mode=1777"


def load(project: Project, image: str, *environments: dict[str, str]) -> list[Any]:
    """Return the settings that each environment makes, or the sentence that refuses it."""
    command = ("docker", "run", "--rm", "--interactive", image, "python", "-c", LOAD)
    loaded: list[Any] = json.loads(project.run(*command, stdin=json.dumps(environments)))
    return loaded


def table(project: Project) -> dict[str, Row]:
    """Return the default and the description of each variable, from the README's table."""
    text = (project.directory / "README.md").read_text(encoding="utf-8")
    _, _, section = text.partition("\n## Settings\n")
    rows = re.findall(r"^\| `([A-Z_]+)` \|([^|]*)\| (.*) \|$", section.partition("\n## ")[0], re.MULTILINE)
    assert rows, "the README has no table of settings"
    return {name: (default.strip().strip("`"), text) for name, default, text in rows}


def required(project: Project) -> dict[str, str]:
    """Return a value for each variable without a default."""
    values = {"DATABASE_URL": f"{project.answers['database']}://app:secret@db/app", "REDIS_URL": "redis://redis/0"}
    return {name: values[name] for name, (default, _) in table(project).items() if default == "required"}


def test_defaults(project: Project, image: str) -> None:
    """Without a variable each setting has the default that the README names."""
    rows = table(project)
    (unset,) = load(project, image, required(project))
    files = {name for name in rows if name.endswith("_PASSWORD_FILE")}
    # The password's place is the address; one of the frameworks keeps it for itself, too.
    passwords = {name.lower().removesuffix("_file") for name in files}
    assert unset.keys() - passwords == {name.lower() for name in rows.keys() - files}
    for name, (default, _) in rows.items():
        if default != "required" and name not in files:
            actual = unset[name.lower()]
            text = ",".join(actual) if isinstance(actual, list) else str(actual)
            text = text.lower() if isinstance(actual, bool) else text
            # The driver is put in.
            assert re.sub(r"^sqlite\+\w+:", "sqlite:", text) == default, name


def test_ranges(project: Project, image: str) -> None:
    """A number has the range, and a choice the values, that the README names; all else is refused by name."""
    rows = table(project)
    taken: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for name, (_, text) in rows.items():
        if bounds := re.search(r"(\d+) to (\d+)$", text):
            low, high = map(int, bounds.groups())
            taken += [{name: str(low)}, {name: str(high)}]
            refused += [{name: wrong} for wrong in (str(low - 1), str(high + 1), "-1", "1.5", "many")]
    assert {name for one in taken for name in one} >= {"WORKERS"}
    taken += [{"ENVIRONMENT": "development"}]
    taken += [{"LOG_LEVEL": level} for level in ("DEBUG", "INFO", "WARNING", "ERROR")]
    refused += [{"ENVIRONMENT": "test"}, {"LOG_LEVEL": "loud"}]
    refused += [{"PORT": "0"}, {"PORT": "65536"}, {"MAX_BODY_BYTES": "0"}]
    refused += [{name: "nonsense"} for name in ("DATABASE_URL", "REDIS_URL") if name in rows]
    refused += [{name: ""} for name in required(project)]
    for one, settings in zip(taken, load(project, image, *(required(project) | one for one in taken)), strict=True):
        assert isinstance(settings, dict), settings
        assert {name: str(settings[name.lower()]) for name in one} == one
    for one, sentence in zip(refused, load(project, image, *(required(project) | one for one in refused)), strict=True):
        (name,) = one
        assert isinstance(sentence, str), one
        assert sentence.startswith("settings: "), sentence
        assert name in sentence


def test_wrong_setting_is_one_sentence(project: Project, image: str) -> None:
    """A setting that is missing or malformed, or no place for the database, stops the container with one sentence."""
    wrong = {"WORKERS": ["--env", "WORKERS=0"]}
    if project.has_server:
        wrong["DATABASE_URL"] = []
    if project.answers["database"] == "sqlite":
        wrong["/data"] = ["--read-only", "--env", "REDIS_URL=redis://redis"]
    for name, options in wrong.items():
        said = project.run("docker", "run", "--rm", *options, image, expect=1)
        assert name in said
        assert len(said.splitlines()) == 1
        assert "Traceback" not in said


@pytest.mark.one_for_each("framework")
@pytest.mark.only_where(sample=["products"], database=["sqlite"], redis=["none"])
def test_platforms(project: Project, image: str, record_property: Record) -> None:
    """It serves on any PORT, as any user, in 256 MB, on a read-only root, without capabilities; both signals end it.

    It also serves below the path of a proxy, which is not in the requests, but in where an answer leads; and with
    LOG_LEVEL=ERROR neither it nor the server logs what is in order.
    """
    confined = ("--user=123456:0", "--memory=256m", "--cap-drop=ALL", "--read-only", "--tmpfs=/tmp", DATA)
    published = ("--env=PORT=8080", "--env=ROOT_PATH=/shop", "--env=LOG_LEVEL=ERROR", "--publish=127.0.0.1::8080")

    def stop(signal: str, *, busy: bool) -> float:
        """Start a container, stop it while it is idle or while a body arrives, and return how long that took."""
        name = f"{project.slug}-{signal}-{busy}"
        project.run("docker", "run", "--detach", "--name", name, *published, *confined, image)
        try:
            health = ("docker", "inspect", "--format", "{{.State.Health.Status}}", name)
            wait_for(lambda: project.run(*health) == "healthy\n")
            port = project.run("docker", "port", name, "8080").rpartition(":")[2].strip()
            created = httpx.post(
                f"http://127.0.0.1:{port}/products", json={"name": "Pen", "price": "34.00"}, verify=TLS
            )
            assert created.headers["Location"] == f"/shop/products/{created.json()['id']}"
            with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as connection:
                if busy:
                    connection.sendall(b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
                else:
                    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert connection.recv(100).startswith(b"HTTP/1.1 200")
                start = time.monotonic()
                project.run("docker", "stop", "--signal", signal, "--timeout", "60", name)
                seconds = time.monotonic() - start
            code = project.run("docker", "inspect", "--format", "{{.State.ExitCode}}", name)
            assert (signal, busy, code) == (signal, busy, "0\n")
            if not busy:
                assert project.run("docker", "logs", name) == ""
        finally:
            project.run("docker", "rm", "--force", name)
        return seconds

    kinds = [(signal, busy) for busy in (False, True) for signal in ("TERM", "INT")]
    with ThreadPoolExecutor(len(kinds)) as pool:
        seconds = list(pool.map(lambda kind: stop(kind[0], busy=kind[1]), kinds))
    record_property("requests", f"stopped after {', '.join(f'{one:.1f}' for one in seconds)} s")
    # 2.5 and 8 seconds, on a machine that is several times slower
    assert max(seconds[:2]) < 10
    assert max(seconds[2:]) < 30


@pytest.mark.only_where(database=["postgresql", "mariadb"])
@pytest.mark.one_for_each("framework", "database")
def test_addresses_as_platforms_hand_them_out(project: Project, production: Stack) -> None:
    """Each scheme of the database is taken, with and without a driver, a password and options, and connects."""
    driver = production.execute(
        "python", "-c", "from app.settings import load_settings; print(load_settings().database_url.drivername)"
    ).strip()
    password = (project.directory / "secrets" / "database_password").read_text(encoding="utf-8").strip()
    if project.answers["database"] == "postgresql":
        schemes, options = ["postgres", "postgresql", driver], ["", "?sslmode=prefer", "?sslmode=disable"]
    else:
        schemes, options = ["mysql", "mariadb", driver], ["", "?charset=utf8mb4"]
    connect = """
import asyncio, inspect, os, sys
from alembic import command
from alembic.config import Config
for url in sys.argv[1:]:
    os.environ["DATABASE_URL"] = url
    os.environ.pop("DATABASE_PASSWORD_FILE", None)
    command.current(Config("migrations/alembic.ini"), check_heads=True)
    print("connected with", url.partition(":")[0])
"""
    urls = [f"{scheme}://app:{password}@db/app{option}" for scheme in schemes for option in options]
    said = production.execute("python", "-c", connect, *urls)
    assert said.count("connected with") == len(urls), said


@pytest.mark.only_where(database=["postgresql", "mariadb"])
@pytest.mark.one_for_each("framework")
def test_password_file_with_white_space(project: Project, image: str) -> None:
    """A password that the database would read differently is refused in words; one line end is not part of it."""
    name = f"{project.slug}-password"
    read = """
import os, sys
from app.settings import load_settings
for text in ("word", "word\\n", "word ", " word", "word\\r\\n", "word\\n\\n", "", "\\n"):
    with open("/tmp/password", "w", newline="") as file:
        file.write(text)
    try:
        print(load_settings().database_url.password)
    except SystemExit as error:
        print(error)
"""
    settings = required(project) | {"DATABASE_URL": f"{project.answers['database']}://app@db/app"}
    settings["DATABASE_PASSWORD_FILE"] = "/tmp/password"  # noqa: S105, S108 # in the container
    environment = [part for setting in settings.items() for part in ("--env", "=".join(setting))]
    first, second, *others = project.run(
        "docker", "run", "--rm", "--name", name, *environment, image, "python", "-c", read
    ).splitlines()
    assert first == second == "word"
    assert len(others) == 6
    assert all("DATABASE_PASSWORD_FILE" in line and line.startswith("settings: ") for line in others), others


@pytest.mark.one_for_each("framework")
@pytest.mark.only_where(database=["postgresql", "mariadb"], redis=["cache", "cache-and-queue"])
@pytest.mark.usefixtures("settled")
def test_documented_maximum_fits_the_limits(project: Project, production: Stack) -> None:
    """With as many workers and threads as the README allows the service stays within the limits of production.

    Each worker says how many connections to the database it may open.
    """
    settings = {name: re.findall(r"to (\d+)$", text) for name, (_, text) in table(project).items()}
    lines = [f"      {name}: '{settings[name][0]}'" for name in ("WORKERS", "THREADS") if name in settings]
    override = project.directory / "compose.maximum.yaml"
    override.write_text("\n".join(["services:", "  web:", "    environment:", *lines, ""]), encoding="utf-8")
    production.compose("--file", override.name, "up", "--detach", "--wait", "web")
    container = production.containers()["web"]
    with production.client() as client:
        for _ in range(50):
            assert client.get("/ready").status_code == 200
    # Threads are started when they are needed: here by probes that wait for the database.
    everything = httpx.Limits(max_connections=None)
    address = f"http://127.0.0.1:{project.port}/ready"
    with httpx.Client(timeout=60, limits=everything, verify=TLS) as client, ThreadPoolExecutor(500) as pool:
        with production.paused("db"):
            assert {one.status_code for one in pool.map(client.get, [address] * 500)} == {503}
        wait_for(lambda: client.get(address).status_code == 200)
    again = production.containers()["web"]
    log = production.compose("logs", "web")
    # Whether or not the database's next health check has been made
    production.compose("up", "--detach", "--wait", "--no-deps", "web")
    override.unlink()
    pool_size, _ = table(project)["POOL_SIZE"]
    told = log.count(f"at most {pool_size} connections to the database in this process (POOL_SIZE)")
    assert told == int(settings["WORKERS"][0])
    assert [one["State"]["StartedAt"] for one in (container, again)] == [container["State"]["StartedAt"]] * 2
    assert not again["State"]["OOMKilled"]
    assert {name for name in production.containers() if name in OURS} >= {"web"}
