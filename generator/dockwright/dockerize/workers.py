"""Processes beside the web server, from the same image: workers and schedulers of job queues, and migrations."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockwright.dockerize.applications import FLASK
from dockwright.dockerize.modules import (
    Function,
    Module,
    Modules,
    assignments,
    dotted,
    import_root,
    keyword,
    module_name,
    text,
)
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import join

REDIS_URL = "redis://redis:6379/0"
SCHEDULE = ("beat_schedule", "CELERYBEAT_SCHEDULE", "add_periodic_task", "crontab(")
# Names of commands that make tables
SETUP = re.compile(r"(init|create|setup)[-_]?(db|database|tables)|(db|database)[-_]?(init|create|setup)")
# Brokers of taskiq that other processes reach
TASKIQ = re.compile(r"taskiq(_\w+)?\.(?!InMemory)(\w+\.)*\w*Broker")
# What a class of arq's settings has
ARQ = {"functions", "cron_jobs"}
# Options for development
RELOADS = {"--reload", "--reload-dir", "-r", "--watch", "--watch-use-polling"}
CELERY = {"celery.Celery", "celery.app.base.Celery"}


@dataclass(frozen=True)
class Worker:
    """A process beside the web server."""

    name: str
    command: tuple[str, ...]
    reason: str


def find_workers(project: Project) -> list[Worker]:
    """Return the workers that the application's jobs need."""
    guessed = _guessed(project)
    own = _process(project)
    return [own, *(each for each in guessed if each.name != own.name)] if own else guessed


def _process(project: Project) -> Worker | None:
    """Return a script that a Procfile or a compose file runs as its worker."""
    for launch in project.launches:
        is_worker = launch.origin.endswith("(worker)") and launch.program == "python"
        if is_worker and "$" not in "".join(launch.words):
            return Worker("worker", ("python", *launch.words), f"{launch.origin} starts it")
    return None


def _guessed(project: Project) -> list[Worker]:
    if project.requirements.has("celery"):
        return list(_celery(project))
    if project.requirements.has("rq", "flask-rq2"):
        worker = _rq_script(project) or _rq_command(project) or _rq_queue(project)
        return [worker] if worker else []
    for package, guess in {"arq": _arq, "dramatiq": _dramatiq, "taskiq": _taskiq}.items():
        if project.requirements.has(package):
            return list(guess(project))
    return []


def find_migrations(project: Project) -> tuple[str, ...]:
    """Return the command that brings the database up to date, if there are migrations."""
    sources, home, application = project.sources, project.part, project.application
    has_flask = project.requirements.has("flask-migrate") and application.entry.framework == FLASK
    if has_flask and any(name.startswith(join(home, "migrations/versions/")) for name in sources.names):
        return ("flask", "--app", application.target.removesuffix("()"), "db", "upgrade")
    has_alembic = project.requirements.has("alembic") and join(home, "alembic.ini") in sources
    if has_alembic and any("/versions/" in name and name.endswith(".py") for name in sources.below(home)):
        # The program alone has not /app on its path.
        return ("python", "-m", "alembic", "upgrade", "head")
    return ()


def find_setup(project: Project) -> tuple[str, str]:
    """Return the application's own command that makes its tables, and where it is."""
    for module in project.code("command("):
        for call in module.calls():
            name = text(keyword(call, "name", 0)) if dotted(call.func).endswith("command") else None
            if name and SETUP.fullmatch(name):
                return name, f"{module.name} line {call.lineno}"
    return "", ""


def _celery(project: Project) -> Iterator[Worker]:
    target, reason = _celery_command(project) or _celery_instance(project) or ("", "")
    if not target:
        return
    yield Worker("worker", ("celery", "-A", target, "worker", "--loglevel", "INFO"), reason)
    if schedule := next(project.code(*SCHEDULE), None):
        file = "/tmp/celerybeat-schedule"  # noqa: S108 # the container's own
        command = ("celery", "-A", target, "beat", "--loglevel", "INFO", "--schedule", file)
        yield Worker("beat", command, f"{schedule.name} has a schedule")


def _celery_command(project: Project) -> tuple[str, str] | None:
    for launch in project.launches:
        name = launch.option("-A", "--app") if launch.program == "celery" and "worker" in launch.words else ""
        if name and project.modules.find(name.partition(":")[0], project.application.entry.file):
            return name, f"{launch.origin} starts it"
    return None


def _dotted(project: Project, module: Module) -> str:
    """Return a module's name as the application imports it."""
    root = project.application.root
    below = PurePosixPath(module.name).is_relative_to(root)
    return module_name(module.name, root if below else import_root(project.modules, module.name))


def _celery_instance(project: Project) -> tuple[str, str] | None:
    for module in project.code("celery", "Celery"):
        for name, value in module.assigned.items():
            if _is_celery(module, project.modules, value):
                return (
                    f"{_dotted(project, module)}:{name}",
                    f"{module.name} line {value.lineno} is a Celery application",
                )
    return None


def _is_celery(module: Module, modules: Modules, value: ast.expr) -> bool:
    if isinstance(value, ast.Subscript) and text(value.slice) == "celery":
        # The way of Flask's documentation
        return dotted(value.value).endswith(".extensions")
    if not isinstance(value, ast.Call):
        return False
    if (origin := module.origin(value.func)) in CELERY:
        return True
    function, there = module.functions.get(dotted(value.func)), module
    place = modules.find(origin, module.name) if origin and not function else None
    if place and (found := modules.get(place[0])):
        function, there = found.functions.get(place[1]), found
    return function is not None and _returns_celery(there, function)


def _returns_celery(module: Module, function: Function) -> bool:
    if function.returns is not None and module.origin(function.returns) in CELERY:
        return True
    nodes = list(ast.walk(function))
    makes = any(isinstance(node, ast.Call) and module.origin(node.func) in CELERY for node in nodes)
    return makes and any(isinstance(node, ast.Return) for node in nodes)


def _rq_script(project: Project) -> Worker | None:
    """Return a script that makes a worker of its own."""
    for module in project.code("Worker("):
        for call in module.calls():
            if module.origin(call.func) in {"rq.Worker", "rq.worker.Worker"} and module.guarded:
                path = PurePosixPath(module.name)
                root = project.application.root
                name = str(path.relative_to(root)) if path.is_relative_to(root) else module.name
                return Worker("worker", ("python", name), f"{module.name} line {call.lineno} makes an RQ worker")
    return None


def _rq_command(project: Project) -> Worker | None:
    for launch in project.launches:
        if launch.program == "rq" and launch.words[:1] == ("worker",):
            queues = (word for word in launch.words[1:] if re.fullmatch(r"\w[\w-]*", word))
            return Worker("worker", ("rq", "worker", *_rq_url(project), *queues), f"{launch.origin} starts it")
    return None


def _rq_queue(project: Project) -> Worker | None:
    for module in project.code("Queue("):
        for call in module.calls():
            if module.origin(call.func) in {"rq.Queue", "rq.queue.Queue"}:
                name = text(keyword(call, "name", 0)) or "default"
                reason = f"{module.name} line {call.lineno} has an RQ queue"
                return Worker("worker", ("rq", "worker", *_rq_url(project), name), reason)
    return None


def _rq_url(project: Project) -> tuple[str, ...]:
    # rq itself reads RQ_REDIS_URL.
    return () if any(setting.name == "RQ_REDIS_URL" for setting in project.settings) else ("--url", REDIS_URL)


def _own_command(project: Project, program: str, *first: str) -> Worker | None:
    """Return a command of the repository itself that starts a worker, with its options."""
    for launch in project.launches:
        words = launch.words[len(first) :]
        if launch.program == program and launch.words[: len(first)] == first and words:
            is_plain = RELOADS.isdisjoint(words) and "$" not in "".join(words)
            here = project.application.entry.file
            if is_plain and any(project.modules.find(word.partition(":")[0], here) for word in words):
                return Worker("worker", (program, *launch.words), f"{launch.origin} starts it")
    return None


def _arq(project: Project) -> Iterator[Worker]:
    if own := _own_command(project, "arq"):
        yield own
        return
    for module in project.code("arq"):
        for name, definition in module.classes.items():
            if ARQ & assignments(definition.body).keys():
                reason = f"{module.name} line {definition.lineno} has the settings of an arq worker"
                yield Worker("worker", ("arq", f"{_dotted(project, module)}.{name}"), reason)
                return


def _dramatiq(project: Project) -> Iterator[Worker]:
    if own := _own_command(project, "dramatiq"):
        yield own
        return
    # The broker is set before the first actor is made.
    brokers = [module for module in project.code("set_broker(") if _sets_broker(module)]
    actors = [module for module in project.code("dramatiq") if _has_decorator(module, "dramatiq.actor")]
    if actors:
        modules = dict.fromkeys(_dotted(project, each) for each in (*brokers, *actors))
        yield Worker("worker", ("dramatiq", *modules), f"{actors[0].name} has actors of dramatiq")


def _sets_broker(module: Module) -> bool:
    calls = (statement.value for statement in module.statements if isinstance(statement, ast.Expr))
    return any(isinstance(call, ast.Call) and dotted(call.func).endswith("set_broker") for call in calls)


def _has_decorator(module: Module, origin: str) -> bool:
    """Tell whether a module's functions are decorated with this, called or not."""
    decorators = (each for function in module.functions.values() for each in function.decorator_list)
    return any(module.origin(each.func if isinstance(each, ast.Call) else each) == origin for each in decorators)


def _taskiq(project: Project) -> Iterator[Worker]:
    if own := _own_command(project, "taskiq", "worker"):
        yield own
    elif broker := _taskiq_made(project, "broker"):
        modules = _taskiq_modules(project, *broker)
        yield Worker("worker", ("taskiq", "worker", *modules), f"{broker[0].name} has a broker of taskiq")
    if scheduler := _taskiq_made(project, "scheduler"):
        modules = _taskiq_modules(project, *scheduler)
        yield Worker("scheduler", ("taskiq", "scheduler", *modules), f"{scheduler[0].name} has a scheduler of taskiq")


def _taskiq_made(project: Project, kind: str) -> tuple[Module, str] | None:
    """Return the module and the name of a broker or a scheduler."""
    for module in project.code("taskiq"):
        for name, value in module.assigned.items():
            made = value
            # Broker(…).with_result_backend(…)
            while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and not dotted(made.func):
                made = made.func.value
            origin = module.origin(made.func) if isinstance(made, ast.Call) else ""
            is_scheduler = origin.endswith(".TaskiqScheduler")
            if is_scheduler if kind == "scheduler" else TASKIQ.fullmatch(origin):
                return module, name
    return None


def _taskiq_modules(project: Project, module: Module, name: str) -> list[str]:
    """Return the target, and the other modules that have tasks."""
    tasks = [each for each in project.code(".task") if each.name != module.name and _has_tasks(each)]
    return [f"{_dotted(project, module)}:{name}", *(_dotted(project, each) for each in tasks)]


def _has_tasks(module: Module) -> bool:
    """Tell whether a module's functions are tasks of a broker that it imports, or of any: `@broker.task`."""
    decorators = (each for function in module.functions.values() for each in function.decorator_list)
    names = (dotted(each.func if isinstance(each, ast.Call) else each) for each in decorators)
    heads = [name.removesuffix(".task") for name in names if name.endswith(".task")]
    return any(head in module.imports for head in heads)
