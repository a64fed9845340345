"""What is around the application: data services, workers, migrations, files that it writes, its health path."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockwright.dockerize.applications import FLASK, Candidate
from dockwright.dockerize.launches import Launch
from dockwright.dockerize.modules import Module, Modules, dotted, import_root, keyword, module_name, text
from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.settings import Setting
from dockwright.dockerize.sources import Sources, is_beside, join

POSTGRESQL, MARIADB, MONGODB, REDIS, RABBITMQ = "postgresql", "mariadb", "mongodb", "redis", "rabbitmq"
DRIVERS = {
    POSTGRESQL: ("psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "psycopg-c", "asyncpg", "pg8000"),
    MARIADB: ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mariadb"),
    MONGODB: ("pymongo", "motor", "mongoengine", "beanie", "flask-pymongo", "odmantic"),
    REDIS: ("redis", "rq", "flask-redis", "aioredis", "flask-rq2", "arq"),
}
SERVICES = {POSTGRESQL: "db", MARIADB: "db", MONGODB: "mongo", REDIS: "redis", RABBITMQ: "rabbitmq"}
DATABASE_URL = re.compile(r"(DATABASE|DB|SQLALCHEMY|POSTGRES|PG|MYSQL|MARIADB)\w*(URL|URI|DSN)$")
DATABASE_PART = re.compile(
    r"(?:DATABASE|DB|POSTGRES(?:QL)?|PG|MYSQL|MARIADB)_?(HOST|HOSTNAME|SERVER|PORT|USER|USERNAME|PASSWORD|PASS|NAME|DB|DATABASE)$"
)
REDIS_URL = re.compile(
    r"(REDIS|BROKER|RESULT_BACKEND|RQ|CACHE|QUEUE|RATELIMIT|MESSAGE_QUEUE)\w*_(URL|URI)$|RESULT_BACKEND$"
)
REDIS_PART = re.compile(r"REDIS_?(HOST|HOSTNAME|SERVER|PORT|DB)$")
MONGO_URL = re.compile(r"MONGO\w*_(URL|URI|DETAILS)$|MONGO_?(URL|URI)$")
LOCAL_URL = re.compile(r"(postgres|mysql|mariadb|redis|mongodb|amqp)[\w+]*://[^/\s]*(localhost|127\.0\.0\.1)")
HEALTH = ("/health", "/healthz", "/up", "/healthcheck", "/health-check", "/health/", "/livez", "/api/health", "/ping")
SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?!/)([^\s\"'{}:]+)")


@dataclass(frozen=True)
class Worker:
    """A process beside the web server, from the same image."""

    name: str
    command: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Writable:
    """A directory that the application writes into, or a file, both from its working directory."""

    path: str
    is_file: bool
    reason: str
    # The repository has it: the image's copy is what a new volume starts with
    is_seeded: bool = False


@dataclass(frozen=True)
class Around:
    """Everything beside the web server."""

    services: tuple[str, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    # Settings that lead to the services, with their values; `{password}` is the database's
    connections: tuple[tuple[str, str], ...] = ()
    settings: tuple[Setting, ...] = ()
    workers: tuple[Worker, ...] = ()
    migrate: tuple[str, ...] = ()
    writable: tuple[Writable, ...] = ()
    # Code with this address in it can't be led elsewhere: its services share one network interface
    local_address: str = ""
    health: str = ""
    health_reason: str = ""
    notes: tuple[str, ...] = ()


def look_around(  # noqa: PLR0913 # what it depends on
    sources: Sources,
    modules: Modules,
    application: Candidate,
    requirements: Requirements,
    settings: Iterable[Setting],
    launches: list[Launch],
    home: str,
) -> Around:
    """Return what the application needs beside itself."""
    settings = list(settings)
    services = {
        name: f"{requirements.manifest} has {_driver(requirements, name)}"
        for name in DRIVERS
        if _driver(requirements, name)
    }
    address, place = _local_address(modules, home)
    if requirements.has("celery"):
        amqp = any("amqp://" in modules.sources.read(name) for name in modules.names)
        if amqp:
            services[RABBITMQ] = "Celery's broker address begins with amqp://"
        elif REDIS not in services and any("redis://" in sources.read(name) for name in modules.names):
            services[REDIS] = "Celery's broker address begins with redis://"
    # A driver that nothing uses may have come with something else.
    uses = {REDIS: r"redis|rq\b", MONGODB: r"mongo|motor|beanie|odmantic"}
    for name, pattern in uses.items():
        if name in services and not any(
            re.search(pattern, sources.read(each), re.IGNORECASE) for each in modules.names if not is_beside(each)
        ):
            del services[name]
    connections = dict(_connections(settings, services, requirements))
    workers = tuple(_workers(modules, application, requirements, launches, settings))
    writable = tuple(_writable(sources, modules, requirements, home, application))
    migrate = _migrations(sources, application, requirements, home)
    health, reason = _health(modules, application)
    notes = []
    if address and services:
        notes.append(
            f"{place} has {address}, where nothing listens in a container: the services share one network interface. "
            "Better: read it from the environment"
        )
    for each in writable:
        if each.is_file:
            notes.append(f"{each.path} is written ({each.reason}): the container keeps it in the volume /data")
    return Around(
        tuple(services),
        tuple(services.items()),
        tuple(connections.items()),
        tuple(each for each in settings if each.name not in connections),
        workers,
        migrate,
        writable,
        address if services else "",
        health,
        reason,
        tuple(notes),
    )


def _driver(requirements: Requirements, service: str) -> str:
    return next((name for name in DRIVERS[service] if requirements.has(name)), "")


def _local_address(modules: Modules, home: str) -> tuple[str, str]:
    """Return an address of this machine that is written into the code, and not as a setting's default."""
    for module in modules.mentioning(LOCAL_URL):
        if is_beside(module.name) or not module.name.startswith("" if home == "." else f"{home}/"):
            continue
        defaults = {
            id(argument)
            for call in module.calls()
            for argument in (*call.args, *(each.value for each in call.keywords))
            if len(call.args) + len(call.keywords) > 1
        }
        fields = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.AnnAssign)}
        alternatives = {
            id(value) for node in ast.walk(module.tree) if isinstance(node, ast.BoolOp) for value in node.values
        }
        for node in ast.walk(module.tree):
            value = text(node) if isinstance(node, ast.Constant) else None
            if value and (match := LOCAL_URL.match(value)):
                if id(node) not in defaults | fields | alternatives:
                    return match[0].rpartition("@")[2] or match[0], f"{module.name} line {node.lineno}"
    return "", ""


def _connections(
    settings: Iterable[Setting], services: dict[str, str], requirements: Requirements
) -> Iterator[tuple[str, str]]:
    """Yield settings that lead to the services, with their values."""
    database = next((name for name in (POSTGRESQL, MARIADB) if name in services), "")
    for setting in settings:
        name = setting.name.upper()
        if database and DATABASE_URL.search(name) and not setting.default.startswith("sqlite"):
            yield setting.name, f"{_scheme(setting, database, requirements)}://app:{{password}}@db/app"
        elif database and DATABASE_URL.search(name) and setting.default.startswith("sqlite") and _only_for(database):
            yield setting.name, f"{_scheme(setting, database, requirements)}://app:{{password}}@db/app"
        elif database and (part := DATABASE_PART.search(name)):
            port = "5432" if database == POSTGRESQL else "3306"
            kinds = {
                "HOST": "db",
                "HOSTNAME": "db",
                "SERVER": "db",
                "PORT": port,
                "PASSWORD": "{password}",
                "PASS": "{password}",
            }
            yield setting.name, kinds.get(part[1], "app")
        elif MONGODB in services and MONGO_URL.search(name):
            yield setting.name, "mongodb://mongo:27017/app"
        elif RABBITMQ in services and re.search(r"BROKER|AMQP|RABBIT", name):
            yield setting.name, "amqp://app:app@rabbitmq//"
        elif REDIS in services and REDIS_URL.search(name):
            yield setting.name, "redis://redis:6379/0"
        elif REDIS in services and (part := REDIS_PART.search(name)):
            yield setting.name, {"PORT": "6379", "DB": "0"}.get(part[1], "redis")


def _only_for(database: str) -> bool:
    """Tell whether a driver for a database decides over a default that names SQLite."""
    return bool(database)


def _scheme(setting: Setting, database: str, requirements: Requirements) -> str:
    """Return the address's scheme: the one that the setting has elsewhere, or the driver's."""
    scheme = setting.default.partition("://")[0]
    if "://" in setting.default and re.match(r"postgres|mysql|mariadb", scheme):
        return scheme
    if database == MARIADB:
        driver = next(
            (name for name in ("pymysql", "mysqlclient", "aiomysql", "asyncmy") if requirements.has(name)), ""
        )
        return {"pymysql": "mysql+pymysql", "aiomysql": "mysql+aiomysql", "asyncmy": "mysql+asyncmy"}.get(
            driver, "mysql"
        )
    if not requirements.has("sqlalchemy", "flask-sqlalchemy", "sqlmodel"):
        return "postgresql"
    if requirements.has("psycopg2", "psycopg2-binary") and "ASYNC" not in setting.name.upper():
        return "postgresql+psycopg2"
    if requirements.has("asyncpg"):
        return "postgresql+asyncpg"
    return "postgresql+psycopg" if requirements.has("psycopg") else "postgresql+pg8000"


# Workers


def _workers(
    modules: Modules,
    application: Candidate,
    requirements: Requirements,
    launches: list[Launch],
    settings: list[Setting],
) -> Iterator[Worker]:
    if requirements.has("celery"):
        yield from _celery(modules, application, launches)
    if requirements.has("rq", "flask-rq2"):
        yield from _rq(modules, application, launches, settings)


def _celery(modules: Modules, application: Candidate, launches: list[Launch]) -> Iterator[Worker]:
    target, reason = "", ""
    for launch in launches:
        if launch.program == "celery" and "worker" in launch.words and (name := launch.option("-A", "--app")):
            module = name.partition(":")[0]
            if any(modules.find(module, file) for file in (application.entry.file,)):
                target, reason = name, f"{launch.origin} starts it"
                break
    if not target:
        for module in modules.mentioning(re.compile(r"celery", re.IGNORECASE)):
            if is_beside(module.name):
                continue
            for name, value in module.assigned.items():
                if _is_celery(module, modules, value):
                    root = import_root(modules, module.name)
                    root = application.root if module.name.startswith(_prefix(application.root)) else root
                    target = f"{module_name(module.name, root)}:{name}"
                    reason = f"{module.name} line {value.lineno} is a Celery application"
                    break
            if target:
                break
    if not target:
        return
    yield Worker("worker", ("celery", "-A", target, "worker", "--loglevel", "INFO"), reason)
    schedule = next(
        (m for m in modules.mentioning(re.compile(r"beat_schedule|CELERYBEAT_SCHEDULE|add_periodic_task|crontab\("))),
        None,
    )
    if schedule:
        command = ("celery", "-A", target, "beat", "--loglevel", "INFO", "--schedule", "/tmp/celerybeat-schedule")  # noqa: S108 # the container's own
        yield Worker("beat", command, f"{schedule.name} has a schedule")


def _is_celery(module: Module, modules: Modules, value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        if module.origin(value.func) in {"celery.Celery", "celery.app.base.Celery"}:
            return True
        name = dotted(value.func)
        function, there = module.functions.get(name), module
        if not function and (origin := module.origin(value.func)) and (place := modules.find(origin, module.name)):
            found = modules.get(place[0])
            if found:
                function, there = found.functions.get(place[1]), found
        if function:
            returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
            made = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and there.origin(node.func) == "celery.Celery"
            ]
            annotated = function.returns is not None and there.origin(function.returns) == "celery.Celery"
            return annotated or (bool(made) and bool(returned))
    if isinstance(value, ast.Subscript) and text(value.slice) == "celery":
        return dotted(value.value).endswith(".extensions")
    return False


def _rq(modules: Modules, application: Candidate, launches: list[Launch], settings: list[Setting]) -> Iterator[Worker]:
    for module in modules.mentioning(re.compile(r"\bWorker\(")):
        # A script that makes a worker of its own.
        calls = [call for call in module.calls() if module.origin(call.func) in {"rq.Worker", "rq.worker.Worker"}]
        if calls and not is_beside(module.name) and module.guarded:
            name = (
                str(PurePosixPath(module.name).relative_to(application.root))
                if module.name.startswith(_prefix(application.root))
                else module.name
            )
            yield Worker("worker", ("python", name), f"{module.name} line {calls[0].lineno} makes an RQ worker")
            return
    for launch in launches:
        if launch.program == "rq" and launch.words[:1] == ("worker",):
            queues = tuple(
                word for word in launch.words[1:] if re.fullmatch(r"[\w-]+", word) and not word.startswith("-")
            )
            yield Worker("worker", ("rq", "worker", *_rq_url(settings), *queues), f"{launch.origin} starts it")
            return
    for module in modules.mentioning(re.compile(r"\bQueue\(")):
        for call in module.calls():
            if module.origin(call.func) in {"rq.Queue", "rq.queue.Queue"} and not is_beside(module.name):
                name = text(keyword(call, "name", 0)) or "default"
                reason = f"{module.name} line {call.lineno} has an RQ queue"
                yield Worker("worker", ("rq", "worker", *_rq_url(settings), name), reason)
                return


def _rq_url(settings: list[Setting]) -> tuple[str, ...]:
    # rq itself reads RQ_REDIS_URL.
    return () if any(setting.name == "RQ_REDIS_URL" for setting in settings) else ("--url", "redis://redis:6379/0")


def _prefix(root: str) -> str:
    return "" if root == "." else f"{root}/"


# Migrations and files


def _migrations(sources: Sources, application: Candidate, requirements: Requirements, home: str) -> tuple[str, ...]:
    """Return the command that brings the database up to date, if there are migrations."""
    if requirements.has("flask-migrate") and application.entry.framework == FLASK:
        if any(name.startswith(join(home, "migrations/versions/")) for name in sources.names):
            return ("flask", "--app", application.target.removesuffix("()"), "db", "upgrade")
    if requirements.has("alembic") and join(home, "alembic.ini") in sources:
        if any("/versions/" in name and name.endswith(".py") for name in sources.below(home)):
            return ("alembic", "upgrade", "head")
    return ()


def _writable(
    sources: Sources, modules: Modules, requirements: Requirements, home: str, application: Candidate
) -> Iterator[Writable]:
    """Yield what the code writes below its working directory, as far as names are written out."""
    found: dict[str, Writable] = {}

    def add(path: str, module: Module, node: ast.AST, *, is_file: bool) -> None:
        path = str(PurePosixPath(path.replace("\\", "/").removeprefix("./")))
        safe = re.fullmatch(r"[\w][\w./ -]*", path) and ".." not in path
        if path in ("", ".") or not safe or path.startswith(("tmp/", "/")):
            return
        parent = str(PurePosixPath(path).parent)
        if is_file and parent != ".":
            path, is_file = parent, False
        name = join(home, path)
        # Python packages are code, whatever else is written there.
        if not is_file and join(name, "__init__.py") in sources:
            return
        reason = f"{module.name} line {getattr(node, 'lineno', 1)}"
        found.setdefault(path, Writable(path, is_file, reason, name in sources or sources.has_directory(name)))

    pattern = re.compile(
        r"sqlite|open\(|makedirs|mkdir|UPLOAD|FileHandler|write_text|write_bytes|instance_path|\.save\("
    )
    for module in modules.mentioning(pattern):
        if is_beside(module.name) or not module.name.startswith("" if home == "." else f"{home}/"):
            continue
        for node in ast.walk(module.tree):
            value = text(node) if isinstance(node, ast.Constant) else None
            if value and (match := SQLITE.search(value)):
                path = match[1].partition("?")[0]
                relative_to_instance = requirements.has("flask-sqlalchemy") and requirements.version(
                    "flask-sqlalchemy"
                ) not in {(2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5)}
                if relative_to_instance:
                    add("instance/database", module, node, is_file=True)
                else:
                    add(path, module, node, is_file=True)
            if isinstance(node, ast.Attribute) and node.attr == "instance_path":
                add("instance/database", module, node, is_file=True)
            if isinstance(node, ast.Call):
                for path, is_file in _written(module, node):
                    add(path, module, node, is_file=is_file)
    if "instance" in found and PurePosixPath(application.root) != PurePosixPath(home):
        # Flask looks for it beside the package.
        below = str(PurePosixPath(application.root).relative_to(home))
        first = found.pop("instance")
        found[join(below, "instance")] = Writable(join(below, "instance"), is_file=False, reason=first.reason)
    yield from found.values()


def _written(module: Module, call: ast.Call) -> Iterator[tuple[str, bool]]:
    """Yield the paths that a call writes, and whether each is a file."""
    name = dotted(call.func) or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    path = _path(module, call.args[0]) if call.args else ""
    mode = text(keyword(call, "mode", 1)) or "r"
    if name == "open" and any(letter in mode for letter in "wax+"):
        yield path, True
    elif name == "sqlite3.connect" or name.endswith("FileHandler"):
        yield path, True
    elif name in {"os.makedirs", "os.mkdir"}:
        yield path, False
    elif isinstance(call.func, ast.Attribute) and call.func.attr in {"mkdir", "write_text", "write_bytes"}:
        yield _path(module, call.func.value), call.func.attr != "mkdir"
    elif name.endswith(".save") and call.args and isinstance(call.args[0], ast.Call):
        inner = call.args[0]
        if dotted(inner.func) == "os.path.join" and inner.args:
            yield _path(module, inner.args[0]), False


def _path(module: Module, node: ast.expr) -> str:
    """Return a path that is written out, in place or as a constant of the module or of its configuration."""
    if isinstance(node, ast.Name):
        value = module.assigned.get(node.id)
        return _path(module, value) if value is not None and not isinstance(value, ast.Name) else ""
    if isinstance(node, ast.Subscript) and dotted(node.value).endswith(".config"):
        key = text(node.slice)
        for statement in ast.walk(module.tree):
            if isinstance(statement, ast.Assign) and isinstance(target := statement.targets[0], ast.Subscript):
                if text(target.slice) == key:
                    return _path(module, statement.value)
        value = module.assigned.get(key or "")
        return _path(module, value) if value is not None else ""
    if isinstance(node, ast.Call) and dotted(node.func) in {"Path", "pathlib.Path"} and node.args:
        return _path(module, node.args[0])
    if isinstance(node, ast.Call) and dotted(node.func) == "os.path.join":
        parts = [_path(module, each) for each in node.args]
        return "/".join(parts) if all(parts) else ""
    return text(node) or ""


# Health


def _health(modules: Modules, application: Candidate) -> tuple[str, str]:
    """Return the path of a health check that the application has, and where it is."""
    routes: dict[str, str] = {}
    prefixed = any(
        keyword(call, each) is not None
        for module in modules.mentioning(re.compile(r"include_router|register_blueprint"))
        for call in module.calls()
        if dotted(call.func).rpartition(".")[2] in {"include_router", "register_blueprint"}
        for each in ("prefix", "url_prefix")
    )
    for module in modules.mentioning(re.compile(r"health|/up\b|livez|/ping", re.IGNORECASE)):
        if is_beside(module.name):
            continue
        for function in ast.walk(module.tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in function.decorator_list:
                if not isinstance(call, ast.Call) or dotted(call.func).rpartition(".")[2] not in {
                    "route",
                    "get",
                    "api_route",
                }:
                    continue
                owner, path = (
                    dotted(call.func).rpartition(".")[0],
                    text(keyword(call, "path", 0) or keyword(call, "rule")),
                )
                value = module.assigned.get(owner)
                router = isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in {
                    "APIRouter",
                    "Blueprint",
                }
                if router and isinstance(value, ast.Call):
                    if prefixed:
                        continue
                    prefix = keyword(value, "prefix") or keyword(value, "url_prefix")
                    path = (
                        f"{text(prefix) or ''}{path}" if path is not None and (prefix is None or text(prefix)) else None
                    )
                if path is not None:
                    routes[path] = f"{module.name} line {call.lineno}"
    path = next((path for path in HEALTH if path in routes), None) or next(
        (
            path
            for path in routes
            if re.search(r"/(health|healthz|healthcheck)/?$", path) and not re.search(r"[<{]", path)
        ),
        "",
    )
    return path, routes.get(path, "")
