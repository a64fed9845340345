"""Python files as syntax trees: what they import, define and assign. Nothing is imported or run."""

import ast
import gc
import re
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from dockwright.dockerize.sources import Sources, directory_of, join

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Arguments whose text is for people
TOLD = {"description", "detail", "error", "help", "message", "msg"}


@dataclass(frozen=True)
class Module:
    """A Python file."""

    name: str
    tree: ast.Module
    source: str = ""

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, once for all who look."""
        return list(ast.walk(self.tree))

    @cached_property
    def all_statements(self) -> list[ast.stmt]:
        """Every statement, also those in functions and classes: a tenth of the nodes."""
        return list(statements_in(self.tree))

    @cached_property
    def imports(self) -> dict[str, str]:
        """Each imported name, with where it is from: `a.b`, or with leading dots."""
        found: dict[str, str] = {}
        for node in self.all_statements:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                source = "." * node.level + (node.module or "")
                for alias in node.names:
                    dot = "" if source.endswith(".") or not source else "."
                    found[alias.asname or alias.name] = f"{source}{dot}{alias.name}"
        return found

    @cached_property
    def stars(self) -> list[str]:
        """The modules that everything is imported from."""
        nodes = (node for node in self.all_statements if isinstance(node, ast.ImportFrom))
        return ["." * node.level + (node.module or "") for node in nodes if node.names[0].name == "*"]

    @cached_property
    def imported_modules(self) -> set[str]:
        """Every module that an import statement names, without those with leading dots."""
        found = set()
        for node in self.all_statements:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module)
        return found

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """What runs when the module is imported."""
        return list(_flatten(self.tree.body))

    @cached_property
    def guarded(self) -> list[ast.stmt]:
        """What runs only when the file is the program."""
        return [
            statement
            for node in self.tree.body
            if isinstance(node, ast.If) and _is_main_guard(node)
            for statement in _flatten(node.body)
        ]

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """The values that module-level names get, the last of each."""
        return assignments(self.statements)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The module's functions."""
        return {node.name: node for node in self.statements if isinstance(node, Function)}

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The module's classes."""
        return {node.name: node for node in self.statements if isinstance(node, ast.ClassDef)}

    @cached_property
    def told(self) -> set[int]:
        """The ids of the nodes that are for people: errors, help and docstrings. Nothing in them is opened."""
        told: list[ast.AST] = [node for node in self.all_statements if isinstance(node, ast.Raise)]
        told += [each.value for call in self.calls() for each in call.keywords if each.arg in TOLD]
        told += [node.value for node in self.all_statements if isinstance(node, ast.Expr) and text(node.value)]
        return {id(node) for each in told for node in ast.walk(each)}

    def origin(self, expression: ast.expr) -> str:
        """Return where a name or attribute comes from, such as `flask.Flask`; nothing if it is not imported."""
        head, *rest = dotted(expression).split(".")
        return ".".join((self.imports[head], *rest)) if head in self.imports else ""

    def calls(self) -> Iterator[ast.Call]:
        """Yield every call."""
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def nodes_naming(self, words: Iterable[str]) -> list[ast.AST]:
        """Return the nodes of those top-level statements whose text has one of these words: most have none."""
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
        lines = [self.source.count("\n", 0, match.start()) + 1 for match in pattern.finditer(self.source)]
        return [node for each in self.tree.body if _has_line(each, lines) for node in ast.walk(each)]


class Modules:
    """The Python files of a directory; each is parsed when it is asked for."""

    def __init__(self, sources: Sources) -> None:
        """Take the files."""
        self.sources = sources
        self.names = tuple(name for name in sources.names if name.endswith(".py"))
        # Those with Python files
        self.directories = {directory_of(name) for name in self.names}
        self.unreadable: dict[str, str] = {}
        self._parsed: dict[str, Module | None] = {}
        # Directories of packages that are installed: they are on the path, too
        self.installed: tuple[str, ...] = ()

    @property
    def parsed(self) -> int:
        """How many files have been parsed."""
        return len(self._parsed)

    def get(self, name: str) -> Module | None:
        """Return a file's syntax tree, or None if it is not valid Python."""
        if name not in self._parsed:
            self._parsed[name] = self._parse(name)
        return self._parsed[name]

    def naming(self, *words: str) -> Iterator[str]:
        """Yield the files whose text has one of these words, or all of them; none is parsed."""
        for name in self.names:
            content = self.sources.read(name)
            if not words or any(word in content for word in words):
                yield name

    def mentioning(self, *words: str) -> Iterator[Module]:
        """Yield the modules whose text has one of these words; the others are not parsed."""
        yield from filter(None, map(self.get, self.naming(*words)))

    def find(self, source: str, importer: str) -> tuple[str, str] | None:
        """Return the file that an import leads to, and the name in it, nothing for the module itself."""
        level = len(source) - len(source.lstrip("."))
        parts = [part for part in source.lstrip(".").split(".") if part]
        directory = PurePosixPath(importer).parent
        if level:
            bases = [PurePosixPath(*directory.parts[: len(directory.parts) - level + 1])]
        else:
            # Whichever directory is on the path when it runs: one above the importing file, or src.
            bases = [directory, *directory.parents, *map(PurePosixPath, self.installed)]
            bases += [base / "src" for base in bases if self.sources.has_directory(str(base / "src"))]
        for base in bases:
            for count in (len(parts), len(parts) - 1):
                path = base.joinpath(*parts[:count])
                for name in (f"{path}.py", str(path / "__init__.py")):
                    if (count or level) and name in self.sources:
                        return name, ".".join(parts[count:])
        return None

    def _parse(self, name: str) -> Module | None:
        try:
            with warnings.catch_warnings():
                # An invalid escape in the user's code is not ours to report.
                warnings.simplefilter("ignore")
                source = self.sources.read(name)
                return Module(name, ast.parse(source), source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f" line {error.lineno}" if isinstance(error, SyntaxError) else ""
            self.unreadable[name] = f"{name}{line}: {getattr(error, 'msg', error)}"
            return None


def statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements in a module, a function or a block, and those in them."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for each in getattr(node, name, ()):
            if isinstance(each, ast.stmt):
                yield each
            # Most have none in them.
            if hasattr(each, "body") or hasattr(each, "cases"):
                yield from statements_in(each)


def executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a block runs: not those in functions, classes and the main guard."""
    for node in body:
        yield node
        if not isinstance(node, Function | ast.ClassDef) and not (isinstance(node, ast.If) and _is_main_guard(node)):
            yield from executed([each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)])
            for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                yield from executed(part.body)


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the garbage collector: trees are no garbage, and looking for some takes longer than parsing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # Without this, its first run would look through all trees.
            gc.freeze()
            gc.enable()


def dotted(expression: ast.expr) -> str:
    """Return `a.b.c` for names and attributes, else nothing."""
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute) and (head := dotted(expression.value)):
        return f"{head}.{expression.attr}"
    return ""


def text(expression: ast.expr | None) -> str | None:
    """Return a text that is written out, else None."""
    return expression.value if isinstance(expression, ast.Constant) and isinstance(expression.value, str) else None


def keyword(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """Return an argument of a call by its name, or by its position."""
    for each in call.keywords:
        if each.arg == name:
            return each.value
    return call.args[position] if position is not None and len(call.args) > position else None


def assignments(statements: list[ast.stmt]) -> dict[str, ast.expr]:
    """Return the values that names get in these statements."""
    found: dict[str, ast.expr] = {}
    for node in statements:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found


def import_root(modules: Modules, name: str) -> str:
    """Return the directory that has to be on Python's path for a file to be imported."""
    directory = PurePosixPath(name).parent
    package = directory
    while package.parts and join(str(package), "__init__.py") in modules.sources:
        package = package.parent
    module = modules.get(name)
    if not module:
        return str(package)
    # Without __init__.py, its own imports tell where it is run from.
    return max(map(str, (package, *package.parents)), key=lambda root: local_imports(modules, name, root))


def local_imports(modules: Modules, name: str, root: str) -> int:
    """Return how many imports of a file lead to other files if this directory is on Python's path."""
    module = modules.get(name)
    if not module:
        return 0
    levels = [len(source) - len(source.lstrip(".")) for source in module.imports.values()]
    if max(levels, default=0) > len(PurePosixPath(name).parent.relative_to(root).parts):
        # Relative imports need a package.
        return -1
    paths = {join(root, imported.replace(".", "/")) for imported in module.imported_modules}
    # The file's own directory has its own name twice, as in app/app.py.
    return sum(
        (f"{path}.py" in modules.sources or path in modules.directories) and f"{path}.py" != name for path in paths
    )


def module_name(name: str, root: str) -> str:
    """Return a file's dotted name below the directory that is on Python's path."""
    path = PurePosixPath(name).relative_to(root).with_suffix("")
    parts = path.parts[:-1] if path.name == "__init__" else path.parts
    return ".".join(parts)


def file_of(modules: Modules, dotted_name: str, root: str) -> str | None:
    """Return the file of a module below a directory."""
    path = join(root, dotted_name.replace(".", "/"))
    return next((name for name in (f"{path}.py", f"{path}/__init__.py") if name in modules.sources), None)


def _flatten(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If) and not _is_main_guard(node):
            yield from _flatten(node.body)
            yield from _flatten(node.orelse)
        elif isinstance(node, ast.Try):
            for part in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
                yield from _flatten(part)
        elif isinstance(node, ast.With):
            yield from _flatten(node.body)


def _has_line(statement: ast.stmt, lines: list[int]) -> bool:
    """Tell whether a statement, with its decorators, has one of these lines; they are in order."""
    first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
    position = bisect_left(lines, first)
    return position < len(lines) and lines[position] <= (statement.end_lineno or first)


def _is_main_guard(node: ast.If) -> bool:
    return "__name__" in ast.unparse(node.test) and "__main__" in ast.unparse(node.test)
