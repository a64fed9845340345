"""Data services that the application connects to, and the settings that lead it there."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from dockwright.dockerize.modules import Module, dotted, keyword, text
from dockwright.dockerize.project import Project
from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.settings import Setting

POSTGRESQL, MARIADB, MONGODB, REDIS, RABBITMQ = "postgresql", "mariadb", "mongodb", "redis", "rabbitmq"
DRIVERS = {
    POSTGRESQL: ("psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "psycopg-c", "asyncpg", "pg8000"),
    MARIADB: ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mariadb"),
    MONGODB: ("pymongo", "motor", "mongoengine", "beanie", "flask-pymongo", "odmantic"),
    REDIS: ("redis", "rq", "flask-redis", "aioredis", "flask-rq2", "arq", "taskiq-redis"),
    RABBITMQ: ("pika", "aio-pika", "aiormq", "taskiq-aio-pika"),
}
# A driver may have come with something else: the code has to name its service.
USES = {
    REDIS: ("redis", "Redis", "REDIS", "import rq", "from rq"),
    MONGODB: ("mongo", "Mongo", "MONGO", "motor", "beanie", "odmantic"),
    RABBITMQ: ("amqp", "Amqp", "AMQP", "abbit", "RABBIT", "pika", "Pika"),
}
HOSTS = {POSTGRESQL: "db", MARIADB: "db", MONGODB: "mongo", REDIS: "redis", RABBITMQ: "rabbitmq"}
# Modules whose clients take a host
CLIENTS = {
    "redis": REDIS,
    "pymongo": MONGODB,
    "motor": MONGODB,
    "pika": RABBITMQ,
    **dict.fromkeys(("psycopg", "psycopg2", "asyncpg", "pg8000"), POSTGRESQL),
    **dict.fromkeys(("pymysql", "MySQLdb", "mysql", "mariadb", "aiomysql", "asyncmy"), MARIADB),
}
LOCAL = {"localhost", "127.0.0.1"}
# Settings by their names
DATABASE_URL = re.compile(r"(DATABASE|DB|SQLALCHEMY|POSTGRES|PG|MYSQL|MARIADB)\w*(URL|URI|DSN)$")
DATABASE_PART = re.compile(
    r"(?:DATABASE|DB|POSTGRES(?:QL)?|PG|MYSQL|MARIADB)_?"
    r"(HOST|HOSTNAME|SERVER|PORT|USER|USERNAME|PASSWORD|PASS|NAME|DB|DATABASE)$"
)
REDIS_URL = re.compile(
    r"(REDIS|BROKER|RESULT_BACKEND|RQ|CACHE|QUEUE|RATELIMIT|MESSAGE_QUEUE)\w*_(URL|URI)$|RESULT_BACKEND$"
)
REDIS_PART = re.compile(r"REDIS\w*?_?(HOST|HOSTNAME|SERVER|PORT|DB)$")
MONGO_PART = re.compile(r"MONGO\w*?_?(HOST|HOSTNAME|SERVER|PORT)$")
MONGO_URL = re.compile(r"MONGO\w*_(URL|URI|DETAILS)$|MONGO(URL|URI)$")
AMQP_URL = re.compile(r"(AMQP|RABBIT)\w*(URL|URI|DSN)$|BROKER(_?(URL|URI|DSN))?$|^AMQP$|^CLOUDAMQP")
AMQP_PART = re.compile(
    r"(?:AMQP|RABBIT(?:MQ)?|BROKER)\w*?_?(HOST|HOSTNAME|SERVER|PORT|USER|USERNAME|PASSWORD|PASS|VHOST|VIRTUAL_HOST)$"
)
AMQP = "amqp://app:app@rabbitmq:5672"
AMQP_PARTS = {"PORT": "5672", "HOST": "rabbitmq", "HOSTNAME": "rabbitmq", "SERVER": "rabbitmq"}
LOCAL_URL = re.compile(r"(postgres|mysql|mariadb|redis|mongodb|amqp)[\w+]*://[^/\s]*(localhost|127\.0\.0\.1)")
PASSWORD = "{password}"  # noqa: S105 # put in when a file is rendered
# The engine that a name or an address belongs to
ENGINES = {
    POSTGRESQL: re.compile(r"POSTGRES|(^|_)PG", re.IGNORECASE),
    MARIADB: re.compile(r"MYSQL|MARIADB", re.IGNORECASE),
}
SCHEMES = {REDIS: "redis", MONGODB: "mongodb", RABBITMQ: "amqp", POSTGRESQL: "postgres", MARIADB: "m[ya]"}
# Tests empty the database that they use.
TESTS = re.compile(r"(^|_)TEST(S|ING)?(_|$)")
LOCALHOST = re.compile(r"(?!https?:)(\w[\w+]*://([^/\s]*@)?)?(localhost|127\.0\.0\.1)\b")
# Calls whose other arguments are defaults
READERS = re.compile(r"(^|\.)(get|getenv|setdefault|pop|config|Field)$|^env\b")
MYSQL_SCHEMES = {"pymysql": "mysql+pymysql", "aiomysql": "mysql+aiomysql", "asyncmy": "mysql+asyncmy"}


def find_services(project: Project) -> dict[str, str]:
    """Return the data services, each with what speaks for it."""
    requirements = project.requirements
    found = {}
    for service, drivers in DRIVERS.items():
        driver = next((name for name in drivers if requirements.has(name)), "")
        if driver and (service not in USES or any(project.files(*USES[service]))):
            found[service] = f"{requirements.manifest} has {driver}"
    if requirements.has("celery"):
        for service, scheme in {RABBITMQ: "amqp://", REDIS: "redis://"}.items():
            if service not in found and any(project.files(scheme)):
                found[service] = f"Celery's broker address begins with {scheme}"
    return found


def local_address(project: Project) -> tuple[str, str]:
    """Return an address of this machine that is written into the code, and not as a default; and where it is."""
    for module in project.code("//localhost", "@localhost", "//127.0.0.1", "@127.0.0.1"):
        passed_over = {*_defaults(module), *module.told}
        for node in module.nodes:
            value = text(node) if isinstance(node, ast.Constant) else None
            match = LOCAL_URL.match(value) if value and id(node) not in passed_over else None
            if match and isinstance(node, ast.Constant):
                return match[0], f"{module.name} line {node.lineno}"
    return "", ""


def connections(project: Project, services: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield settings that lead to the services, with their values."""
    for setting in project.settings:
        if TESTS.search(setting.name.upper()):
            continue
        if host := _client_host(project, setting, services):
            yield setting.name, host
            continue
        for value in (
            _to_local(setting, services, project.requirements),
            _to_database(setting, services, project.requirements),
            _to_mongodb(setting, services) if MONGODB in services else "",
            _to_rabbitmq(setting) if RABBITMQ in services else "",
            _to_redis(setting) if REDIS in services else "",
        ):
            if value:
                yield setting.name, value
                break


def unreached(project: Project, services: Iterable[str], values: Iterable[str]) -> Iterator[str]:
    """Yield the services that no setting leads to, and whose name the code doesn't have."""
    values = list(values)
    for service in services:
        host = HOSTS[service]
        name = re.compile(rf"(//|@|[\"']){host}[:/\"']")
        is_named = any(name.search(project.sources.read(file)) for file in project.files(host))
        if not is_named and not any(re.search(rf"(^|//|@){host}\b", value) for value in values):
            yield service


def local_settings(settings: Iterable[Setting]) -> Iterator[Setting]:
    """Yield settings that lead to this machine by default."""
    for setting in settings:
        is_ours = setting.name.upper() == "HOST" or TESTS.search(setting.name.upper())
        if LOCALHOST.match(setting.default) and not setting.is_built and not is_ours:
            yield setting


def _client_host(project: Project, setting: Setting, services: Mapping[str, str]) -> str:
    """Return the service whose client gets the host in this setting, by default that of this machine."""
    if setting.default not in LOCAL:
        return ""
    for module in project.code(setting.name):
        for call in module.calls():
            service = CLIENTS.get(module.origin(call.func).partition(".")[0], "")
            host = keyword(call, "host", 0) if service in services else None
            values = (node.value for node in ast.walk(host) if isinstance(node, ast.Constant)) if host else ()
            if setting.name in values:
                return HOSTS[service]
    return ""


def _to_local(setting: Setting, services: Mapping[str, str], requirements: Requirements) -> str:
    """Return an address like the default, but with a service in place of this machine."""
    if setting.is_built or not LOCAL_URL.match(setting.default):
        return ""
    service = next((each for each in services if re.match(SCHEMES[each], setting.default)), "")
    path = setting.default.partition("://")[2].partition("/")[2]
    return {
        REDIS: f"redis://redis:6379/{path or 0}",
        MONGODB: f"mongodb://mongo:27017/{path or 'app'}",
        RABBITMQ: AMQP,
        POSTGRESQL: f"{_scheme(setting, POSTGRESQL, requirements)}://app:{PASSWORD}@db/app",
        MARIADB: f"{_scheme(setting, MARIADB, requirements)}://app:{PASSWORD}@db/app",
    }.get(service, "")


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
    name = setting.name.upper()
    others = [pattern for engine, pattern in ENGINES.items() if engine != database]
    scheme = setting.default.partition("://")[0] if "://" in setting.default else ""
    if not database or any(pattern.search(name) or pattern.match(scheme) for pattern in others):
        return ""
    if DATABASE_URL.search(name):
        if setting.is_built:
            return ""
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


def _to_mongodb(setting: Setting, services: Mapping[str, str]) -> str:
    name = setting.name.upper()
    # The only database is meant by a name that says no more.
    is_only = not {POSTGRESQL, MARIADB} & services.keys() and not any(each.search(name) for each in ENGINES.values())
    if not setting.is_built and (MONGO_URL.search(name) or (is_only and DATABASE_URL.search(name))):
        return "mongodb://mongo:27017/app"
    part = MONGO_PART.search(name)
    return {"PORT": "27017"}.get(part[1], "mongo") if part else ""


def _to_rabbitmq(setting: Setting) -> str:
    name = setting.name.upper()
    if AMQP_URL.search(name) and not setting.is_built:
        return AMQP
    part = AMQP_PART.search(name)
    if not part:
        return ""
    return "/" if part[1] in {"VHOST", "VIRTUAL_HOST"} else AMQP_PARTS.get(part[1], "app")


def _to_redis(setting: Setting) -> str:
    name = setting.name.upper()
    if REDIS_URL.search(name) and not setting.is_built:
        return "redis://redis:6379/0"
    part = REDIS_PART.search(name)
    return {"PORT": "6379", "DB": "0"}.get(part[1], "redis") if part else ""
