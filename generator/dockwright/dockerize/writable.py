"""Files and directories that the application writes: they are kept in volumes."""

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from dockwright.dockerize.modules import Module, dotted, keyword, text
from dockwright.dockerize.paths import HERE, HOME, from_workdir, path_of, text_of
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import join

WRITES = re.compile(
    r"sqlite|StaticFiles|makedirs|mkdir|FileHandler|write_text|write_bytes|instance_path"
    r"|\.save\(\s*[\w.]+\(|open\([^\n]*[\"'][wax]b?\+?[\"']"
)
# An address is a whole text, and has no blanks: others only speak of one.
SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?!/)([^\s\"'{}:?]+)\S*")
# The same, put together: its file is named from the code's own directory
BUILT = re.compile(rf"sqlite(?:\+\w+)?:/+({HERE}/.+)")
PLAIN = re.compile(r"\w[\w./ -]*")
PLACEHOLDER = "/path/to/"
DATABASE = re.compile(r"\.(db|sqlite3?)$")
# What Flask calls the directory of what an instance writes
INSTANCE = "instance"


@dataclass(frozen=True)
class Writable:
    """A directory that the application writes into, or a file, both from its working directory."""

    path: str
    is_file: bool
    reason: str
    # The repository has it: the image's copy is what a new volume starts with
    is_seeded: bool = False


def find_writable(project: Project, connected: Collection[str] = ()) -> list[Writable]:
    """Return what the code writes below its working directory, or in HOME, as far as names are written out.

    A database that only stands in for one of the `connected` settings is not written.
    """
    finder = _Finder(project)
    for name in project.files():
        module = project.modules.get(name) if WRITES.search(project.sources.read(name)) else None
        if not module:
            continue
        passed_over = {*_stand_ins(module, connected), *module.told}
        for node in module.nodes:
            if id(node) in passed_over:
                continue
            if served := _served(project, module, node):
                reason = f"{module.name} line {getattr(node, 'lineno', 1)} serves it, and git has no file in it"
                finder.add(served, reason, is_file=False)
            for path, is_file in _writes(project, module, node):
                finder.add(path, f"{module.name} line {getattr(node, 'lineno', 1)}", is_file=is_file)
    return list(finder.found.values())


@dataclass
class _Finder:
    """The paths until now, each once."""

    project: Project
    found: dict[str, Writable] = field(default_factory=dict)

    def add(self, path: str, reason: str, *, is_file: bool) -> None:
        """Add a path, or the directory that it is in."""
        sources, home = self.project.sources, self.project.home
        path = str(PurePosixPath(path.replace("\\", "/").removeprefix("./")))
        if path.startswith(f"{HOME}/"):
            self.found.setdefault(path, Writable(path, is_file, reason))
            return
        if not PLAIN.fullmatch(path) or ".." in path or path.startswith("tmp/") or PLACEHOLDER in f"/{path}":
            return
        parent = str(PurePosixPath(path).parent)
        # In a package, which is code, only the file itself is kept.
        is_package = join(join(join(home, self.project.workdir), parent), "__init__.py") in sources
        if is_file and parent != "." and not is_package:
            path, is_file = parent, False
        if path == INSTANCE and self.project.pythonpath:
            # Flask looks for it beside the package.
            path = join(self.project.pythonpath, path)
        name = join(join(home, self.project.workdir), path)
        # Python packages are code, whatever else is written there.
        if not is_file and join(name, "__init__.py") in sources:
            return
        # Databases are never copied into an image.
        is_seeded = name in sources and not DATABASE.search(name)
        self.found.setdefault(path, Writable(path, is_file, reason, is_seeded))


def _stand_ins(module: Module, connected: Collection[str]) -> Iterator[int]:
    """Yield what stands beside one of these settings, and the databases of tests."""
    for statement in module.all_statements:
        is_test = isinstance(statement, ast.ClassDef) and "test" in statement.name.lower()
        if not is_test and not isinstance(statement, ast.Assign | ast.AnnAssign | ast.Return):
            continue
        nodes = list(ast.walk(statement))
        if is_test or any(isinstance(node, ast.Constant) and node.value in connected for node in nodes):
            yield from map(id, nodes)


def _served(project: Project, module: Module, node: ast.AST) -> str:
    """Return a directory that has to be there for StaticFiles to start, and is not in the repository."""
    if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] != "StaticFiles":
        return ""
    directory, checks = keyword(node, "directory", 0), keyword(node, "check_dir")
    path = path_of(project, module, directory) if directory is not None else ""
    if not path or (isinstance(checks, ast.Constant) and not checks.value):
        return ""
    name = join(join(project.home, project.workdir), path)
    # Hidden files, such as .gitkeep, are not copied.
    is_there = any(not PurePosixPath(file).name.startswith(".") for file in project.sources.below(name))
    return "" if is_there else path


def _writes(project: Project, module: Module, node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the paths that a part of the code writes, and whether each is a file."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if match := SQLITE.fullmatch(node.value):
            # Since version 3, Flask-SQLAlchemy takes a relative path from the instance directory.
            requirements = project.requirements
            version = requirements.version("flask-sqlalchemy") or (3, 0)
            in_instance = requirements.has("flask-sqlalchemy") and version >= (3, 0)
            yield (f"{INSTANCE}/{match[1]}" if in_instance else match[1]), True
    elif isinstance(node, ast.Attribute) and node.attr == "instance_path":
        yield INSTANCE, False
    elif isinstance(node, ast.Call):
        yield from _call(project, module, node)
    elif isinstance(node, ast.BinOp | ast.JoinedStr) and (match := BUILT.match(text_of(project, module, node) or "")):
        yield from_workdir(project, match[1]), True


def _call(project: Project, module: Module, call: ast.Call) -> Iterator[tuple[str, bool]]:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = dotted(call.func) or method
    path = path_of(project, module, call.args[0]) if call.args else ""
    is_opened = name == "open" and any(letter in (text(keyword(call, "mode", 1)) or "r") for letter in "wax+")
    if is_opened or name == "sqlite3.connect" or name.endswith("FileHandler"):
        yield path, True
    elif name in {"os.makedirs", "os.mkdir"}:
        yield path, False
    elif method in {"mkdir", "write_text", "write_bytes"} and isinstance(call.func, ast.Attribute):
        yield path_of(project, module, call.func.value), method != "mkdir"
    elif method == "save" and call.args and isinstance(inner := call.args[0], ast.Call) and inner.args:
        # file.save(os.path.join(directory, …))
        yield path_of(project, module, inner.args[0]), False
