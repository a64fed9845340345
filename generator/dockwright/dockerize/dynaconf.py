"""Settings of applications that use dynaconf: in its files, and under a prefix in the environment."""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from dockwright.dockerize.modules import Module, Modules, dotted, keyword, text
from dockwright.dockerize.sources import directory_of, is_beside, join

# Its classes, and the prefix of each in the environment
PREFIXES = {"Dynaconf": "DYNACONF", "LazySettings": "DYNACONF", "FlaskDynaconf": "FLASK"}
FILES = ("preload", "settings_files", "settings_file", "secrets", "SETTINGS_FILES", "SECRETS")
ENVIRONMENTS = ("default", "global", "development", "testing", "staging", "production")


@dataclass(frozen=True)
class Value:
    """A setting: its name in the environment, where it is from, and its value, nothing for a secret."""

    name: str
    place: str
    value: str = ""
    is_secret: bool = False


@dataclass(frozen=True)
class Dynaconf:
    """One object of settings."""

    place: str
    prefix: str
    values: tuple[Value, ...]
    # Files with secrets that the code names
    secrets: tuple[str, ...]
    # The variable that chooses an environment of its files, if it has several
    switch: str = ""


def find_dynaconf(modules: Modules) -> Iterator[Dynaconf]:
    """Yield dynaconf's objects."""
    for module in modules.mentioning("Dynaconf(", "LazySettings("):
        for call in module.calls() if not is_beside(module.name) else ():
            origin = module.origin(call.func)
            if origin.startswith("dynaconf.") and (name := origin.rpartition(".")[2]) in PREFIXES:
                yield _read(modules, module, call, PREFIXES[name])


def _read(modules: Modules, module: Module, call: ast.Call, prefix: str) -> Dynaconf:
    named = keyword(call, "envvar_prefix") or keyword(call, "ENVVAR_PREFIX")
    if isinstance(named, ast.Constant):
        prefix = str(named.value).upper() if named.value else ""
    files = [
        node.value
        for name in FILES
        if (argument := keyword(call, name)) is not None
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    start = f"{prefix}_" if prefix else ""
    values = [Value(f"{start}{name}", place, is_secret=True) for name, place in _validated(module)]
    for file in files:
        name = _find(modules, module, file)
        for key, value in _flat(_content(modules, name), "") if name else ():
            secret = "secret" in file
            values.append(Value(f"{start}{key}", name, "" if secret else value, is_secret=secret))
    switch = text(keyword(call, "env_switcher")) or "ENV_FOR_DYNACONF"
    has_environments = keyword(call, "environments") is not None
    place = f"{module.name} line {call.lineno}"
    secrets = tuple(file for file in files if "secret" in file)
    return Dynaconf(place, prefix, tuple(values), secrets, switch.upper() if has_environments else "")


def _validated(module: Module) -> Iterator[tuple[str, str]]:
    """Yield what has to exist, with its place."""
    for call in module.calls():
        exists = keyword(call, "must_exist")
        if dotted(call.func).endswith("Validator") and isinstance(exists, ast.Constant) and exists.value:
            names = filter(None, map(text, call.args))
            if keyword(call, "default") is None:
                yield from ((_variable(name.split(".")), f"{module.name} line {call.lineno}") for name in names)


def _find(modules: Modules, module: Module, file: str) -> str:
    """Return a file of settings: beside the code, or in a directory above it."""
    place = PurePosixPath(directory_of(module.name))
    names = (join(str(directory), file) for directory in (place, *place.parents))
    return next((name for name in names if name in modules.sources), "")


def _content(modules: Modules, name: str) -> Mapping[str, Any]:
    content = modules.sources.read(name)
    with suppress(tomllib.TOMLDecodeError, yaml.YAMLError):
        data = tomllib.loads(content) if name.endswith(".toml") else yaml.safe_load(content)
        if isinstance(data, dict):
            below = {key: value for name in ENVIRONMENTS for key, value in (data.get(name) or {}).items()}
            return below or data
    return {}


def _flat(data: Mapping[str, Any], start: str) -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        name = f"{start}__{key}" if start else key.upper()
        if isinstance(value, dict):
            yield from _flat(value, name)
        elif key != "dynaconf_merge":
            yield name, value if isinstance(value, str) else ""


def _variable(parts: list[str]) -> str:
    return "__".join([parts[0].upper(), *parts[1:]])
