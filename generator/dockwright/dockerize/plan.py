"""What will be written, and why: everything that was seen, put together."""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePosixPath
from posixpath import commonpath, normpath, relpath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from packaging.version import Version

from dockwright.dockerize import applications
from dockwright.dockerize.applications import TITLES, Candidate
from dockwright.dockerize.around import Around, look_around
from dockwright.dockerize.frontend import FrontEnd, find_front_end
from dockwright.dockerize.guide import GUIDE, explain
from dockwright.dockerize.index import Index
from dockwright.dockerize.installing import CONSTRAINTS, Installation, lock, mounts, plan_installation
from dockwright.dockerize.launches import Launch, find_launches
from dockwright.dockerize.libraries import NOT_ON_ALPINE, System, choose_libraries
from dockwright.dockerize.modules import Modules, paused_collector
from dockwright.dockerize.project import Project
from dockwright.dockerize.python import Python, age, choose_python, lock_date, lock_with_wheels
from dockwright.dockerize.registration import prefer_registered
from dockwright.dockerize.requirements import IMPORTS, Requirements, find_requirements, home_of
from dockwright.dockerize.servers import Server, choose_server
from dockwright.dockerize.services import HOSTS, MARIADB, MONGODB, POSTGRESQL, RABBITMQ, REDIS
from dockwright.dockerize.settings import committed_secrets, find_settings
from dockwright.dockerize.sources import BESIDE, Sources, common, directory_of, join
from dockwright.errors import GeneratorError, UsageError
from dockwright.report import quote
from dockwright.template import load

FILES = ("Dockerfile", ".dockerignore", "compose.yaml", "compose.prod.yaml")
EXAMPLE = ".env.example"
# How many files that can't be read are named
SHOWN = 3
IGNORE, OWN_IGNORE = ".dockerignore", "Dockerfile.dockerignore"
OTHER_COMPOSE = ("compose.yml", "docker-compose.yml", "docker-compose.yaml")
# Directories and files that an application doesn't need to run, or that must not be in an image
NOT_COPIED = re.compile(
    r"\..*|.*\.py|.*\.(db|sqlite3?|md|rst)|requirements[\w.-]*\.(txt|in)|(readme|license|dockerfile|makefile|procfile|(docker-)?compose).*",
    re.IGNORECASE,
)
NOT_NEEDED = (
    BESIDE - {"migrations", "scripts"}
    | {"node_modules", "static_src", "charts", "k8s", "terraform", "e2e"}
    | {
        *("infra", "infrastructure", "docker", "postgres", "mysql", "nginx", "caddy", "traefik", "ansible", "deploy"),
    }
)
PASSWORD = "${DATABASE_PASSWORD:?set it in .env, as .env.example has it}"  # noqa: S105 # a variable of compose
TAGS = {
    POSTGRESQL: "postgres:18",
    MARIADB: "mariadb:11.8",
    MONGODB: "mongo:8",
    REDIS: "redis:8",
    RABBITMQ: "rabbitmq:4",
}
# The network of the data services, and the volume of single files
DATA = "data"
VOLUMES = {POSTGRESQL: "database", MARIADB: "database", MONGODB: "mongo", REDIS: "redis", RABBITMQ: "rabbitmq"}
IMAGES = {
    POSTGRESQL: "PostgreSQL 18",
    MARIADB: "MariaDB 11.8",
    MONGODB: "MongoDB 8",
    REDIS: "Redis 8",
    RABBITMQ: "RabbitMQ 4",
}


@dataclass(frozen=True)
class Wishes:
    """What the user has said on the command line, and what a failed start has taught."""

    app: str = ""
    port: int | None = None
    python: str = ""
    base: str = "slim"
    latest: bool = False
    offline: bool = True
    guide: bool = False
    # Learnt from a failed start
    packages: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    compiles: bool = False


@dataclass(frozen=True)
class View:
    """A directory, as far as it has been looked at."""

    sources: Sources
    modules: Modules
    launches: list[Launch]
    candidates: list[Candidate]


@dataclass(frozen=True)
class Plan:
    """Everything that the files are written from."""

    name: str
    project: Project
    python: Python
    base: str
    server: Server
    installation: Installation
    system: System
    around: Around
    # The directory that the command runs in, and what has to be on Python's path, both below /app
    workdir: str
    pythonpath: str
    copied: tuple[str, ...]
    secrets: tuple[str, ...]
    notes: tuple[str, ...]
    # The content of constraints.txt
    constraints: str = ""
    front_end: FrontEnd | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """Where the files go, from the directory that was looked at: where all that they need can be seen."""
        front = [self.front_end.place] if self.front_end else []
        return common((self.project.home, *front, *self.project.libraries))

    @property
    def below(self) -> str:
        """The directory with the dependencies, from where the files go."""
        return str(PurePosixPath(self.project.home).relative_to(self.home))

    @property
    def app(self) -> str:
        """Where that directory is in the image."""
        return str(PurePosixPath("/app", self.below))

    def from_place(self, name: str) -> str:
        """Return a name in that directory from where the files go."""
        return normpath(PurePosixPath(self.below, name))

    def in_image(self, name: str) -> str:
        """Return where the image has a name in that directory."""
        return name if not name.startswith("..") else normpath(PurePosixPath(self.app, name))

    @property
    def allowed(self) -> list[str]:
        """What the build may see, from where the files go."""
        front = self.front_end.files if self.front_end else ()
        read = (*mounts(self.installation), *self.installation.libraries)
        names = [*map(self.from_place, self.copied), *front, *map(self.from_place, read)]
        return list(dict.fromkeys(names))

    @property
    def application(self) -> Candidate:
        """What is served."""
        return self.project.application

    @property
    def requirements(self) -> Requirements:
        """What is installed."""
        return self.project.requirements

    @property
    def has_build_stage(self) -> bool:
        """Whether something has to be compiled, apart from the image that runs."""
        return bool(self.system.compiled) and self.base != "full"

    @property
    def copies_by_name(self) -> bool:
        """Whether the image gets the application's names one by one, so that the front end's source stays out."""
        is_beside = self.front_end is not None and self.front_end.is_apart and self.below == "."
        return is_beside and not self.installation.needs_source

    @property
    def required(self) -> list[str]:
        """The settings that the user has to give."""
        return [setting.name for setting in self.around.settings if setting.required]

    def rows(self) -> dict[str, tuple[str, str]]:
        """Return what was found: a title, with what it is and why."""
        entry, requirements = self.application.entry, self.requirements
        number = len(requirements.names)
        count = f"{number} package{'s' if number != 1 else ''}"
        rows = {
            "Application": (
                f"{TITLES[entry.framework]}, {self.application.target}",
                "; ".join(self.application.evidence),
            ),
            "Dependencies": (
                f"{requirements.manifest} is written, from {requirements.script or 'the imports'}"
                if requirements.tool == IMPORTS
                else f"{requirements.tool}: {requirements.manifest}",
                f"{count}, {'locked' if requirements.is_locked else 'not locked'}",
            ),
            "Python": (f"{self.python.version}, {self.base}", self.python.reason),
            "Server": (shlex.join(self.server.command), self.server.reason),
        }
        if self.system.run or self.system.compiled:
            names = ", ".join(self.system.run) or "a build stage"
            rows["Libraries"] = (
                names,
                f"for {', '.join(dict.fromkeys([*self.system.needing, *self.system.compiled]))}",
            )
        health = self.around.health or "a TCP connection"
        rows["Health"] = (health, self.around.health_reason or "no route such as /health was found")
        for service, reason in self.around.services:
            rows[IMAGES[service].split()[0]] = (IMAGES[service], reason)
        for worker in self.around.workers:
            rows[worker.name.capitalize()] = (shlex.join(worker.command), worker.reason)
        if self.around.migrate:
            rows["Migrations"] = (shlex.join(self.around.migrate), "run once, before the service starts")
        if self.front_end:
            rows["Front end"] = (
                f"{self.front_end.directory}, built with Node {self.front_end.node}",
                self.front_end.reason,
            )
        if self.around.writable:
            paths = ", ".join(each.path for each in self.around.writable)
            rows["Volumes"] = (paths, "; ".join(each.reason for each in self.around.writable))
        if self.required:
            rows["Settings"] = (", ".join(self.required), f"required: {EXAMPLE} says where")
        return rows

    def data(self) -> dict[str, Any]:
        """Return the plan for a script."""
        return {
            "name": self.name,
            "directory": self.home,
            "application": {
                "framework": self.application.entry.framework,
                "target": self.application.target,
                "file": self.application.entry.file,
                "evidence": list(self.application.evidence),
            },
            "dependencies": {
                "tool": self.requirements.tool,
                "file": self.requirements.manifest,
                "locked": self.requirements.is_locked,
            },
            "python": {"version": self.python.version, "reason": self.python.reason},
            "server": {"command": list(self.server.command), "port": self.server.port, "reason": self.server.reason},
            "libraries": list(self.system.run),
            "health": self.around.health,
            "services": [name for name, _ in self.around.services],
            "workers": {worker.name: list(worker.command) for worker in self.around.workers},
            "migrate": list(self.around.migrate),
            "front_end": self.front_end.output if self.front_end else "",
            "writable": [each.path for each in self.around.writable],
            "settings": {each.name: {"required": each.required, "place": each.place} for each in self.around.settings},
            "secrets": list(self.secrets),
            "notes": list(self.notes),
            "files": sorted(self.files),
        }


@paused_collector()
def look(root: Path) -> View:
    """Look at a directory; raise GeneratorError if there is no application in it."""
    sources = Sources(root)
    modules = Modules(sources)
    launches = find_launches(modules)
    finder = applications.make_finder(modules, launches)
    candidates = prefer_registered(finder, applications.rank(finder, launches))
    if not candidates:
        raise GeneratorError(_nothing_found(modules, root))
    return View(sources, modules, launches, candidates)


def choose_application(view: View, target: str) -> Candidate | None:
    """Return the application that is named or clearly meant; None where two are alike."""
    if not target:
        return applications.pick(view.candidates)
    found = applications.named(view.modules, target)
    if not found:
        known = ", ".join(candidate.flag for candidate in view.candidates)
        message = f"--app {target} is no Flask or FastAPI application here: choose from {known}"
        raise UsageError(message)
    return found


@paused_collector()
def make_plan(view: View, application: Candidate, wishes: Wishes) -> Plan:
    """Put everything together; raise GeneratorError for what can't be containerised."""
    sources, modules = view.sources, view.modules
    _check_arguments(application)
    _check_package(application, sources)
    home = home_of(sources, application.root)
    requirements = find_requirements(sources, modules, home, directory_of(application.entry.file))
    # A member of a workspace is built from the directory with the lock.
    part, home = home, requirements.directory if requirements.package else home
    if wishes.base == "alpine" and (missing := [name for name in NOT_ON_ALPINE if requirements.has(name)]):
        message = f"{missing[0]} has no wheel for Alpine: take --base-image slim"
        raise GeneratorError(message)
    libraries = tuple(_libraries(sources, requirements))
    modules.installed = tuple(each for name in libraries for each in (name, join(name, "src")))
    settings = tuple(find_settings(sources, modules, part, *libraries))
    project = Project(sources, modules, view.launches, application, home, requirements, settings, libraries)
    index = Index(base=wishes.base, is_offline=wishes.offline)
    since = age(sources, requirements, datetime.now(tz=UTC).date())
    manifest_date = "" if wishes.latest or requirements.is_locked else since
    python = choose_python(project, index, since if requirements.is_locked else manifest_date, wishes.python)
    server = choose_server(project, wishes.port)
    framework = [] if requirements.names else [application.entry.framework]
    extra = (*framework, *server.extra, *wishes.packages)
    # What an old application doesn't have itself is of today.
    locked = () if manifest_date else extra
    python, constraints = lock_with_wheels(
        python,
        index,
        lambda version: lock(sources, requirements, locked, index, version, lock_date(manifest_date, version)),
    )
    around = look_around(project)
    base = common((home, *libraries))
    front_end, front_ends = find_front_end(project, base)
    place = front_end.place if front_end else base
    named = place if place != home else part
    secrets = tuple(committed_secrets(sources))
    notes = [python.note, index.refusal, *requirements.notes, *server.notes, *around.notes, *front_ends]
    notes += [f"{name} is committed: it never reaches the image, but who has the repository has it" for name in secrets]
    notes += _unread(modules, python.version)
    notes += [
        f"not read: {name} is not text in the encoding that it names"
        for name in sorted(sources.unread)
        if name.endswith(".py")
    ]
    if front_end:
        # What is built belongs to the image: a volume would keep the output of the first version.
        workdir = PurePosixPath(project.home, project.workdir).relative_to(place)
        own = tuple(each for each in around.writable if normpath(workdir / each.path) != front_end.output)
        around = replace(around, writable=own)
    plan = Plan(
        slug(sources.root.resolve() / named, sources.top),
        project,
        python,
        wishes.base,
        server,
        plan_installation(sources, requirements, extra, is_constrained=bool(constraints)),
        choose_libraries(
            requirements,
            wishes.base,
            wishes.libraries,
            compiled=python.compiled or (("a dependency",) if wishes.compiles else ()),
        ),
        around,
        project.workdir,
        project.pythonpath,
        tuple(_copied(project)),
        secrets,
        tuple(filter(None, notes)),
        constraints,
        front_end,
    )
    plan = _beside_existing(replace(plan, files=render(plan)), sources.root / plan.home)
    if wishes.guide:
        plan = replace(plan, files={**plan.files, GUIDE: explain(plan, _templates(), _context(plan))})
    return plan


def _beside_existing(plan: Plan, directory: Path) -> Plan:
    """Leave a .dockerignore and other compose files as they are, and take names that come before theirs."""
    files, notes = dict(plan.files), list(plan.notes)
    ignored = directory / IGNORE
    first_line = files[IGNORE].partition("\n")[0]
    # One that begins like ours is ours, whatever has been added to it.
    if ignored.is_file() and not ignored.read_text(encoding="utf-8", errors="replace").startswith(first_line):
        files = {OWN_IGNORE if name == IGNORE else name: content for name, content in files.items()}
        notes.append(f"{IGNORE} stays as it is: {OWN_IGNORE} comes before it for our Dockerfile")
    if others := [name for name in OTHER_COMPOSE if (directory / name).is_file()]:
        notes.append(f"{others[0]} stays as it is, but `docker compose` takes compose.yaml from now on")
    return replace(plan, files=files, notes=tuple(notes))


def beside_dockerfile(plan: Plan, directory: Path) -> Plan:
    """Beside a Dockerfile that stays, exclude what no image may contain, not all that ours wouldn't copy."""
    dockerfile = directory / "Dockerfile"
    text = plan.files["Dockerfile"]
    if not dockerfile.is_file() or dockerfile.read_text(encoding="utf-8", errors="replace") == text:
        return plan
    files = {name: content for name, content in plan.files.items() if name != OWN_IGNORE}
    if IGNORE in files:
        files[IGNORE] = _templates().get_template("excluded.jinja").render(plan=plan)
    return replace(plan, files=files, notes=tuple(note for note in plan.notes if OWN_IGNORE not in note))


def render(plan: Plan) -> dict[str, str]:
    """Return the text of each file."""
    context = _context(plan)
    files = {}
    for name in (*FILES, *([EXAMPLE] if plan.required or _has_password(plan) else [])):
        password = "app" if name == "compose.yaml" else PASSWORD
        files[name] = _templates().get_template(f"{name.lstrip('.')}.jinja").render(context, password=password)
    if plan.constraints:
        files[join(plan.below, CONSTRAINTS)] = plan.constraints
    if plan.requirements.tool == IMPORTS:
        files[join(plan.below, "requirements.txt")] = "".join(f"{each}\n" for each in plan.requirements.declared)
    return files


def _context(plan: Plan) -> dict[str, Any]:
    """Return what the files are rendered with."""
    services = [name for name, _ in plan.around.services]
    hosts = list(dict.fromkeys(HOSTS[service] for service in services))
    return {
        "services": services,
        "plan": plan,
        "hosts": hosts,
        # Whose network interface all share, if the code can't be led to other hosts
        "owner": hosts[0] if plan.around.local_address and hosts else "",
        "names": HOSTS,
        "titles": {service: IMAGES[service].split()[0] for service in services},
        "kinds": [IMAGES[service].split()[0] for service in services],
        "images": TAGS,
        "volumes": [VOLUMES[service] for service in services],
        "around": plan.around,
        "server": plan.server,
        "mounts": mounts(plan.installation),
        "placed": list(map(plan.from_place, (*mounts(plan.installation), *plan.installation.libraries))),
        "passwords": _has_password(plan),
        "check": _check(plan),
        "environment": _environment,
        "reload": _reload(plan),
        "written": [each for each in plan.around.writable if not each.is_file],
        "volume_names": _volume_names(plan),
        "kept": [each for each in plan.around.writable if each.is_file],
        "keeping": _keeping(plan),
        "copied_files": [name for name in plan.copied if not name.endswith("/")],
        "copied_directories": [name.rstrip("/") for name in plan.copied if name.endswith("/")],
        "sizes": load().definition["_base_image_sizes"],
    }


def slug(directory: Path, top: Path) -> str:
    """Return a name for the image and the stack: the repository's, and that of the folder in it."""
    name = "-".join((top.name, *directory.relative_to(top).parts))
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "app"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("dockwright.dockerize"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 # not HTML
    )
    environment.filters["exec"] = lambda words: json.dumps(list(words), ensure_ascii=False)
    environment.filters["quoted"] = lambda value: "'{}'".format(str(value).replace("'", "''"))
    return environment


def _libraries(sources: Sources, requirements: Requirements) -> Iterator[str]:
    """Yield the directories beside the application that it installs; raise GeneratorError for those out of sight."""
    for path in requirements.beside.values():
        name = normpath(join(requirements.directory, path))
        if not name.startswith("..") and sources.has_directory(name):
            yield name
            continue
        above = (sources.root / requirements.directory / path).resolve()
        if not above.is_dir():
            message = f"{requirements.manifest} installs {path}, and there is no such directory"
            raise GeneratorError(message)
        top = commonpath((above, sources.root.resolve()))
        command = quote(["dockwright", "dockerize", relpath(top, Path.cwd())])
        message = (
            f"{requirements.manifest} installs {path}, which is outside of the directory that was named: name the one "
            f"that has both: {command}"
        )
        raise GeneratorError(message)


def _check_package(application: Candidate, sources: Sources) -> None:
    if not application.module:
        above = quote(["dockwright", "dockerize", relpath(sources.root.resolve().parent, Path.cwd())])
        message = (
            f"{application.entry.file} makes the named directory itself a package, which is imported from above: "
            f"name the directory that it is in: {above}"
        )
        raise GeneratorError(message)


def _check_arguments(application: Candidate) -> None:
    entry = application.entry
    if entry.is_factory and entry.required and not entry.arguments:
        message = (
            f"{entry.name} in {entry.file} needs {' and '.join(entry.required)}, and nothing says with what: "
            f"pass --app '{application.module}:{entry.name}(\"…\")'"
        )
        raise GeneratorError(message)


def _nothing_found(modules: Modules, root: Path) -> str:
    if seen := applications.other_framework(modules):
        return f"{root} has a {seen} application: dockerize knows Flask and FastAPI only"
    if not modules.names:
        return f"{root} has no Python file: name the directory of the application"
    broken = next(iter(modules.unreadable.values()), "")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if broken:
        newer = f"correct it; or if it is newer than this tool's Python {python}, run it with a newer one"
        return f"no Flask or FastAPI application was found in {root}, but a file can't be read: {broken}: {newer}"
    return f"no Flask or FastAPI application was found in {root}: pass --app module:name, or another directory"


def _unread(modules: Modules, version: str) -> list[str]:
    """Say which files are not valid Python, or are newer than the Python that reads them."""
    problems = list(modules.unreadable.values())
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if problems and Version(version) > Version(own):
        files = f"{len(problems)} files have" if len(problems) > 1 else "a file has"
        return [
            f"{files} syntax that this tool's Python {own} can't read ({problems[0]}): run it with Python {version}"
        ]
    more = [f"not read: {len(problems) - SHOWN} more files"] if len(problems) > SHOWN else []
    return [*(f"not read: {problem}" for problem in problems[:SHOWN]), *more]


def _copied(project: Project) -> list[str]:
    """Return what the image gets: directories, and files beside them that the code names."""
    if not project.requirements.package:
        return _copied_from(project, project.home)
    # Of a workspace, the application, and what it needs of the other members
    own, *others = (str(PurePosixPath(part).relative_to(project.home)) for part in project.parts)
    return [*(f"{own}/{name}" for name in _copied_from(project, project.part)), *(f"{name}/" for name in others)]


def _copied_from(project: Project, home: str) -> list[str]:
    sources = project.sources
    names = list(sources.below(home))
    text = "\n".join(sources.read(name) for name in names if name.endswith((".py", ".ini", ".sh")))
    parts = {PurePosixPath(name).relative_to(home).parts for name in names}
    directories = {each[0] for each in parts if len(each) > 1}
    files = {each[0] for each in parts if len(each) == 1}
    copied = ["*.py"] if any(name.endswith(".py") for name in files) else []
    for name in sorted(directories):
        # A front end has a build of its own, or none here.
        below = list(sources.below(join(home, name)))
        is_front_end = join(home, f"{name}/package.json") in below and not any(each.endswith(".py") for each in below)
        if not name.startswith(".") and name.lower() not in NOT_NEEDED and not is_front_end:
            copied.append(f"{name}/")
    listed = project.requirements.files
    return copied + [
        name
        for name in sorted(files)
        if not NOT_COPIED.fullmatch(name) and name not in listed and (name in text or name == "alembic.ini")
    ]


def _keeping(plan: Plan) -> list[str]:
    """Return the commands that prepare what the application writes: directories, and links to files in a volume."""
    directories = [each.path for each in plan.around.writable if not each.is_file]
    files = [each for each in plan.around.writable if each.is_file]
    commands = [f"install -d -m 1777 {shlex.join([*(['/data'] if files else []), *directories])}"]
    for each in files:
        path, name = shlex.quote(each.path), shlex.quote(PurePosixPath(each.path).name)
        if each.is_seeded:
            commands.append(f"install -m 666 {path} /data/ && rm {path}")
        commands.append(f"ln -s /data/{name} {path}")
    return commands


def _volume_names(plan: Plan) -> dict[str, str]:
    """Return the volume of each directory that the application writes into: no two are the same."""
    taken = {VOLUMES[service] for service, _ in plan.around.services}
    if plan.around.services or any(each.is_file for each in plan.around.writable):
        taken.add(DATA)
    names = {}
    for each in plan.around.writable:
        name = re.sub(r"[^a-z0-9]+", "-", each.path.lower()).strip("-") or "files"
        while name in taken:
            name += "-files"
        if not each.is_file:
            taken.add(name)
            names[each.path] = name
    return names


def _check(plan: Plan) -> str:
    """Return the program of the health check: it needs nothing but Python, and fails on a 5xx."""
    port = plan.server.port
    if plan.around.health:
        return (
            f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {port}, timeout=3); "
            f"c.request('GET', '{plan.around.health}'); exit(c.getresponse().status >= 500)"
        )
    return f"import socket; socket.create_connection(('127.0.0.1', {port}), 3).close()"


def _has_password(plan: Plan) -> bool:
    return any(service in (POSTGRESQL, MARIADB) for service, _ in plan.around.services)


def _environment(plan: Plan, *, production: bool) -> dict[str, str]:
    """Return the environment of the application's services."""
    password = PASSWORD if production else "app"
    values = {} if production else dict(plan.server.environment)
    for name, value in plan.around.connections:
        local = plan.around.local_address
        for host in ("db", "redis", "mongo", "rabbitmq") if local else ():
            value = value.replace(f"//{host}", "//127.0.0.1").replace(f"@{host}", "@127.0.0.1")  # noqa: PLW2901
        values[name] = value.replace("{password}", password)
    for setting in plan.around.settings:
        if setting.required:
            values[setting.name] = f"${{{setting.name}:?set it in .env, as .env.example has it}}"
    return values


def _reload(plan: Plan) -> dict[str, Any]:
    """Return how development runs: as root, or as the owner of the source where files are written."""
    writes = bool(plan.around.writable or plan.around.migrate) and plan.base != "alpine"
    return {"writes": writes, "command": plan.server.reload, "shell": shlex.join(plan.server.reload).replace("$", "$$")}
