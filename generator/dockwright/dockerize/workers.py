"""Processes beside the web server, from the same image: Celery and RQ workers, Celery's beat, migrations."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockwright.dockerize.applications import FLASK
from dockwright.dockerize.modules import Function, Module, Modules, dotted, import_root, keyword, module_name, text
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import join

REDIS_URL = "redis://redis:6379/0"
SCHEDULE = ("beat_schedule", "CELERYBEAT_SCHEDULE", "add_periodic_task", "crontab(")
# Names of commands that make tables
SETUP = re.compile(r"(init|create|setup)[-_]?(db|database|tables)|(db|database)[-_]?(init|create|setup)")
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


def _celery_instance(project: Project) -> tuple[str, str] | None:
    root = project.application.root
    for module in project.code("celery", "Celery"):
        for name, value in module.assigned.items():
            if _is_celery(module, project.modules, value):
                below = PurePosixPath(module.name).is_relative_to(root)
                file = module_name(module.name, root if below else import_root(project.modules, module.name))
                return f"{file}:{name}", f"{module.name} line {value.lineno} is a Celery application"
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
