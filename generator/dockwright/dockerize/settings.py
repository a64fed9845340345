"""Settings that the code reads from its environment: their names, whether they are required, and their defaults."""

import ast
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from dockwright.dockerize.dynaconf import find_dynaconf
from dockwright.dockerize.modules import Module, Modules, dotted, keyword, text
from dockwright.dockerize.sources import Sources, is_beside, join

READS = ("environ", "getenv", "Settings)", "Settings, ", "decouple", "starlette.config")
# Where what reads a variable is imported from, and the classes of objects that do
READERS = re.compile(r"os\.(environ|getenv)\b|decouple\.|environs\.|environ\.|starlette\.config\.")
CLASSES = {"environs.Env", "environ.Env", "starlette.config.Config", "environs.env"}
GETS = {"os.environ.get", "os.getenv", "os.environ.setdefault", "os.environ.pop"}
SECRET = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE|SALT|CREDENTIAL|_KEY$", re.IGNORECASE)
# Secrets that are committed: they never reach an image, and are pointed out
COMMITTED = re.compile(
    r"(^|/)(\.secrets\.\w+|\.env(\.(?!example|sample|template|dist)[\w.-]+)?|id_(rsa|dsa|ecdsa|ed25519)|[\w.-]+\.(pem|key|p12|pfx))$"
)
EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", ".env")
# Set by the platform or the image, not by the owner
OURS = {"PORT", "HOME", "PATH", "PYTHONPATH", "HOSTNAME", "USER", "PWD", "FLASK_APP", "FLASK_ENV", "FLASK_DEBUG"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


EXAMPLES_OF_KINDS = {
    "int": "60",
    "PositiveInt": "60",
    "float": "60",
    "bool": "false",
    "list": "[]",
    "dict": "{}",
    "EmailStr": "user@example.com",
    "AnyUrl": "http://localhost",
    "AnyHttpUrl": "http://localhost",
    "HttpUrl": "http://localhost",
}
# The first that fits
EXAMPLES_OF_NAMES = {
    r"ALGORITHM": "HS256",
    r"MAIL.*(FROM|SENDER|USER|TO$)|^ADMIN|MAIL$": "user@example.com",
    r"UR[LI]S?$|ENDPOINT": "http://localhost",
    r"DOMAIN|HOST|SERVER": "localhost",
    r"PORT$": "25",
}


@dataclass(frozen=True)
class Setting:
    """An environment variable that the application reads."""

    name: str
    place: str
    required: bool
    default: str = ""
    kind: str = "str"
    # Put together from others: its default, or what the code puts before it
    is_built: bool = False

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be seen."""
        return bool(SECRET.search(self.name)) and self.kind == "str"

    @property
    def example(self) -> str:
        """A value to be replaced."""
        if self.default:
            return self.default
        if self.kind in EXAMPLES_OF_KINDS:
            return EXAMPLES_OF_KINDS[self.kind]
        return next(
            (value for pattern, value in EXAMPLES_OF_NAMES.items() if re.search(pattern, self.name.upper())),
            "change-me",
        )


def find_settings(sources: Sources, modules: Modules, home: str, *libraries: str) -> list[Setting]:
    """Return the settings, each once: required if some code can't do without it."""
    found: dict[str, Setting] = {}
    own = {name for each in (home, *libraries) for name in sources.below(each) if not is_beside(name)}
    for module in modules.mentioning(*READS):
        if module.name not in own:
            continue
        nodes = module.nodes_naming(_readers(module))
        for setting in (*_read(module, modules, nodes), *_read_by_functions(module, modules, nodes, own)):
            known = found.get(setting.name)
            if setting.name in OURS or not NAME.fullmatch(setting.name):
                continue
            if not known or (setting.required and not known.required):
                found[setting.name] = setting
    for each in (value for settings in find_dynaconf(modules) for value in settings.values):
        if each.name not in found and NAME.fullmatch(each.name):
            found[each.name] = Setting(each.name, each.place, required=each.is_secret, default=each.value)
    values = dict(_examples(sources, home))
    return [
        replace(each, default=values[each.name]) if not each.default and values.get(each.name) else each
        for each in found.values()
    ]


def committed_secrets(sources: Sources) -> list[str]:
    """Return tracked files that hold secrets."""
    return sorted(name for name in sources.tracked if COMMITTED.search(name))


def _examples(sources: Sources, home: str) -> Iterator[tuple[str, str]]:
    """Yield what files of examples give; a real .env only where a value is no secret."""
    for file in reversed(EXAMPLES):
        name = join(home, file)
        if name not in sources:
            continue
        for key, value in re.findall(r"(?m)^(?:export )?(\w+)\s*=\s*(.*?)\s*$", sources.read(name)):
            plain = value.strip("\"'")
            if plain and not (file == ".env" and (SECRET.search(key) or "@" in plain)):
                yield key, plain


def _read(module: Module, modules: Modules, nodes: list[ast.AST]) -> Iterator[Setting]:
    for statement in module.all_statements:
        if isinstance(statement, ast.ClassDef) and _is_settings(module, modules, statement):
            yield from _fields(module, statement)
    prefixed = set(_prefixed(nodes))
    for node in nodes:
        if isinstance(node, ast.Subscript) and module.origin(node.value) == "os.environ":
            if isinstance(node.ctx, ast.Load) and (name := text(node.slice)):
                yield Setting(name, _place(module, node), required=True, is_built=id(node) in prefixed)
        elif isinstance(node, ast.Call):
            for setting in _call(module, node):
                built = id(node) in prefixed or any(
                    isinstance(each, ast.JoinedStr | ast.BinOp) and not _has_path(each)
                    for each in (*node.args[1:], *(each.value for each in node.keywords))
                )
                yield replace(setting, is_built=built)


def _read_by_functions(
    module: Module, modules: Modules, nodes: list[ast.AST], own: Container[str]
) -> Iterator[Setting]:
    """Yield what is read through a function of one's own: `def required(name): return os.environ[name]`."""
    readers = dict(_own_readers(module, nodes))
    for name, is_required in readers.items():
        for caller in modules.mentioning(f"{name}("):
            for call in caller.calls() if caller.name in own else ():
                function = dotted(call.func)
                origin = caller.origin(call.func)
                place = modules.find(origin, caller.name) if origin else (caller.name, function)
                setting = text(call.args[0]) if call.args else None
                if setting and place == (module.name, name):
                    default = keyword(call, "default", 1)
                    required = is_required and default is None
                    yield Setting(setting, _place(caller, call), required=required, default=_literal(default))


def _own_readers(module: Module, nodes: list[ast.AST]) -> Iterator[tuple[str, bool]]:
    """Yield the functions that read the variable which their first argument names, and whether they need it."""
    for function in nodes:
        if not isinstance(function, ast.FunctionDef) or not function.args.args:
            continue
        first, inside = function.args.args[0].arg, list(ast.walk(function))
        reads = [
            node for node in inside if isinstance(node, ast.Subscript) and module.origin(node.value) == "os.environ"
        ]
        asks = [
            node for node in inside if isinstance(node, ast.Call) and module.origin(node.func) in GETS and node.args
        ]
        keys = [*(node.slice for node in reads), *(node.args[0] for node in asks)]
        if any(isinstance(key, ast.Name) and key.id == first for key in keys):
            yield function.name, bool(reads) or any(isinstance(node, ast.Raise) for node in inside)


def _readers(module: Module) -> set[str]:
    """Return the words without which no part of a module reads its environment."""
    imported = {name for name, origin in module.imports.items() if READERS.match(origin)}
    made = {
        name
        for name, value in module.assigned.items()
        if isinstance(value, ast.Call) and module.origin(value.func) in CLASSES
    }
    return {"environ", "getenv", *imported, *made}


def _has_path(value: ast.expr) -> bool:
    """Tell whether an address is put together from the path of a file, and not from other settings."""
    return any(isinstance(node, ast.Call) and dotted(node.func).endswith("path.join") for node in ast.walk(value))


def _call(module: Module, call: ast.Call) -> Iterator[Setting]:
    origin, name = module.origin(call.func), text(call.args[0]) if call.args else None
    if not name:
        return
    place = _place(module, call)
    if origin in GETS:
        default = keyword(call, "default", 1)
        yield Setting(name, place, required=False, default=_literal(default))
    elif origin == "decouple.config":
        default, cast = keyword(call, "default"), keyword(call, "cast")
        kind = cast.id if isinstance(cast, ast.Name) else "str"
        yield Setting(name, place, required=default is None, default=_literal(default), kind=kind)
    elif _is_reader(module, call.func):
        default, cast = keyword(call, "default"), keyword(call, "cast", 1)
        kind = call.func.attr if isinstance(call.func, ast.Attribute) else dotted(cast) if cast else "str"
        if kind in {"read_env", "prefixed", "seal"}:
            return
        yield Setting(name, place, required=default is None, default=_literal(default), kind=kind)


def _prefixed(nodes: list[ast.AST]) -> Iterator[int]:
    """Yield what the code puts something before."""
    for node in nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield id(node.right)
        elif isinstance(node, ast.JoinedStr):
            yield from (id(each.value) for each in node.values[1:] if isinstance(each, ast.FormattedValue))


def _is_reader(module: Module, function: ast.expr) -> bool:
    """Tell whether a call is one of an object that reads the environment, or of its method."""
    head = dotted(function).partition(".")[0]
    value = module.assigned.get(head)
    origin = module.origin(value.func) if isinstance(value, ast.Call) else module.imports.get(head, "")
    return origin in CLASSES


def _is_settings(module: Module, modules: Modules, node: ast.ClassDef, depth: int = 0) -> bool:
    for base in node.bases:
        origin = module.origin(base)
        if origin.endswith(".BaseSettings"):
            return True
        name = dotted(base)
        if depth < 5 and name in module.classes and name != node.name:  # noqa: PLR2004 # a circle
            return _is_settings(module, modules, module.classes[name], depth + 1)
        place = modules.find(origin, module.name) if origin else None
        there = modules.get(place[0]) if place else None
        if place and there and place[1] in there.classes and depth < 5:  # noqa: PLR2004 # a circle
            return _is_settings(there, modules, there.classes[place[1]], depth + 1)
    return False


def _fields(module: Module, node: ast.ClassDef) -> Iterator[Setting]:
    prefix = ""
    for statement in ast.walk(node):
        if isinstance(statement, ast.Call) and dotted(statement.func).endswith("SettingsConfigDict"):
            prefix = text(keyword(statement, "env_prefix")) or ""
        elif isinstance(statement, ast.Assign) and dotted(statement.targets[0]) == "env_prefix":
            prefix = text(statement.value) or ""
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        name, value = field.target.id, field.value
        if name.startswith("_") or name == "model_config" or "ClassVar" in ast.unparse(field.annotation):
            continue
        alias = None
        if isinstance(value, ast.Call) and dotted(value.func).endswith("Field"):
            call = value
            names = [keyword(call, each) for each in ("validation_alias", "alias", "env")]
            alias = next((text(each) for each in names if text(each)), None)
            value = keyword(call, "default", 0) or keyword(call, "default_factory")
            if isinstance(value, ast.Constant) and value.value is Ellipsis:
                value = None
        kind = ast.unparse(field.annotation)
        optional = "Optional" in kind or "None" in kind
        plain = re.sub(r"^Optional\[(.+)\]$|( \| None)$", r"\1", kind).removeprefix("pydantic.")
        head = plain.partition("[")[0]
        options = re.match(r"Literal\[(['\"])(.+?)\1", plain)
        # A value that code computes is a default, too.
        yield Setting(
            alias or f"{prefix}{name}".upper(),
            f"{module.name} line {field.lineno}",
            required=value is None and not (optional and field.value is not None),
            default=_literal(value) or (options[2] if options else ""),
            kind=head if head in EXAMPLES_OF_KINDS else "str",
            is_built=isinstance(value, ast.JoinedStr | ast.BinOp),
        )


def _literal(value: ast.expr | None) -> str:
    return str(value.value) if isinstance(value, ast.Constant) and value.value is not None else ""


def _place(module: Module, node: ast.expr) -> str:
    return f"{module.name} line {node.lineno}"
