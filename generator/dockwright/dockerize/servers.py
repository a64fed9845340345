"""The server: the application's own, else gunicorn or uvicorn; how it starts, and how development does."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockwright.dockerize.applications import ASGI, FASTAPI, FLASK, SERVES, WSGI, main_call
from dockwright.dockerize.modules import assignments, keyword
from dockwright.dockerize.project import Project
from dockwright.dockerize.requirements import Requirements
from dockwright.dockerize.sources import join
from dockwright.errors import GeneratorError

GUNICORN, UVICORN, HYPERCORN, GRANIAN, WAITRESS = "gunicorn", "uvicorn", "hypercorn", "granian", "waitress"
PROGRAMS = {"waitress-serve": WAITRESS}
# What is installed where the application doesn't have it
RANGES = {GUNICORN: "gunicorn>=23", UVICORN: "uvicorn>=0.34", "websockets": "websockets>=14"}
PORTS = {FLASK: 5000, FASTAPI: 8000}
ANYWHERE = "0.0.0.0"  # noqa: S104 # in a container
CONFIGS = ("gunicorn.conf.py", "gunicorn_conf.py", "gunicorn.config.py", "gunicorn_config.py")
# The first one is installed where none is declared.
SUITABLE = {
    WSGI: (GUNICORN, WAITRESS, GRANIAN),
    ASGI: (UVICORN, HYPERCORN, GRANIAN, GUNICORN),
}
# Words in the code of who keeps connections open
STREAMS = ("text/event-stream", "flask_sock", "simple_websocket")
WEB_SOCKETS = ("WebSocket", ".websocket(", "socketio.ASGIApp")
# gunicorn's options that decide on workers, and their short names
SIZES = {"-w", "--workers", "--threads"}
SHORT = {"-w": "--workers", "-k": "--worker-class"}
# Its options without a value, and those that a container has its own value for
SWITCHES = {"--preload", "--reload", "-D", "--daemon", "--capture-output", "-R", "--no-sendfile", "--proxy-protocol"}
REPLACED = {
    *("-b", "--bind", "--chdir", "--pythonpath", "--reload", "-D", "--daemon", "-p", "--pid", "-c", "--config"),
    *("--access-logfile", "--error-logfile", "--log-file"),
}
GEVENT_WEBSOCKET = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"


@dataclass(frozen=True)
class Server:
    """How the application is served."""

    program: str
    port: int
    reason: str
    command: tuple[str, ...] = ()
    # The command of development
    reload: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    # Installed in the image, because the application doesn't declare them
    extra: tuple[str, ...] = ()
    stop_signal: str = ""
    notes: tuple[str, ...] = ()


def choose_server(project: Project, port: int | None) -> Server:
    """Return the server for an application; raise GeneratorError if it can't call the factory."""
    config = _config_file(project)
    settings = _config(project, config)
    program, reason = _program(project, config)
    entry = project.application.entry
    number = port or _port(project, settings) or PORTS[entry.framework]
    extra = () if project.requirements.has(program) else (RANGES.get(program, program),)
    server = Server(program, number, reason, extra=extra)
    server = _gunicorn(server, project, config, settings) if program == GUNICORN else _other(server, project)
    return _with_reload(_with_web_sockets(server, project), project)


def _program(project: Project, config: str) -> tuple[str, str]:
    """Return the server's name, and why it is this one."""
    interface, launch = project.application.entry.interface, project.application.launch
    manifest, suitable = project.requirements.manifest, SUITABLE[interface]
    started = PROGRAMS.get(launch.program, launch.program) if launch else ""
    if launch and started in suitable:
        return started, f"{launch.origin} starts it"
    # gunicorn alone doesn't serve FastAPI.
    declared = [each for each in suitable if project.requirements.has(each) and (each, interface) != (GUNICORN, ASGI)]
    if declared:
        return declared[0], f"{manifest} has it"
    if config and interface == WSGI:
        return GUNICORN, f"{config} configures it"
    if project.requirements.has("uwsgi"):
        return suitable[0], f"{manifest} has uWSGI, in maintenance mode: this is installed in the image instead"
    return suitable[0], f"{manifest} has no server: {suitable[0]} is installed in the image only"


def _gunicorn(server: Server, project: Project, config: str, settings: Mapping[str, ast.expr]) -> Server:
    words = ["gunicorn", "--bind", f"{ANYWHERE}:{server.port}"]
    if config and config != CONFIGS[0]:
        words += ["--config", config]
    own = _own_options(project)
    workers, extra, reason = _workers(project, settings)
    if {name for name, _ in own} & SIZES and workers[:1] == ["--threads"]:
        workers, reason = [], ""
    written = {name for name in workers if name.startswith("--")} | ({"--workers", "--threads"} if extra else set())
    words += workers
    words += [word for name, option in own if SHORT.get(name, name) not in written for word in option]
    # Its heartbeat is a file: in memory, because a disk can be slow, and the root is read-only in production.
    if "worker_tmp_dir" not in settings and "--worker-tmp-dir" not in words:
        words += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108 # memory
    if "accesslog" not in settings:
        words += ["--access-logfile", "-"]
    reason = "; ".join(filter(None, (server.reason, reason)))
    return replace(server, command=(*words, project.application.target), extra=(*server.extra, *extra), reason=reason)


def _own_options(project: Project) -> list[tuple[str, list[str]]]:
    """Return the options of the application's own gunicorn command: the name of each, and its words.

    Not where it listens and logs, and nothing that a shell has to expand.
    """
    launch = project.application.launch
    found: list[tuple[str, list[str]]] = []
    words = list(launch.words) if launch and launch.program == GUNICORN else []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            continue
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        is_whole = name in SWITCHES or name != word or not words
        option = [word] if is_whole else [word, words.pop(0)]
        if name not in REPLACED and "$" not in "".join(option):
            found.append((name, option))
    return found


def _workers(project: Project, settings: Mapping[str, ast.expr]) -> tuple[list[str], list[str], str]:
    """Return gunicorn's options for its workers, what they need, and why they are these.

    One process and several threads: an application that keeps something in memory works, as it does in development.
    """
    launch, requirements = project.application.launch, project.requirements
    kind = launch.option("-k", "--worker-class") if launch and launch.program == GUNICORN else ""
    if project.application.entry.interface == ASGI:
        extra = [] if requirements.has(UVICORN) else [RANGES[UVICORN]]
        return ["--worker-class", kind or "uvicorn.workers.UvicornWorker"], extra, ""
    if project.imports("flask_socketio"):
        return _socketio(requirements, kind)
    if kind:
        return ["--worker-class", kind], [], ""
    if settings.keys() & {"workers", "threads", "worker_class"}:
        return [], [], ""
    if any(project.files(*STREAMS)):
        return ["--threads", "100"], [], "it streams, and each stream occupies a thread"
    return ["--threads", "8"], [], ""


def _socketio(requirements: Requirements, kind: str) -> tuple[list[str], list[str], str]:
    if requirements.has("gevent", "eventlet"):
        green = GEVENT_WEBSOCKET if requirements.has("gevent-websocket") else "gevent"
        kind = kind or ("eventlet" if requirements.has("eventlet") else green)
        return ["--worker-class", kind, "--workers", "1"], [], "Flask-SocketIO needs one worker that its library fits"
    extra = [] if requirements.has("simple-websocket") else ["simple-websocket"]
    why = "Flask-SocketIO needs one worker, and a thread for each connection"
    return ["--workers", "1", "--threads", "100"], extra, why


def _other(server: Server, project: Project) -> Server:
    """Return a server other than gunicorn."""
    application, entry, port = project.application, project.application.entry, str(server.port)
    target = f"{application.module}:{entry.name}"
    if entry.is_factory and server.program != HYPERCORN and (entry.required or entry.arguments):
        message = (
            f"{server.program} calls {entry.name} in {entry.file} without arguments, but it needs some: "
            "make an instance in a module of its own, and name that with --app module:name"
        )
        raise GeneratorError(message)
    factory = ["--call" if server.program == WAITRESS else "--factory"] if entry.is_factory else []
    address = ["--host", ANYWHERE, "--port", port]
    commands = {
        UVICORN: ["uvicorn", *factory, target, *address],
        HYPERCORN: ["hypercorn", "--bind", f"{ANYWHERE}:{port}", application.target],
        GRANIAN: ["granian", "--interface", entry.interface, *address, *factory, target],
        WAITRESS: ["waitress-serve", *address, *factory, target],
    }
    # As PID 1, waitress ignores SIGTERM.
    stop_signal = "SIGINT" if server.program == WAITRESS else ""
    return replace(server, command=tuple(commands[server.program]), stop_signal=stop_signal)


def _with_web_sockets(server: Server, project: Project) -> Server:
    """Add the library without which uvicorn answers no WebSocket."""
    has_library = project.requirements.has("websockets", "wsproto")
    uses_uvicorn = project.application.entry.interface == ASGI and server.program in {UVICORN, GUNICORN}
    if has_library or not uses_uvicorn or not any(project.files(*WEB_SOCKETS)):
        return server
    note = "it has WebSockets, for which uvicorn needs a library: websockets is installed in the image"
    return replace(server, extra=(*server.extra, RANGES["websockets"]), notes=(*server.notes, note))


def _with_reload(server: Server, project: Project) -> Server:
    """Add the command of development: it reloads after each edit."""
    entry, requirements = project.application.entry, project.requirements
    own = (*server.command[:-1], "--reload", server.command[-1])
    if entry.framework == FLASK and entry.interface == WSGI:
        if project.imports("flask_socketio") and requirements.has("gevent", "eventlet"):
            # `flask run` would hand over to their own servers, which don't reload.
            return replace(server, reload=own)
        # Variables instead of options, which Flask before 2.2 doesn't have.
        environment = (("FLASK_APP", project.application.target.removesuffix("()")), ("FLASK_DEBUG", "1"))
        words = ("flask", "run", "--host", ANYWHERE, "--port", str(server.port))
        return replace(server, reload=words, environment=environment)
    if server.program == GRANIAN:
        return replace(server, reload=own, extra=(*server.extra, "watchfiles"))
    return replace(server, reload=(*server.command, "--reload"))


def _config_file(project: Project) -> str:
    launch = project.application.launch
    named = launch.option("-c", "--config") if launch and launch.program == GUNICORN else ""
    names = (named.removeprefix("file:").removeprefix("./"), *CONFIGS)
    return next((name for name in names if name and join(project.part, name) in project.sources), "")


def _config(project: Project, config: str) -> Mapping[str, ast.expr]:
    """Return what gunicorn's configuration file sets."""
    module = project.modules.get(join(project.part, config)) if config else None
    return assignments(module.statements) if module else {}


def _port(project: Project, settings: Mapping[str, ast.expr]) -> int | None:
    """Return the port that the application's own files name."""
    launch = project.application.launch
    texts = [launch.option("-b", "--bind", "--port", "-p", "--listen")] if launch else []
    if "bind" in settings:
        texts.append(ast.unparse(settings["bind"]))
    texts += _program_ports(project)
    dockerfile = join(project.part, "Dockerfile")
    if dockerfile in project.sources:
        texts += re.findall(r"(?m)^EXPOSE\s+(\d+)", project.sources.read(dockerfile))
    matches = filter(None, (re.search(r"(?:^|:)(\d{2,5})\b", text) for text in texts))
    return next((int(match[1]) for match in matches), None)


def _program_ports(project: Project) -> list[str]:
    """Return the port that the application's file serves at when it is run, or else the only one of other files."""
    own = project.application.entry.file
    if ports := _ports_of(project, own):
        return ports
    others = {port for name in project.files(*SERVES) if name != own for port in _ports_of(project, name)}
    return list(others) if len(others) == 1 else []


def _ports_of(project: Project, file: str) -> list[str]:
    """Return the numbers in a program's port: `8080`, or the default in `int(os.environ.get("PORT", 8080))`."""
    module, call = project.modules.get(file), main_call(project.modules, file)
    number = keyword(call, "port", 1) if call else None
    if module and isinstance(number, ast.Name):
        number = assignments([*module.statements, *module.guarded]).get(number.id)
    if number is None:
        return []
    values = (str(node.value) for node in ast.walk(number) if isinstance(node, ast.Constant))
    return [value for value in values if re.fullmatch(r"\d{2,5}", value)]
