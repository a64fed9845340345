"""What the service's accounts in the database and in Redis may do in production, and what nobody may."""

import pytest

from tests.docker.stack import REDIS_CLI, Project, Stack, wait_for

PEN = {"name": "Fountain pen", "description": "Medium nib", "price": "34.00", "stock": 2}
# What a role that was set up as the server's own could do
FORBIDDEN_SQL = {
    "postgresql": (
        "COPY (SELECT 1) TO PROGRAM 'cat >/tmp/planted'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM pg_authid",
        "CREATE ROLE other",
        "CREATE DATABASE other",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "ALTER ROLE postgres PASSWORD 'changed'",
    ),
    "mariadb": (
        "SELECT * FROM mysql.user",
        "CREATE USER other",
        "CREATE DATABASE other",
        "SELECT 1 INTO OUTFILE '/tmp/planted'",
        "SET GLOBAL max_connections = 1",
    ),
}
FORBIDDEN_COMMANDS = (
    "config get dir",
    "flushall",
    "keys *",
    "acl list",
    "shutdown",
    "replicaof no one",
)
# A number of keys, a command, what the keys begin with, and what is between key and value
FILL = """for number in $(seq "$1"); do head -c 100000 /dev/zero |
    REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli --raw --user app -x "$2" "$3$number" $4; done"""
CLIENTS = {
    "postgresql": 'psql -h 127.0.0.1 -U app -d "${2:-app}" -v ON_ERROR_STOP=1 -c "$1"',
    "mariadb": 'mariadb --protocol=tcp -h 127.0.0.1 -u app -p"$PGPASSWORD" -D "${2:-app}" -e "$1"',
}


@pytest.mark.only_where(database=["postgresql", "mariadb"])
@pytest.mark.one_for_each("database")
def test_database_account(project: Project, production: Stack) -> None:
    """The service's account changes its own tables, and has no power over the server or another database."""
    kind = project.answers["database"]
    script = f'export PGPASSWORD="$(cat /run/secrets/database_password)"; {CLIENTS[kind]}'

    def ask(statement: str, database: str = "app", *, expect: int = 0) -> str:
        command = ("exec", "--no-TTY", "db", "sh", "-c", script, "sh", statement, database)
        return production.compose(*command, expect=expect)

    ask("CREATE TABLE own (id INTEGER PRIMARY KEY); INSERT INTO own VALUES (1); DROP TABLE own")
    for statement in FORBIDDEN_SQL[kind]:
        said = ask(statement, expect=1)
        assert "denied" in said, (statement, said)
    ask("SELECT 1", "postgres" if kind == "postgresql" else "mysql", expect=2 if kind == "postgresql" else 1)


@pytest.mark.only_where(database=["postgresql", "mariadb"])
@pytest.mark.one_for_each("database")
def test_password_of_the_server_is_its_own(project: Project, production: Stack) -> None:
    """The server's own account has another password, and no service but the database's has it."""
    passwords = {file.name: file.read_text(encoding="utf-8") for file in (project.directory / "secrets").iterdir()}
    assert len(set(passwords.values())) == len(passwords)
    for name, container in production.containers().items():
        mounted = {mount["Destination"] for mount in container["Mounts"]}
        assert ("/run/secrets/database_admin_password" in mounted) == (name == "db"), name


@pytest.mark.only_where(database=["mariadb"])
@pytest.mark.one_for_each("database")
def test_root_connects_from_its_container_only(project: Project, production: Stack) -> None:
    """MariaDB's `root` can't log in from another container, not even with its password."""
    password = (project.directory / "secrets" / "database_admin_password").read_text(encoding="utf-8")
    code = f"import pymysql; pymysql.connect(host='db', user='root', password={password!r})"
    command = ("exec", "--no-TTY", "web", "python", "-c", code)
    assert "Access denied for user 'root'" in production.compose(*command, expect=1)
    assert "1" in production.execute("mariadb", "--user=root", f"--password={password}", "-e", "SELECT 1", service="db")


@pytest.mark.only_where(redis=["cache", "queue", "cache-and-queue"])
@pytest.mark.one_for_each("framework", "redis")
def test_redis_account(project: Project, production: Stack) -> None:
    """The cache hits and the worker makes reports with an account that can do nothing dangerous; no other connects."""
    assert "NOAUTH" in production.execute("redis-cli", "ping", service="redis")
    for password in ("", "x"):
        assert "WRONGPASS" in production.execute("redis-cli", "auth", "default", password, service="redis")
    for command in FORBIDDEN_COMMANDS:
        assert "NOPERM" in production.redis(*command.split()), command
    if project.answers["redis"] == "queue":
        assert "NOPERM" in production.redis("get", "other")
    with production.client() as client:
        assert client.get("/ready").json()["redis"] == "up"
        if project.queues:
            address = client.post("/reports").headers["Location"]
            wait_for(lambda: client.get(address).json()["status"] == "finished")
        if "cache" in project.answers["redis"] and project.has_products:
            product = client.post("/products", json=PEN).headers["Location"] if project.stores else "/products/1"
            wait_for(lambda: client.get(product).headers["X-Cache"] == "HIT")


@pytest.mark.only_where(redis=["queue", "cache-and-queue"])
@pytest.mark.one_for_each("redis")
def test_redis_with_a_full_disk_is_unhealthy(project: Project, image: str) -> None:
    """The health check fails while Redis can't write, although it still answers, and succeeds once there is room."""
    assert image
    override = project.directory / "compose.full.yaml"
    override.write_text(
        # A small disk, which belongs to root
        "services:\n  redis:\n    user: '0'\n    volumes: !reset []\n    tmpfs: ['/data:size=2m', '/tmp:size=1m']\n",
        encoding="utf-8",
    )
    stack = Stack(project, "compose.prod.yaml", f"{project.slug}-full")
    files = ("--file", override.name)
    try:
        stack.compose(*files, "up", "--detach", "--wait", "redis")
        health = stack.containers()["redis"]["Config"]["Healthcheck"]["Test"]
        assert health[0] == "CMD-SHELL"
        check = ("exec", "--no-TTY", "redis", "sh", "-c", health[1])
        stack.compose(*check)
        stack.execute("sh", "-c", "head -c 4000000 /dev/zero >/data/full || true", service="redis")
        fill = f"head -c 100000 /dev/zero | {REDIS_CLI.replace('exec ', '')}"

        def is_full() -> bool:
            """Write, and say whether Redis refuses to."""
            return "MISCONF" in stack.execute("sh", "-c", fill, "sh", "-x", "set", "rq:big", service="redis")

        wait_for(is_full)
        stack.compose(*check, expect=1)
        stack.execute("rm", "/data/full", service="redis")
        wait_for(lambda: stack.compose(*check, expect=None).strip() == "OK")
    finally:
        stack.compose("down", "--volumes", "--timeout", "1")
        override.unlink()


@pytest.mark.only_where(redis=["cache", "queue", "cache-and-queue"])
@pytest.mark.one_for_each("redis")
def test_redis_with_a_full_memory(project: Project, image: str) -> None:
    """When memory is full, entries of the cache are evicted, and never a job: Redis refuses what has no room."""
    assert image
    copy = project.directory / "compose.memory.yaml"
    text = (project.directory / "compose.prod.yaml").read_text(encoding="utf-8")
    assert text.count("--maxmemory 512mb") == 1
    copy.write_text(text.replace("--maxmemory 512mb", "--maxmemory 4mb"), encoding="utf-8")
    stack = Stack(project, copy.name, f"{project.slug}-memory")

    def write(number: int, *command: str) -> int:
        """Write keys with 100 kB each, and return how many Redis takes; it says why it doesn't take the others."""
        said = stack.execute("sh", "-c", FILL, "sh", str(number), *command, service="redis")
        taken = said.splitlines().count("OK")
        assert taken + said.count("OOM command not allowed") == number, said
        return taken

    caches, queues = "cache" in project.answers["redis"], project.queues
    try:
        stack.compose("up", "--detach", "--wait", "redis")
        # More than there is room for
        waiting = write(10, "set", "rq:job:") if queues else 0
        if caches:
            assert write(60, "setex", "rq:cached:", "60") == 60
        if queues:
            waiting += write(60, "set", "rq:more:")
            assert waiting < 70
            keys = [
                *(f"rq:job:{number}" for number in range(1, 11)),
                *(f"rq:more:{number}" for number in range(1, 61)),
            ]
            assert stack.redis("exists", *keys).strip() == str(waiting)
    finally:
        stack.compose("down", "--volumes", "--timeout", "1")
        copy.unlink()
