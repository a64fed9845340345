"""The path of a health check that the application has."""

import ast
import re
from collections.abc import Iterator

from dockwright.dockerize.modules import Module, dotted, keyword, text
from dockwright.dockerize.project import Project

# The best first
PATHS = ("/health", "/healthz", "/up", "/healthcheck", "/health-check", "/health/", "/livez", "/api/health", "/ping")
ENDING = re.compile(r"/(health|healthz|healthcheck)/?")
ROUTERS = {"APIRouter", "Blueprint"}
DECORATORS = {"route", "get", "api_route"}
# A router that gets a prefix when it is included
PREFIXED = re.compile(r"(?:include_router|register_blueprint)\((?:[^()]|\([^()]*\))*prefix\s*=")


def find_health(project: Project) -> tuple[str, str]:
    """Return the path of a health check, and where it is; nothing if there is none, or its prefix is not clear."""
    routes: dict[str, str] = {}
    prefixed = _has_prefixes(project)
    for module in project.code("health", "/up", "livez", "/ping"):
        for call in _decorators(module):
            path = _path(module, call, prefixed=prefixed)
            if path:
                routes[path] = f"{module.name} line {call.lineno}"
    others = (path for path in routes if ENDING.search(path) and not re.search(r"[<{]", path))
    path = next((path for path in PATHS if path in routes), None) or next(others, "")
    return path, routes.get(path, "")


def _decorators(module: Module) -> Iterator[ast.Call]:
    for function in module.all_statements:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in function.decorator_list:
                if isinstance(call, ast.Call) and dotted(call.func).rpartition(".")[2] in DECORATORS:
                    yield call


def _path(module: Module, call: ast.Call, *, prefixed: bool) -> str:
    """Return a route's path, with the prefix of its router."""
    path = text(keyword(call, "path", 0) or keyword(call, "rule")) or ""
    value = module.assigned.get(dotted(call.func).rpartition(".")[0])
    if not isinstance(value, ast.Call) or dotted(value.func).rpartition(".")[2] not in ROUTERS:
        return path
    prefix = keyword(value, "prefix") or keyword(value, "url_prefix")
    # Where routers get a prefix when they are included, this one's is not known.
    if prefixed or (prefix is not None and text(prefix) is None):
        return ""
    return f"{text(prefix) or ''}{path}"


def _has_prefixes(project: Project) -> bool:
    words = ("include_router(", "register_blueprint(")
    return any(PREFIXED.search(project.sources.read(name)) for name in project.files(*words))
