"""Commands that start the application, as its files have them: the strongest evidence of what is meant."""

import ast
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from dockwright.dockerize.modules import Modules, dotted, text
from dockwright.dockerize.sources import Sources, directory_of, is_beside

SERVERS = ("gunicorn", "uvicorn", "hypercorn", "granian", "waitress-serve", "daphne")
WORKERS = ("celery", "rq", "arq", "dramatiq", "taskiq")
RUNNERS = (*SERVERS, "flask", "fastapi", "python", *WORKERS)
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?")
MODULE = re.compile(r"[A-Za-z_][\w.]*")
SCRIPTS = re.compile(r"[\w.-]+\.(sh|bat|cmd|ps1)|(start|run|startup|boot|serve|gunicorn)[\w-]*\.txt")
# Options whose value could be taken for the target
VALUED = {"-b", "--bind", "-c", "--config", "-k", "--worker-class", "--name", "-n", "--log-config", "--interface"}
README_LINE = re.compile(rf"(export )?(FLASK_APP=|[\w ./&=-]*\b({'|'.join(RUNNERS)}|python3)\b)")
# Names in a Procfile of what is not the web server
OTHER_PROCESSES = {"worker", "beat", "release", "scheduler", "clock"}
# What a file names it, and the text
Command = tuple[str, str]


@dataclass(frozen=True)
class Launch:
    """A command that starts something."""

    origin: str
    directory: str
    weight: int
    program: str
    words: tuple[str, ...]
    target: str = ""
    chdir: str = "."

    def option(self, *names: str) -> str:
        """Return the value of an option, or nothing."""
        for position, word in enumerate(self.words):
            for name in names:
                if word == name:
                    return self.words[position + 1] if position + 1 < len(self.words) else ""
                if word.startswith(f"{name}=") or (len(name) == 2 and word.startswith(name) and len(word) > 2):  # noqa: PLR2004
                    return word[len(name) :].removeprefix("=")
        return ""


def find_launches(modules: Modules) -> list[Launch]:
    """Return every command that the files have, with how much it counts."""
    found = []
    for origin, name, weight, command in _commands(modules.sources):
        found += parse(command, origin, directory_of(name), weight)
    return [*found, *_settings(modules.sources), *_programs(modules)]


def parse(command: str, origin: str, directory: str, weight: int) -> list[Launch]:
    """Return the launches of a shell command."""
    found = []
    chdir = "."
    for segment in re.split(r"&&|\|\||[;|\n]", command):
        try:
            words = shlex.split(segment.replace("$(", "(").strip())
        except ValueError:
            words = segment.split()
        if words[:1] == ["cd"] and len(words) > 1:
            chdir = words[1]
            continue
        launch = _parse_words(words, origin, directory, weight)
        if launch:
            place = launch.option("--chdir", "--app-dir", "--pythonpath") or chdir
            safe = not PurePosixPath(place).is_absolute() and ".." not in place and "$" not in place
            found.append(
                Launch(origin, directory, weight, launch.program, launch.words, launch.target, place if safe else ".")
            )
    return found


def _parse_words(words: list[str], origin: str, directory: str, weight: int) -> Launch | None:
    app = next((word.partition("=")[2] for word in words if word.startswith("FLASK_APP=")), "")
    start = next((i for i, word in enumerate(words) if PurePosixPath(word).name in RUNNERS or word == "python3"), None)
    if start is None:
        return Launch(origin, directory, weight, "flask", (), _module(app)) if app else None
    program, rest = PurePosixPath(words[start]).name, words[start + 1 :]
    if program.startswith("python"):
        program = "python"
        if rest[:1] == ["-m"] and len(rest) > 1:
            if rest[1] not in RUNNERS:
                return Launch(origin, directory, weight, program, tuple(rest), rest[1])
            program, rest = rest[1], rest[2:]
    launch = Launch(origin, directory, weight, program, tuple(rest))
    target = _module(app) or _target(launch)
    return Launch(origin, directory, weight, program, tuple(rest), target)


def _target(launch: Launch) -> str:
    program, words = launch.program, launch.words
    if program in WORKERS:
        return ""
    if program == "flask":
        return _module(launch.option("--app", "-A"))
    if program == "fastapi":
        return launch.option("--entrypoint", "-e") or next((_module(w) for w in words if w.endswith(".py")), "")
    if program == "python":
        return next((_module(word) for word in words if word.endswith(".py")), "")
    plain = [word for i, word in enumerate(words) if i == 0 or words[i - 1] not in VALUED]
    full = next((word for word in plain if TARGET.fullmatch(word)), "")
    if full and (launch.option("--factory") or "--factory" in words or "--call" in words) and "(" not in full:
        return f"{full}()"
    # Without a name, gunicorn takes `application`.
    is_module = program == "gunicorn" and plain and MODULE.fullmatch(plain[-1])
    return full or (f"{plain[-1]}:application" if is_module else "")


def _module(value: str) -> str:
    """Return what FLASK_APP or a file's path names as a dotted module, with what follows a colon."""
    path, colon, rest = value.partition(":")
    return path.removeprefix("./").removesuffix(".py").replace("/", ".") + colon + rest


def _commands(sources: Sources) -> Iterator[tuple[str, str, int, str]]:
    """Yield commands: where each is from, the file, how much it counts, and the text."""
    for name in sources.names:
        if not is_beside(name):
            for pattern, weight, read in READERS:
                if pattern.fullmatch(PurePosixPath(name).name):
                    for kind, command in read(sources.read(name)):
                        origin = f"{name} ({kind})" if kind else name
                        # Other processes than the web server are no evidence.
                        yield origin, name, 0 if kind in OTHER_PROCESSES else weight, command


def _procfile(content: str) -> Iterator[Command]:
    for line in content.splitlines():
        kind, colon, command = line.partition(":")
        if colon and not kind.startswith("#"):
            yield kind.strip(), command


def _platform(content: str) -> Iterator[Command]:
    """Yield the start commands of a platform's file."""
    for match in re.finditer(r"""(?m)^[\s-]*["']?(startCommand|entrypoint|cmd|app|web)["']?\s*[:=]\s*(.+)$""", content):
        command = match[2].strip().rstrip(",").strip("\"'")
        if any(runner in command for runner in RUNNERS):
            yield "", command


def _dockerfile(content: str) -> Iterator[Command]:
    for line in _unfold(content).splitlines():
        kind, _, command = line.strip().partition(" ")
        if kind.upper() in {"CMD", "ENTRYPOINT"}:
            with suppress(ValueError, SyntaxError):
                command = shlex.join(map(str, ast.literal_eval(command.strip())))
            yield kind.upper(), command


def _compose(content: str) -> Iterator[Command]:
    with suppress(yaml.YAMLError, AttributeError, TypeError, KeyError):
        for name, service in yaml.safe_load(content)["services"].items():
            command = service.get("command") or ""
            yield str(name), command if isinstance(command, str) else shlex.join(map(str, command))


def _script(content: str) -> Iterator[Command]:
    yield "", "\n".join(line.strip(" \t@-") for line in _unfold(content).splitlines())


def _pipfile(content: str) -> Iterator[Command]:
    with suppress(tomllib.TOMLDecodeError):
        yield from (("", str(command)) for command in tomllib.loads(content).get("scripts", {}).values())


def _readme(content: str) -> Iterator[Command]:
    for line in _unfold(content).splitlines():
        text = line.strip(" \t`$>*-")
        if README_LINE.match(text):
            yield "", text.removeprefix("export ")


def _settings(sources: Sources) -> Iterator[Launch]:
    """Yield what files of settings name."""
    for name in sources.names:
        path = PurePosixPath(name)
        if path.name in {".flaskenv", ".env", ".env.example"}:
            for match in re.finditer(r"(?m)^(?:export )?FLASK_APP=[\"']?([^\s\"']+)", sources.read(name)):
                yield Launch(f"FLASK_APP in {name}", directory_of(name), 90, "flask", (), _module(match[1]))
        elif path.name == "pyproject.toml":
            entrypoint = _toml(sources, name).get("tool", {}).get("fastapi", {}).get("entrypoint")
            if isinstance(entrypoint, str):
                yield Launch(f"[tool.fastapi] in {name}", directory_of(name), 95, "fastapi", (), entrypoint)


def _programs(modules: Modules) -> Iterator[Launch]:
    """Yield what `uvicorn.run("module:name")` names."""
    for module in modules.mentioning("uvicorn.run("):
        for call in module.calls():
            if dotted(call.func) == "uvicorn.run" and call.args and (target := text(call.args[0])):
                yield Launch(f"{module.name} line {call.lineno}", directory_of(module.name), 30, "uvicorn", (), target)


def _toml(sources: Sources, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(sources.read(name))
    except tomllib.TOMLDecodeError:
        return {}


def _unfold(content: str) -> str:
    """Put continued lines together."""
    return re.sub(r"\\\r?\n\s*", " ", content)


# Files with commands, how much each kind counts, and how it is read
READERS: tuple[tuple[re.Pattern[str], int, Callable[[str], Iterator[Command]]], ...] = (
    (re.compile("Procfile"), 90, _procfile),
    (re.compile(r"(render|app)\.yaml|railway\.(json|toml)|(nixpacks|fly)\.toml"), 85, _platform),
    (re.compile("Dockerfile"), 70, _dockerfile),
    (re.compile(r"(docker-)?compose[\w.-]*\.ya?ml"), 60, _compose),
    (SCRIPTS, 60, _script),
    (re.compile("Pipfile"), 40, _pipfile),
    (re.compile(r"readme(\.\w+)?", re.IGNORECASE), 40, _readme),
    (re.compile("Makefile"), 35, _script),
)
