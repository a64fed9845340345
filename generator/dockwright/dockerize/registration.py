"""Whether an application has its routes when its module is imported, or only after a function has been called."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from dockwright.dockerize.applications import Candidate, Entry, Finder
from dockwright.dockerize.modules import Function, Module, assignments, dotted, executed, import_root, statements_in
from dockwright.dockerize.sources import is_beside

# Methods of an application that give it routes
REGISTERS = {
    *("register_blueprint", "include_router", "add_url_rule", "add_api_route", "add_route", "mount"),
    *("route", "api_route", "get", "post", "put", "patch", "delete", "websocket"),
}
# What takes an application and gives it no routes
WITHOUT_ROUTES = {
    *("Bcrypt", "CORS", "CSRFProtect", "Cache", "JWTManager", "Limiter", "LoginManager", "Mail", "Marshmallow"),
    *("Migrate", "Moment", "PyMongo", "ProxyFix", "SQLAlchemy", "Session", "Talisman", "print", "run"),
}
# Calls of functions that call others are followed so far.
DEPTH = 5
# Only the best candidates are looked at.
CANDIDATES = 10


def prefer_registered(finder: Finder, candidates: list[Candidate]) -> list[Candidate]:
    """Put a name in place of each application without routes that has them; mark those where there is none."""
    judged = [_judge(finder, candidate) for candidate in candidates[:CANDIDATES]]
    return sorted([*judged, *candidates[CANDIDATES:]], key=lambda each: -each.points)


def _judge(finder: Finder, candidate: Candidate) -> Candidate:
    entry = candidate.entry
    # A server's own command is believed.
    is_served = candidate.launch and candidate.launch.program != "python"
    # What is known by a function's annotation only isn't seen being made.
    is_seen = entry.origin[1].isdecimal()
    if entry.is_factory or is_served or not is_seen or _Routes(finder, entry).after_import(entry.file):
        return candidate
    others = [other for other in _names(finder, entry) if _has_routes(finder, other)]
    if others:
        other = min(others, key=lambda each: (each.is_factory, each.file.count("/"), each.file))
        evidence = (*candidate.evidence, f"only {other.file} gives it its routes")
        root = import_root(finder.modules, other.file)
        return replace(candidate, entry=other, root=root, evidence=evidence, launch=None)
    if place := _registered_in(finder, entry):
        return replace(candidate, points=candidate.points - 40, bare=place)
    return candidate


def _names(finder: Finder, entry: Entry) -> Iterator[Entry]:
    """Yield every other name of an application, and the functions that return it."""
    for file in finder.modules.naming(entry.name):
        module = None if is_beside(file) else finder.modules.get(file)
        for name in (*module.functions, *module.assigned, *module.imports) if module else ():
            other = finder.entry(file, name)
            if other and other.origin == entry.origin:
                yield other


def _has_routes(finder: Finder, entry: Entry) -> bool:
    routes = _Routes(finder, entry)
    module = finder.modules.get(entry.file)
    if not module or not entry.is_factory:
        return routes.after_import(entry.file)
    function = module.functions.get(entry.name)
    return bool(function and not entry.required and routes.after(module, executed(function.body)))


def _registered_in(finder: Finder, entry: Entry) -> str:
    """Return where a function gives an application its routes, or a program that is not imported."""
    is_only_one = len({each.origin for each in finder.entries()}) == 1
    for name in finder.modules.naming(*(f".{method}(" for method in REGISTERS)):
        module = None if is_beside(name) else finder.modules.get(name)
        if not module:
            continue
        if _Routes(finder, entry, is_sure=True).after(module, module.guarded):
            return f"{name} adds them only when it is run as a program"
        for function in module.functions.values():
            # The only application is what it is called with.
            names = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)} if is_only_one else ()
            if _Routes(finder, entry, is_sure=True).after(module, executed(function.body), names):
                return f"{function.name} in {name} adds them, and no module calls it when it is imported"
    return ""


@dataclass
class _Routes:
    """Follows imports and calls from a module to what gives an application its routes."""

    finder: Finder
    entry: Entry
    # Only what certainly gives routes counts, not every extension
    is_sure: bool = False
    _seen: set[str] = field(default_factory=set)

    def after_import(self, file: str) -> bool:
        """Tell whether the application has routes when a file has been imported."""
        if file in self._seen:
            return False
        self._seen.add(file)
        module = self.finder.modules.get(file)
        return module is not None and self.after(module, executed(module.tree.body))

    def after(
        self, module: Module, statements: Iterable[ast.stmt], names: Iterable[str] = (), depth: int = DEPTH
    ) -> bool:
        """Tell whether it has routes when these statements have run; `names` stand for it, too."""
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                if any(map(self.after_import, self._imported(module, statement))):
                    return True
            elif isinstance(statement, Function):
                decorators = (each for each in statement.decorator_list if isinstance(each, ast.Call))
                if any(self._call(module, each, names, depth) for each in decorators):
                    return True
            elif isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return) and any(
                self._call(module, each, names, depth) for each in ast.walk(statement) if isinstance(each, ast.Call)
            ):
                return True
        return False

    def _call(self, module: Module, call: ast.Call, names: Iterable[str], depth: int) -> bool:
        if isinstance(call.func, ast.Attribute) and self._is_it(module, call.func.value, names):
            return call.func.attr in REGISTERS
        given = {position: self._is_it(module, each, names) for position, each in enumerate(call.args)}
        named = {each.arg for each in call.keywords if each.arg and self._is_it(module, each.value, names)}
        if found := self._function(module, call.func):
            there, function = found
            named |= {each.arg for position, each in enumerate(function.args.args) if given.get(position)}
            named |= self._made_in(there, function)
            return depth > 0 and self.after(there, executed(function.body), named, depth - 1)
        is_given = bool(named) or any(given.values())
        return is_given and not self.is_sure and self._class(module, call.func) not in WITHOUT_ROUTES

    def _made_in(self, module: Module, function: Function) -> set[str]:
        """Return the names that a factory's own application has in it."""
        scope = assignments(list(statements_in(function)))
        made = {name: self.finder.value(module, value, scope) for name, value in scope.items()}
        return {name for name, found in made.items() if found and found.origin == self.entry.origin}

    def _is_it(self, module: Module, expression: ast.expr, names: Iterable[str]) -> bool:
        name = dotted(expression)
        if not name or name in names:
            return bool(name)
        file, rest = self._place(module, name)
        found = self.finder.entry(file, rest) if file else None
        return found is not None and not found.is_factory and found.origin == self.entry.origin

    def _function(self, module: Module, expression: ast.expr) -> tuple[Module, Function] | None:
        file, name = self._place(module, dotted(expression))
        there = self.finder.modules.get(file) if file else None
        function = there.functions.get(name) if there else None
        return (there, function) if there and function else None

    def _place(self, module: Module, name: str) -> tuple[str, str]:
        """Return the file and the name in it that a name stands for."""
        head, _, rest = name.partition(".")
        if head not in module.imports or head in module.assigned:
            return module.name, name
        source = f"{module.imports[head]}.{rest}" if rest else module.imports[head]
        return self.finder.modules.find(source, module.name) or ("", "")

    def _class(self, module: Module, function: ast.expr) -> str:
        """Return the name of the class or function that is called; for `x.init_app(…)` of what made x."""
        head, _, last = dotted(function).rpartition(".")
        if last != "init_app":
            return last
        file, name = self._place(module, head)
        there = self.finder.modules.get(file) if file else None
        value = there.assigned.get(name) if there else None
        return dotted(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""

    def _imported(self, module: Module, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
        """Yield the files that a statement imports."""
        if isinstance(statement, ast.Import):
            sources = [alias.name for alias in statement.names]
        else:
            base = "." * statement.level + (statement.module or "")
            sources = [f"{base}{'' if base.endswith('.') else '.'}{alias.name}" for alias in statement.names]
        for source in sources:
            if place := self.finder.modules.find(source, module.name):
                yield place[0]
