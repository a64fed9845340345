"""Files and directories that the application writes: they are kept in volumes."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from dockwright.dockerize.modules import Module, dotted, keyword, text
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import join

WRITES = re.compile(
    r"sqlite|makedirs|mkdir|FileHandler|write_text|write_bytes|instance_path"
    r"|\.save\(\s*[\w.]+\(|open\([^\n]*[\"'][wax]b?\+?[\"']"
)
SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?!/)([^\s\"'{}:?]+)")
PLAIN = re.compile(r"\w[\w./ -]*")
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


def find_writable(project: Project) -> list[Writable]:
    """Return what the code writes below its working directory, as far as names are written out."""
    finder = _Finder(project)
    for name in project.files():
        module = project.modules.get(name) if WRITES.search(project.sources.read(name)) else None
        if not module:
            continue
        for node in module.nodes:
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
        if not PLAIN.fullmatch(path) or ".." in path or path.startswith("tmp/"):
            return
        parent = str(PurePosixPath(path).parent)
        if is_file and parent != ".":
            path, is_file = parent, False
        if path == INSTANCE and self.project.application.root != home:
            # Flask looks for it beside the package.
            path = join(str(PurePosixPath(self.project.application.root).relative_to(home)), path)
        name = join(home, path)
        # Python packages are code, whatever else is written there.
        if not is_file and join(name, "__init__.py") in sources:
            return
        # Databases are never copied into an image.
        is_seeded = name in sources and not DATABASE.search(name)
        self.found.setdefault(path, Writable(path, is_file, reason, is_seeded))


def _writes(project: Project, module: Module, node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the paths that a part of the code writes, and whether each is a file."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if match := SQLITE.search(node.value):
            # Since version 3, Flask-SQLAlchemy takes a relative path from the instance directory.
            requirements = project.requirements
            version = requirements.version("flask-sqlalchemy") or (3, 0)
            in_instance = requirements.has("flask-sqlalchemy") and version >= (3, 0)
            yield (f"{INSTANCE}/{match[1]}" if in_instance else match[1]), True
    elif isinstance(node, ast.Attribute) and node.attr == "instance_path":
        yield INSTANCE, False
    elif isinstance(node, ast.Call):
        yield from _call(module, node)


def _call(module: Module, call: ast.Call) -> Iterator[tuple[str, bool]]:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = dotted(call.func) or method
    path = _path(module, call.args[0]) if call.args else ""
    is_opened = name == "open" and any(letter in (text(keyword(call, "mode", 1)) or "r") for letter in "wax+")
    if is_opened or name == "sqlite3.connect" or name.endswith("FileHandler"):
        yield path, True
    elif name in {"os.makedirs", "os.mkdir"}:
        yield path, False
    elif method in {"mkdir", "write_text", "write_bytes"} and isinstance(call.func, ast.Attribute):
        yield _path(module, call.func.value), method != "mkdir"
    elif method == "save" and call.args and isinstance(inner := call.args[0], ast.Call) and inner.args:
        # file.save(os.path.join(directory, …))
        yield _path(module, inner.args[0]), False


def _path(module: Module, node: ast.expr) -> str:
    """Return a path that is written out, in place or as a constant of the module or of its configuration."""
    if isinstance(node, ast.Name):
        value = module.assigned.get(node.id)
        return _path(module, value) if value is not None and not isinstance(value, ast.Name) else ""
    if isinstance(node, ast.Subscript) and dotted(node.value).endswith(".config"):
        return _configured(module, text(node.slice) or "")
    if isinstance(node, ast.Call) and dotted(node.func) in {"Path", "pathlib.Path"} and node.args:
        return _path(module, node.args[0])
    if isinstance(node, ast.Call) and dotted(node.func) == "os.path.join":
        parts = [_path(module, each) for each in node.args]
        return "/".join(parts) if all(parts) else ""
    return text(node) or ""


def _configured(module: Module, key: str) -> str:
    """Return what `app.config[key]` is set to in this module."""
    for statement in module.nodes:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        is_meant = isinstance(target, ast.Subscript) and text(target.slice) == key
        if is_meant and isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Subscript):
            return _path(module, statement.value)
    value = module.assigned.get(key)
    return _path(module, value) if value is not None else ""
