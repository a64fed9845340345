"""Paths that the code puts together: from its own file, from constants, and from its configuration."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from dockwright.dockerize.modules import Module, assignments, dotted, text
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import directory_of, join

# Stands for the directory of the code in a path: where it is in the image isn't decided yet.
HERE = "code:"
# The home directory, as a shell has it
HOME = "~"
# Calls and methods that return the path that they get
SAME = {"abspath", "realpath", "normpath", "expanduser", "str", "Path", "PurePath", "resolve", "absolute", "as_posix"}
# Names are followed through this many others.
DEPTH = 8


def path_of(project: Project, module: Module, node: ast.expr) -> str:
    """Return a path from the application's working directory; nothing if it is elsewhere, or can't be known."""
    return from_workdir(project, text_of(project, module, node) or "")


def from_workdir(project: Project, path: str) -> str:
    """Return a path from the application's working directory; nothing if it is elsewhere."""
    if not path.startswith(HERE):
        return path
    found, below = PurePosixPath(path), PurePosixPath(HERE, project.home, project.workdir)
    return str(found.relative_to(below)) if found.is_relative_to(below) else ""


def text_of(project: Project, module: Module, node: ast.expr, depth: int = DEPTH) -> str | None:
    """Return a text that the code puts together, or None; what is below its own file begins with HERE."""
    if depth == 0:
        return None
    if isinstance(node, ast.Constant):
        return text(node)
    if isinstance(node, ast.Name):
        return f"{HERE}/{module.name}" if node.id == "__file__" else _named(project, module, node.id, depth - 1)
    if isinstance(node, ast.Attribute | ast.Subscript):
        return _part(project, module, node, depth)
    if isinstance(node, ast.Call):
        return _call(project, module, node, depth)
    return _combined(project, module, node, depth)


def _combined(project: Project, module: Module, node: ast.expr, depth: int) -> str | None:
    """Return a path with `/`, a sum, an f-string, or what stands in for a missing value."""
    if isinstance(node, ast.BoolOp):
        return text_of(project, module, node.values[-1], depth)
    nodes: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        nodes = [node.left, node.right]
    elif isinstance(node, ast.JoinedStr):
        nodes = [each.value if isinstance(each, ast.FormattedValue) else each for each in node.values]
    parts = [text_of(project, module, each, depth) for each in nodes]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _join(parts)
    return _add(parts) if parts else None


def _part(project: Project, module: Module, node: ast.Attribute | ast.Subscript, depth: int) -> str | None:
    """Return a path's parent, the application's own directory, or what its configuration has."""
    if isinstance(node, ast.Attribute):
        if node.attr == "root_path":
            return f"{HERE}/{directory_of(project.application.entry.origin[0])}"
        return _parent(text_of(project, module, node.value, depth), 1) if node.attr == "parent" else None
    value, key = node.value, node.slice.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(value, ast.Attribute) and value.attr == "parents" and isinstance(key, int):
        return _parent(text_of(project, module, value.value, depth), key + 1)
    if isinstance(value, ast.Attribute) and value.attr == "config" and isinstance(key, str):
        return _configured(project, module, key, depth - 1)
    return None


def _call(project: Project, module: Module, call: ast.Call, depth: int) -> str | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)
    nodes = [*call.args]
    # A method of a path
    if isinstance(call.func, ast.Attribute) and (name == "joinpath" or (name in SAME and not nodes)):
        nodes.insert(0, call.func.value)
    arguments = [text_of(project, module, each, depth) for each in nodes]
    if name in {"getcwd", "cwd"}:
        return f"{HERE}/{join(project.home, project.workdir)}"
    if name == "home":
        return HOME
    if name == "dirname" and arguments:
        return _parent(arguments[0], 1)
    if name in {"getenv", "get"}:
        return arguments[1] if len(arguments) > 1 else None
    return _join(arguments) if arguments and (name in SAME or name in {"join", "joinpath"}) else None


def _named(project: Project, module: Module, name: str, depth: int) -> str | None:
    """Return what a name stands for: in the module, in a function or class of it, or where it is imported from."""
    if name in module.imports and name not in module.assigned:
        place = project.modules.find(module.imports[name], module.name)
        there = project.modules.get(place[0]) if place and place[1] else None
        return _named(project, there, place[1], depth) if place and there and depth else None
    value = module.assigned.get(name) or assignments(module.all_statements).get(name)
    return text_of(project, module, value, depth) if value is not None else None


def _configured(project: Project, module: Module, key: str, depth: int) -> str | None:
    """Return what `app.config[key]` is set to, in this module or in a class of settings."""
    for name in (module.name, *project.files(key)):
        there = project.modules.get(name)
        for statement in there.all_statements if there else ():
            for value in _values(statement, key):
                if there and (found := text_of(project, there, value, depth)):
                    return found
    return None


def _values(statement: ast.stmt, key: str) -> Iterator[ast.expr]:
    """Yield what a statement sets a key to: an assignment, `config.update(key=…)` or `config.from_mapping(key=…)`."""
    if isinstance(statement, ast.Assign) and key in map(_key, statement.targets):
        yield statement.value
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and dotted(call.func).rpartition(".")[2] in {"update", "from_mapping"}:
        yield from (each.value for each in call.keywords if each.arg == key)
        for each in call.args:
            if isinstance(each, ast.Dict):
                names = (text(name) for name in each.keys)
                yield from (value for name, value in zip(names, each.values, strict=True) if name == key)


def _key(target: ast.expr) -> str:
    return (text(target.slice) or "") if isinstance(target, ast.Subscript) else dotted(target)


def _parent(path: str | None, count: int) -> str | None:
    parents = PurePosixPath(path or "").parents
    found = str(parents[count - 1]) if len(parents) >= count else ""
    # What is above the code is not known.
    return found if found.startswith(HERE) or not (path or "").startswith(HERE) else None


def _join(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return str(PurePosixPath(*known)) if len(known) == len(parts) else None


def _add(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None
