"""Where the application is: instances of Flask and FastAPI, functions that return one, and what speaks for each."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from dockwright.dockerize.launches import Launch
from dockwright.dockerize.modules import (
    Function,
    Module,
    Modules,
    assignments,
    dotted,
    file_of,
    import_root,
    keyword,
    local_imports,
    module_name,
    statements_in,
    text,
)
from dockwright.dockerize.requirements import home_of
from dockwright.dockerize.sources import directory_of, is_beside, join

FLASK, FASTAPI = "flask", "fastapi"
WSGI, ASGI = "wsgi", "asgi"
TITLES = {FLASK: "Flask", FASTAPI: "FastAPI"}
INTERFACES = {FLASK: WSGI, FASTAPI: ASGI}
CLASSES = {
    "flask.Flask": FLASK,
    "flask.app.Flask": FLASK,
    "apiflask.APIFlask": FLASK,
    "flask_api.FlaskAPI": FLASK,
    "flask_openapi3.OpenAPI": FLASK,
    "fastapi.FastAPI": FASTAPI,
    "fastapi.applications.FastAPI": FASTAPI,
    "fastapi_offline.FastAPIOffline": FASTAPI,
}
# Calls that return an application around another, and the interface that they have then; nothing: the same
WRAPPERS = {
    "ASGIApp": ASGI,
    "ASGIMiddleware": WSGI,
    "CORSMiddleware": "",
    "DispatcherMiddleware": WSGI,
    "OpenTelemetryMiddleware": ASGI,
    "ProxyFix": WSGI,
    "SentryAsgiMiddleware": ASGI,
    "WSGIApp": WSGI,
    "WSGIMiddleware": ASGI,
    "WhiteNoise": WSGI,
    "WsgiToAsgi": ASGI,
}
WRAPPED = ("app", "application", "other_asgi_app", "wsgi_app", "other_app")
_NAMES = "|".join(sorted({name.rpartition(".")[2] for name in CLASSES}))
# What a file has that makes an application: a call, another name, a subclass, a function that returns one
MAKES = re.compile(rf"(?:{_NAMES})(?:\(| as )|class \w+\([^)]*(?:{_NAMES})\b|-> .*(?:{_NAMES})\b|e_app\(")
# Where servers and frameworks look first
FILES = {"wsgi": 30, "asgi": 30, "app": 20, "main": 20, "application": 15, "api": 15, "server": 15, "run": 15}
NAMES = {"app": 5, "application": 5, "create_app": 4, "make_app": 3, "api": 2, "server": 2}
# What a file has that serves an application when it is run, and what only looks like it
SERVES = (".run(", "serve(")
OTHER_RUNS = {"asyncio.run", "anyio.run", "subprocess.run"}
# Two applications whose points differ by less can't be told apart.
CLEAR = 6
# Other frameworks, to say what was seen
OTHERS = {
    "django": "Django",
    "starlette": "Starlette",
    "quart": "Quart",
    "litestar": "Litestar",
    "aiohttp": "aiohttp",
    "bottle": "Bottle",
    "tornado": "Tornado",
    "sanic": "Sanic",
    "falcon": "Falcon",
    "pyramid": "Pyramid",
    "streamlit": "Streamlit",
    "gradio": "Gradio",
}


@dataclass(frozen=True)
class Entry:
    """Something that a server can be told to run."""

    file: str
    name: str
    line: int
    framework: str
    interface: str
    # Where the application itself is made: other names may lead to it
    origin: tuple[str, str]
    is_factory: bool = False
    required: tuple[str, ...] = ()
    # The arguments of the call, as they are written
    arguments: str = ""


@dataclass(frozen=True)
class Candidate:
    """An entry with the directory that has to be on Python's path, and what speaks for it."""

    entry: Entry
    root: str
    points: int = 0
    evidence: tuple[str, ...] = ()
    launch: Launch | None = None
    # What gives it its routes, if importing its module doesn't
    bare: str = ""

    @property
    def module(self) -> str:
        """The dotted name of its file."""
        return module_name(self.entry.file, self.root)

    @property
    def flag(self) -> str:
        """What names it on the command line: its module from the directory that was looked at."""
        return f"{module_name(self.entry.file, '.')}:{self.entry.name}"

    @property
    def target(self) -> str:
        """What a server is told: `module:name`, with a call for a factory."""
        call = f"({self.entry.arguments})" if self.entry.is_factory else ""
        return f"{self.module}:{self.entry.name}{call}"


@dataclass
class Finder:
    """Follows names through the modules to the applications that they stand for."""

    modules: Modules
    # Names of files that commands start
    started: frozenset[str] = frozenset()
    _known: dict[tuple[str, str], Entry | None] = field(default_factory=dict)
    _entries: list[Entry] | None = None

    def entries(self) -> list[Entry]:
        """Return every module-level name that is an application, or a function that returns one."""
        if self._entries is None:
            names = self.modules.names
            # Tests and examples make many applications, none of which is meant.
            own = [name for name in names if not is_beside(name) or PurePosixPath(name).stem in self.started]
            self._entries = self._search(own) or self._search(names)
        return self._entries

    def _search(self, files: Sequence[str]) -> list[Entry]:
        """Return the entries of files that make an application, and of those that call what does."""
        read = self.modules.sources.read
        likely = [name for name in files if self._is_likely(name)]
        found = self._scan(likely)
        new, remaining = found, set(files)
        while likely:
            remaining -= set(likely)
            makers = {entry.name for entry in new if entry.is_factory}
            for module in filter(None, map(self.modules.get, likely)):
                makers |= {name for name in module.classes if self._framework(module, ast.Name(name))}
            words = [word for name in makers for word in (f"{name}(", f"({name})")]
            likely = sorted(name for name in remaining if any(word in read(name) for word in words))
            new = self._scan(likely)
            found = [*found, *new]
        return found

    def _is_likely(self, name: str) -> bool:
        """Tell whether a file may make an application, or hand one on under a name that servers look for."""
        content = self.modules.sources.read(name)
        stem = PurePosixPath(name).stem
        is_named = (stem in FILES or stem == "__init__") and ("app" in content or "api" in content)
        return is_named or bool(MAKES.search(content))

    def _scan(self, files: Iterable[str]) -> list[Entry]:
        found: list[Entry] = []
        for module in filter(None, map(self.modules.get, files)):
            names = [*module.functions, *module.assigned]
            # A file that only hands on an application is meant for a server if it has such a name.
            if PurePosixPath(module.name).stem in FILES or module.name.endswith("__init__.py"):
                names += module.imports
            found += filter(None, (self.entry(module.name, name) for name in dict.fromkeys(names)))
        return found

    def entry(self, file: str, name: str) -> Entry | None:
        """Return what a name of a module stands for, if it is an application."""
        key = file, name
        if key not in self._known:
            self._known[key] = None  # in a circle of imports
            self._known[key] = self._look(file, name)
        return self._known[key]

    def _look(self, file: str, name: str) -> Entry | None:
        module = self.modules.get(file)
        if not module or not name:
            return None
        if name in module.assigned:
            value = module.assigned[name]
            found = self.value(module, value, {})
            return found and replace(found, file=file, name=name, line=value.lineno, is_factory=False, required=())
        if name in module.functions:
            return self._factory(module, module.functions[name])
        if name in module.imports:
            found = self._imported(module, module.imports[name])
            return found and replace(found, file=file, name=name)
        for star in module.stars:
            if found := self._imported(module, f"{star}.{name}" if star.strip(".") else f"{star}{name}"):
                return replace(found, file=file, name=name)
        return None

    def _imported(self, module: Module, source: str) -> Entry | None:
        place = self.modules.find(source, module.name)
        return self.entry(*place) if place and place[1] else None

    def value(self, module: Module, value: ast.expr, scope: dict[str, ast.expr]) -> Entry | None:
        """Return what an expression stands for; `scope` has a function's own names."""
        if isinstance(value, ast.Call):
            return self._call(module, value, scope)
        if isinstance(value, ast.Name) and value.id in scope:
            inner = {name: each for name, each in scope.items() if name != value.id}
            return self.value(module, scope[value.id], inner)
        if isinstance(value, ast.Name):
            return self.entry(module.name, value.id)
        if isinstance(value, ast.Attribute):
            return self._attribute(module, value, scope)
        return None

    def _attribute(self, module: Module, value: ast.Attribute, scope: dict[str, ast.expr]) -> Entry | None:
        """Return the application that an object keeps: `server.app`, where its class sets `self.app`."""
        made = value.value
        if isinstance(made, ast.Name):
            made = scope.get(made.id) or module.assigned.get(made.id) or made
        if not isinstance(made, ast.Call):
            return None
        name, there = dotted(made.func), module
        if name not in there.classes:
            place = self.modules.find(module.origin(made.func), module.name) if module.origin(made.func) else None
            found = self.modules.get(place[0]) if place else None
            if not place or not found or place[1] not in found.classes:
                return None
            name, there = place[1], found
        for statement in statements_in(there.classes[name]):
            if isinstance(statement, ast.Assign) and f"self.{value.attr}" in map(dotted, statement.targets):
                return self.value(there, statement.value, {})
        return None

    def _call(self, module: Module, call: ast.Call, scope: dict[str, ast.expr]) -> Entry | None:
        line = call.lineno
        if framework := self._framework(module, call.func):
            here = (module.name, str(line))
            return Entry(module.name, "", line, framework, INTERFACES[framework], here)
        name = dotted(call.func)
        if name.rpartition(".")[2] in WRAPPERS:
            arguments = [*call.args, *(each.value for each in call.keywords if each.arg in WRAPPED)]
            for argument in arguments:
                if found := self.value(module, argument, scope):
                    interface = WRAPPERS[name.rpartition(".")[2]] or found.interface
                    return replace(found, interface=interface, line=line)
            return None
        if "." in name and (origin := module.origin(call.func)):
            found = self._imported(module, origin)
        else:
            found = self.entry(module.name, name)
        return found if found and found.is_factory else None

    def _factory(self, module: Module, function: Function) -> Entry | None:
        statements = list(statements_in(function))
        scope = assignments(statements)
        returned = [node.value for node in statements if isinstance(node, ast.Return) and node.value]
        found = next(filter(None, (self.value(module, value, scope) for value in returned)), None)
        if not found and function.returns is not None and returned:
            framework = self._framework(module, function.returns)
            if framework:
                here = (module.name, function.name)
                found = Entry(module.name, "", function.lineno, framework, INTERFACES[framework], here)
        if not found or isinstance(function, ast.AsyncFunctionDef) or function.name.startswith("_"):
            return None
        positional = [*function.args.posonlyargs, *function.args.args]
        required = [each.arg for each in positional[: len(positional) - len(function.args.defaults)]]
        required += [
            each.arg
            for each, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            if default is None
        ]
        return replace(
            found,
            file=module.name,
            name=function.name,
            line=function.lineno,
            is_factory=True,
            required=tuple(required),
        )

    def _framework(self, module: Module, expression: ast.expr, depth: int = 0) -> str:
        """Return the framework whose class, or a subclass of it, this names."""
        name = dotted(expression)
        if (origin := module.origin(expression)) in CLASSES:
            return CLASSES[origin]
        if depth > 8 or not name:  # noqa: PLR2004 # a circle
            return ""
        if name in module.classes:
            bases = module.classes[name].bases
            return next(filter(None, (self._framework(module, base, depth + 1) for base in bases)), "")
        place = self.modules.find(origin, module.name) if origin else None
        there = self.modules.get(place[0]) if place else None
        if place and there:
            return self._framework(there, ast.Name(place[1]), depth + 1)
        return ""


def make_finder(modules: Modules, launches: list[Launch]) -> Finder:
    """Return what finds the applications."""
    return Finder(modules, frozenset(launch.target.partition(":")[0].rpartition(".")[2] for launch in launches))


def rank(finder: Finder, launches: list[Launch]) -> list[Candidate]:
    """Return one candidate for each application, the best first."""
    modules = finder.modules
    candidates = [_judge(modules, entry, import_root(modules, entry.file)) for entry in finder.entries()]
    candidates = [_add_launches(modules, finder, candidate, launches) for candidate in candidates]
    mounted, made = set(_mounted(finder)), set(_made(finder))
    best: dict[tuple[str, str], Candidate] = {}
    for candidate in sorted(candidates, key=lambda each: -each.points):
        entry = candidate.entry
        if entry.origin in mounted:
            candidate = replace(candidate, points=candidate.points - 40)  # noqa: PLW2901
        # A factory that a module calls is behind that module's instance.
        if entry.is_factory and entry.origin in made and not candidate.launch:
            candidate = replace(candidate, points=candidate.points - 20)  # noqa: PLW2901
        known = best.get(entry.origin)
        if not known or candidate.points > known.points:
            best[entry.origin] = candidate
    return sorted(best.values(), key=lambda each: (-each.points, each.entry.file, each.entry.line))


def pick(candidates: list[Candidate]) -> Candidate | None:
    """Return the application that is clearly meant, or None where two are alike."""
    first, *others = candidates
    return None if first.bare or (others and first.points - others[0].points < CLEAR) else first


def named(modules: Modules, target: str) -> Candidate | None:
    """Return the application that the user names as `module:name`, with a call for a factory with arguments."""
    module, _, rest = target.partition(":")
    name, _, arguments = rest.partition("(")
    finder = Finder(modules)
    directories = sorted({str(parent) for file in modules.names for parent in PurePosixPath(file).parents}, key=len)
    for root in directories:
        if file := file_of(modules, module, root):
            entry = next((finder.entry(file, each) for each in [name] if each), None) or next(
                (each for each in finder.entries() if each.file == file and not name), None
            )
            if entry:
                entry = replace(entry, arguments=arguments.removesuffix(")"))
                own = import_root(modules, file)
                # As it is named, unless its imports lead nowhere from there, or it is a project of its own.
                is_below = home_of(modules.sources, own) != home_of(modules.sources, root)
                if local_imports(modules, file, own) >= local_imports(modules, file, root) + (not is_below):
                    root = own  # noqa: PLW2901
                return Candidate(entry, root, 100, (f"--app {target} names it",))
    return None


def describe(entry: Entry) -> str:
    """Say what an entry is, and where."""
    kind = "makes" if entry.is_factory else "is"
    return f"{entry.file} line {entry.line}: {entry.name} {kind} a {TITLES[entry.framework]} application"


def other_framework(modules: Modules) -> str:
    """Return the name of another framework that the code imports, if there is one."""
    for module, title in OTHERS.items():
        pattern = re.compile(rf"^\s*(from|import) {module}\b", re.MULTILINE)
        if any(pattern.search(modules.sources.read(name)) for name in modules.names):
            return title
    return ""


def main_call(modules: Modules, file: str) -> ast.Call | None:
    """Return the call that serves the application when its file is run, such as `app.run(…)` or `uvicorn.run(…)`."""
    module = modules.get(file) if any(word in modules.sources.read(file) for word in SERVES) else None
    if not module:
        return None
    nodes = [node for statement in (*module.guarded, *module.statements) for node in ast.walk(statement)]
    return next((node for node in nodes if isinstance(node, ast.Call) and _serves(module, node)), None)


def _serves(module: Module, call: ast.Call) -> bool:
    is_run = isinstance(call.func, ast.Attribute) and call.func.attr == "run"
    return module.origin(call.func) == "waitress.serve" or (is_run and dotted(call.func) not in OTHER_RUNS)


def _judge(modules: Modules, entry: Entry, root: str) -> Candidate:
    """Give points for names and places."""
    path = PurePosixPath(entry.file)
    points = FILES.get(path.stem, 12 if path.stem == "__init__" else 0) + NAMES.get(entry.name, 0)
    points -= 4 * len(PurePosixPath(directory_of(entry.file)).relative_to(root).parts)
    points -= 8 * len([part for part in PurePosixPath(root).parts if part not in {"src", "lib"}])
    evidence = [describe(entry)]
    if is_beside(entry.file):
        points -= 50
    call = main_call(modules, entry.file)
    if call and not entry.is_factory and _runs(call, entry):
        points += 10
        evidence.append(f"{entry.file} line {call.lineno} runs it")
    if entry.is_factory:
        points -= 1
        entry = replace(entry, arguments=_arguments(modules, entry)) if entry.required else entry
    return Candidate(entry, root, points, tuple(evidence))


def _runs(call: ast.Call, entry: Entry) -> bool:
    return (
        any(
            dotted(argument) == entry.name or (text(argument) or "").endswith(f":{entry.name}")
            for argument in call.args
        )
        or dotted(call.func) == f"{entry.name}.run"
    )


def _arguments(modules: Modules, entry: Entry) -> str:
    """Return the arguments that the code itself gives to a factory, if they are written out."""
    for module in modules.mentioning(f"{entry.name}("):
        if is_beside(module.name):
            continue
        for call in module.calls():
            values = [*call.args, *(each.value for each in call.keywords)]
            is_written_out = bool(values) and all(isinstance(value, ast.Constant) for value in values)
            if dotted(call.func).rpartition(".")[2] == entry.name and is_written_out:
                named = (f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords)
                return ", ".join([*map(ast.unparse, call.args), *named])
    return ""


def _add_launches(modules: Modules, finder: Finder, candidate: Candidate, launches: list[Launch]) -> Candidate:
    """Give points for the commands that start this entry."""
    entry = candidate.entry
    for launch in sorted(launches, key=lambda each: -each.weight):
        module, _, rest = launch.target.partition(":")
        name, _, arguments = rest.partition("(")
        bases = [join(launch.directory, launch.chdir), launch.directory, candidate.root]
        # The first directory where there is such a module is the one that is meant.
        root = next((base for base in bases if file_of(modules, module, base)), None)
        if root is None or file_of(modules, module, root) != entry.file:
            continue
        if name and name != entry.name:
            continue
        if not name and entry.name not in NAMES and len([e for e in finder.entries() if e.file == entry.file]) > 1:
            continue
        # `python src/app.py` puts src on the path, not the directory that it is typed in.
        roots = (root, candidate.root) if launch.program == "python" else (root,)
        root = max(roots, key=lambda each: local_imports(modules, entry.file, each))
        if entry.is_factory and rest.endswith(")"):
            entry = replace(entry, arguments=arguments.removesuffix(")") or entry.arguments)
        candidate = replace(
            candidate,
            entry=entry,
            root=root,
            points=candidate.points + launch.weight,
            evidence=(*candidate.evidence, f"{launch.origin} starts it"),
            launch=candidate.launch or launch,
        )
        # One kind of evidence counts once.
        if launch.weight:
            break
    return candidate


def _mounted(finder: Finder) -> Iterator[tuple[str, str]]:
    """Yield the origins of applications that are mounted in another."""
    for module in finder.modules.mentioning(".mount("):
        for call in module.calls():
            if dotted(call.func).endswith(".mount"):
                value = keyword(call, "app", 1)
                found = value is not None and finder.value(module, value, {})
                if found:
                    yield found.origin


def _made(finder: Finder) -> Iterator[tuple[str, str]]:
    """Yield the origins of applications that a module makes by calling a factory."""
    for entry in finder.entries():
        if not entry.is_factory and entry.origin[0] != entry.file and not is_beside(entry.file):
            yield entry.origin
