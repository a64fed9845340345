"""The server: the application's own if it has one, else gunicorn or uvicorn; how it starts, and how development does."""

import ast
import re
from dataclasses import dataclass, replace

from dockwright.dockerize.applications import ASGI, FASTAPI, FLASK, Candidate, main_call
from dockwright.dockerize.launches import Launch
from dockwright.dockerize.modules import Modules, assignments, keyword
from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.sources import Sources, join
from dockwright.errors import GeneratorError

GUNICORN, UVICORN, HYPERCORN, GRANIAN, WAITRESS = "gunicorn", "uvicorn", "hypercorn", "granian", "waitress"
PROGRAMS = {"waitress-serve": WAITRESS}
# What is installed where the application doesn't have it
RANGES = {GUNICORN: "gunicorn>=23", UVICORN: "uvicorn>=0.34", "websockets": "websockets>=14"}
PORTS = {FLASK: 5000, FASTAPI: 8000}
CONFIG = "gunicorn.conf.py"
SUITABLE = {
    "wsgi": (GUNICORN, WAITRESS, GRANIAN),
    "asgi": (UVICORN, HYPERCORN, GRANIAN, GUNICORN),
}
STREAMS = re.compile(r"text/event-stream|flask_sock\b|simple_websocket")
WEB_SOCKETS = re.compile(r"\bWebSocket\b|\.websocket\(|\bsocketio\.ASGIApp\b")


@dataclass(frozen=True)
class Server:
    """How the application is served."""

    program: str
    port: int
    command: tuple[str, ...]
    reload: tuple[str, ...]
    reason: str
    # Installed in the image, because the application doesn't declare them
    extra: tuple[str, ...] = ()
    # What development sets
    environment: tuple[tuple[str, str], ...] = ()
    stop_signal: str = ""
    notes: tuple[str, ...] = ()


def choose_server(  # noqa: PLR0913 # what it depends on
    sources: Sources,
    modules: Modules,
    application: Candidate,
    requirements: Requirements,
    home: str,
    port: int | None = None,
) -> Server:
    """Return the server for an application."""
    entry, launch = application.entry, application.launch
    programs = SUITABLE[entry.interface]
    started = PROGRAMS.get(launch.program, launch.program) if launch else ""
    config = _config_file(sources, home, launch)
    declared = [program for program in programs if requirements.has(program)]
    if entry.interface == ASGI and declared == [GUNICORN]:
        declared = []
    if started in programs and launch:
        program, reason = started, f"{launch.origin} starts it"
    elif declared:
        program, reason = declared[0], f"{requirements.manifest} has it"
    elif config and entry.interface != ASGI:
        program, reason = GUNICORN, f"{config} configures it"
    else:
        program = programs[0]
        reason = f"{requirements.manifest} has no server: it is installed in the image only"
    number = port or _port(sources, modules, application, config) or PORTS[entry.framework]
    extra = [] if requirements.has(program) else [RANGES.get(program, program)]
    notes: list[str] = []
    if entry.interface == ASGI and not requirements.has("websockets", "wsproto") and program in {UVICORN, GUNICORN}:
        if any(modules.mentioning(WEB_SOCKETS)):
            extra.append(RANGES["websockets"])
            notes.append("it has WebSockets, for which uvicorn needs a library: websockets is installed in the image")
    server = Server(program, number, (), (), reason, tuple(extra), notes=tuple(notes))
    match program:
        case "gunicorn":
            server = _gunicorn(server, modules, application, requirements, config, launch)
        case "uvicorn":
            server = replace(server, command=_uvicorn(server, application))
        case "hypercorn":
            server = replace(server, command=("hypercorn", "--bind", f"0.0.0.0:{number}", application.target))
        case "granian":
            factory = ("--factory",) if entry.is_factory else ()
            address = ("--interface", entry.interface, "--host", "0.0.0.0", "--port", str(number))  # noqa: S104 # in a container
            target = f"{application.module}:{entry.name}"
            server = replace(server, command=("granian", *address, *factory, target))
        case "waitress":
            factory = ("--call",) if entry.is_factory else ()
            target = f"{application.module}:{entry.name}"
            address = ("--host", "0.0.0.0", "--port", str(number))  # noqa: S104 # in a container
            # As PID 1 it ignores SIGTERM.
            server = replace(server, command=("waitress-serve", *address, *factory, target), stop_signal="SIGINT")
    if entry.is_factory and program in {UVICORN, GRANIAN, WAITRESS} and (entry.required or entry.arguments):
        message = (
            f"{program} calls {entry.name} in {entry.file} without arguments, but it needs {', '.join(entry.required)}: "
            "make an instance in a module of its own, and name it with --app module:name"
        )
        raise GeneratorError(message)
    return _with_reload(server, modules, application, requirements)


def _gunicorn(  # noqa: PLR0913 # what it depends on
    server: Server,
    modules: Modules,
    application: Candidate,
    requirements: Requirements,
    config: str,
    launch: Launch | None,
) -> Server:
    entry = application.entry
    words = ["gunicorn", "--bind", f"0.0.0.0:{server.port}"]
    settings = _config(modules, config)
    if config and not config.endswith(CONFIG):
        words += ["--config", config]
    extra, notes, reason = list(server.extra), list(server.notes), server.reason
    kind = launch.option("-k", "--worker-class") if launch and launch.program == GUNICORN else ""
    socketio = _origin(modules, "flask_socketio")
    if entry.interface == ASGI:
        words += ["--worker-class", kind or "uvicorn.workers.UvicornWorker"]
        if not requirements.has(UVICORN):
            extra.append(RANGES[UVICORN])
    elif socketio and requirements.has("gevent", "eventlet"):
        green = "eventlet" if requirements.has("eventlet") else "gevent"
        if green == "gevent" and requirements.has("gevent-websocket"):
            green = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"
        words += ["--worker-class", kind or green, "--workers", "1"]
        reason = f"{reason}; Flask-SocketIO needs one worker of a kind that it has a library for"
    elif socketio:
        words += ["--workers", "1", "--threads", "100"]
        if not requirements.has("simple-websocket"):
            extra.append("simple-websocket")
        reason = f"{reason}; Flask-SocketIO needs one worker, and a thread for each connection"
    elif kind:
        words += ["--worker-class", kind]
    elif not settings.keys() & {"workers", "threads", "worker_class"}:
        streams = any(modules.mentioning(STREAMS))
        words += ["--threads", "100" if streams else "8"]
        if streams:
            reason = f"{reason}; it streams, and each stream occupies a thread"
    # Its heartbeat is a file: in memory, because a disk can be slow, and the root is read-only in production.
    if "worker_tmp_dir" not in settings:
        words += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108 # memory
    if "accesslog" not in settings:
        words += ["--access-logfile", "-"]
    target = application.target.removesuffix("()") + ("()" if application.target.endswith("()") else "")
    return replace(server, command=(*words, target), extra=tuple(extra), notes=tuple(notes), reason=reason)


def _uvicorn(server: Server, application: Candidate) -> tuple[str, ...]:
    factory = ("--factory",) if application.entry.is_factory else ()
    target = f"{application.module}:{application.entry.name}"
    return ("uvicorn", *factory, target, "--host", "0.0.0.0", "--port", str(server.port))  # noqa: S104 # in a container


def _with_reload(server: Server, modules: Modules, application: Candidate, requirements: Requirements) -> Server:
    """Add the command of development: it reloads after each edit."""
    entry = application.entry
    if entry.framework == FLASK and entry.interface != ASGI:
        environment = (("FLASK_APP", application.target.removesuffix("()")), ("FLASK_DEBUG", "1"))
        words: tuple[str, ...] = ("flask", "run", "--host", "0.0.0.0", "--port", str(server.port))  # noqa: S104 # in a container
        if _origin(modules, "flask_socketio") and requirements.has("gevent", "eventlet"):
            # Its own command hands over to the library's server, without a reloader that works with it.
            words = (*server.command[:-1], "--reload", server.command[-1])
            environment = ()
        return replace(server, reload=words, environment=environment)
    if server.program in {UVICORN, HYPERCORN, GUNICORN}:
        return replace(server, reload=(*server.command, "--reload"))
    # granian reloads with a library of its own.
    return replace(
        server, reload=(*server.command[:-1], "--reload", server.command[-1]), extra=(*server.extra, "watchfiles")
    )


def _config_file(sources: Sources, home: str, launch: Launch | None) -> str:
    named = launch.option("-c", "--config") if launch and launch.program == GUNICORN else ""
    named = named.removeprefix("file:").removeprefix("./")
    for name in (named, CONFIG, "gunicorn_conf.py", "gunicorn.config.py", "gunicorn_config.py"):
        if name and join(home, name) in sources:
            return name
    return ""


def _config(modules: Modules, config: str) -> dict[str, ast.expr]:
    """Return what gunicorn's configuration file sets."""
    name = next((name for name in modules.names if config and name.endswith(config)), "")
    module = modules.get(name) if name else None
    return assignments(module.statements) if module else {}


def _port(sources: Sources, modules: Modules, application: Candidate, config: str) -> int | None:
    """Return the port that the application's own files name."""
    launch = application.launch
    texts = []
    if launch:
        texts.append(launch.option("-b", "--bind", "--port", "-p", "--listen"))
    value = _config(modules, config).get("bind")
    texts.append(ast.unparse(value) if value is not None else "")
    call = main_call(modules, application.entry.file)
    number = keyword(call, "port", 1) if call else None
    if isinstance(number, ast.Constant):
        texts.append(str(number.value))
    for name in sources.names:
        if name.rpartition("/")[2] == "Dockerfile":
            texts += re.findall(r"(?m)^EXPOSE\s+(\d+)", sources.read(name))
    for text in texts:
        if match := re.search(r"(?:^|:)(\d{2,5})\b", text):
            return int(match[1])
    return None


def _origin(modules: Modules, package: str) -> bool:
    """Tell whether the code imports a package."""
    pattern = re.compile(rf"^\s*(from|import) {package}\b", re.MULTILINE)
    return any(pattern.search(modules.sources.read(name)) for name in modules.names)
