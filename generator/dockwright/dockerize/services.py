"""Data services that the application connects to, and the settings that lead it there."""

import ast
import re
from collections.abc import Iterator, Mapping

from dockwright.dockerize.modules import Module, dotted, text
from dockwright.dockerize.project import Project
from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.settings import Setting

POSTGRESQL, MARIADB, MONGODB, REDIS, RABBITMQ = "postgresql", "mariadb", "mongodb", "redis", "rabbitmq"
DRIVERS = {
    POSTGRESQL: ("psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "psycopg-c", "asyncpg", "pg8000"),
    MARIADB: ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mariadb"),
    MONGODB: ("pymongo", "motor", "mongoengine", "beanie", "flask-pymongo", "odmantic"),
    REDIS: ("redis", "rq", "flask-redis", "aioredis", "flask-rq2", "arq"),
}
# A driver may have come with something else: the code has to name its service.
USES = {
    REDIS: ("redis", "Redis", "REDIS", "import rq", "from rq"),
    MONGODB: ("mongo", "Mongo", "MONGO", "motor", "beanie", "odmantic"),
}
HOSTS = {POSTGRESQL: "db", MARIADB: "db", MONGODB: "mongo", REDIS: "redis", RABBITMQ: "rabbitmq"}
# Settings by their names
DATABASE_URL = re.compile(r"(DATABASE|DB|SQLALCHEMY|POSTGRES|PG|MYSQL|MARIADB)\w*(URL|URI|DSN)$")
DATABASE_PART = re.compile(
    r"(?:DATABASE|DB|POSTGRES(?:QL)?|PG|MYSQL|MARIADB)_?"
    r"(HOST|HOSTNAME|SERVER|PORT|USER|USERNAME|PASSWORD|PASS|NAME|DB|DATABASE)$"
)
REDIS_URL = re.compile(
    r"(REDIS|BROKER|RESULT_BACKEND|RQ|CACHE|QUEUE|RATELIMIT|MESSAGE_QUEUE)\w*_(URL|URI)$|RESULT_BACKEND$"
)
REDIS_PART = re.compile(r"REDIS_?(HOST|HOSTNAME|SERVER|PORT|DB)$")
MONGO_URL = re.compile(r"MONGO\w*_(URL|URI|DETAILS)$|MONGO(URL|URI)$")
AMQP_URL = re.compile(r"BROKER|AMQP|RABBIT")
LOCAL_URL = re.compile(r"(postgres|mysql|mariadb|redis|mongodb|amqp)[\w+]*://[^/\s]*(localhost|127\.0\.0\.1)")
PASSWORD = "{password}"  # noqa: S105 # put in when a file is rendered
# Calls whose other arguments are defaults
READERS = re.compile(r"(^|\.)(get|getenv|setdefault|pop|config|Field)$|^env\b")
MYSQL_SCHEMES = {"pymysql": "mysql+pymysql", "aiomysql": "mysql+aiomysql", "asyncmy": "mysql+asyncmy"}


def find_services(project: Project) -> dict[str, str]:
    """Return the data services, each with what speaks for it."""
    requirements = project.requirements
    found = {}
    for service, drivers in DRIVERS.items():
        driver = next((name for name in drivers if requirements.has(name)), "")
        if driver and (service not in USES or any(project.code(*USES[service]))):
            found[service] = f"{requirements.manifest} has {driver}"
    if requirements.has("celery"):
        for service, scheme in {RABBITMQ: "amqp://", REDIS: "redis://"}.items():
            if service not in found and any(project.code(scheme)):
                found[service] = f"Celery's broker address begins with {scheme}"
    return found


def local_address(project: Project) -> tuple[str, str]:
    """Return an address of this machine that is written into the code, and not as a default; and where it is."""
    for module in project.code("//localhost", "@localhost", "//127.0.0.1", "@127.0.0.1"):
        defaults = set(_defaults(module))
        for node in module.nodes:
            value = text(node) if isinstance(node, ast.Constant) else None
            match = LOCAL_URL.match(value) if value and id(node) not in defaults else None
            if match and isinstance(node, ast.Constant):
                return match[0], f"{module.name} line {node.lineno}"
    return "", ""


def connections(project: Project, services: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield settings that lead to the services, with their values."""
    for setting in project.settings:
        for value in (
            _to_database(setting, services, project.requirements),
            _to_mongodb(setting) if MONGODB in services else "",
            _to_rabbitmq(setting) if RABBITMQ in services else "",
            _to_redis(setting) if REDIS in services else "",
        ):
            if value:
                yield setting.name, value
                break


def _defaults(module: Module) -> Iterator[int]:
    """Yield what is only used where a setting is missing: second arguments, fields, alternatives."""
    for node in module.nodes:
        if isinstance(node, ast.Call) and READERS.search(dotted(node.func)):
            yield from map(id, (*node.args, *(each.value for each in node.keywords)))
        elif isinstance(node, ast.BoolOp):
            yield from map(id, node.values)
        elif isinstance(node, ast.AnnAssign):
            yield id(node.value)


def _to_database(setting: Setting, services: Mapping[str, str], requirements: Requirements) -> str:
    database = next((name for name in (POSTGRESQL, MARIADB) if name in services), "")
    if not database:
        return ""
    name = setting.name.upper()
    if DATABASE_URL.search(name):
        return f"{_scheme(setting, database, requirements)}://app:{PASSWORD}@db/app"
    part = DATABASE_PART.search(name)
    if not part:
        return ""
    port = "5432" if database == POSTGRESQL else "3306"
    values = {"HOST": "db", "HOSTNAME": "db", "SERVER": "db", "PORT": port, "PASSWORD": PASSWORD, "PASS": PASSWORD}
    return values.get(part[1], "app")


def _scheme(setting: Setting, database: str, requirements: Requirements) -> str:
    """Return an address's scheme: the one that the setting has elsewhere, or the driver's."""
    scheme, is_url, _ = setting.default.partition("://")
    if is_url and re.match(r"postgres|mysql|mariadb", scheme):
        return scheme
    if database == MARIADB:
        return next((scheme for driver, scheme in MYSQL_SCHEMES.items() if requirements.has(driver)), "mysql")
    if not requirements.has("sqlalchemy", "flask-sqlalchemy", "sqlmodel"):
        return "postgresql"
    is_async = "ASYNC" in setting.name.upper()
    if requirements.has("psycopg2", "psycopg2-binary") and not is_async:
        return "postgresql+psycopg2"
    if requirements.has("asyncpg"):
        return "postgresql+asyncpg"
    return "postgresql+psycopg" if requirements.has("psycopg") else "postgresql+pg8000"


def _to_mongodb(setting: Setting) -> str:
    return "mongodb://mongo:27017/app" if MONGO_URL.search(setting.name.upper()) else ""


def _to_rabbitmq(setting: Setting) -> str:
    return "amqp://app:app@rabbitmq//" if AMQP_URL.search(setting.name.upper()) else ""


def _to_redis(setting: Setting) -> str:
    name = setting.name.upper()
    if REDIS_URL.search(name):
        return "redis://redis:6379/0"
    part = REDIS_PART.search(name)
    return {"PORT": "6379", "DB": "0"}.get(part[1], "redis") if part else ""
