"""What the application depends on, from its own files: a lock before a manifest, without development and tests."""

import ast
import configparser
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from dockwright.dockerize.modules import Modules, dotted, keyword
from dockwright.dockerize.sources import Sources, is_beside, join
from dockwright.errors import GeneratorError

UV, POETRY, PDM, PIPENV, PYLOCK, PIP, PROJECT, SETUP, IMPORTS = (
    *("uv", "poetry", "pdm", "pipenv", "pylock", "requirements", "project", "setup", "imports"),
)
# Requirements files, the first one that exists
NAMES = (
    "requirements.txt",
    *(f"requirements/{name}.txt" for name in ("production", "prod", "requirements", "base", "main", "common")),
    *(f"requirements{dash}{name}.txt" for dash in "-_." for name in ("prod", "production")),
)
# What a requirement's extra brings, as far as it matters for the server
EXTRAS = {
    ("fastapi", "standard"): ("uvicorn", "websockets", "jinja2"),
    ("fastapi", "all"): ("uvicorn", "websockets", "jinja2"),
    ("uvicorn", "standard"): ("websockets", "watchfiles"),
    ("celery", "redis"): ("redis",),
    ("dramatiq", "redis"): ("redis",),
    ("dramatiq", "rabbitmq"): ("pika",),
    ("flask", "async"): ("asgiref",),
    ("psycopg", "binary"): ("psycopg-binary",),
    ("psycopg", "c"): ("psycopg-c",),
}
# Distributions whose modules have other names
DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "dotenv": "python-dotenv",
    "flask_sqlalchemy": "flask-sqlalchemy",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "mysqldb": "mysqlclient",
    "multipart": "python-multipart",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn",
    "socketio": "python-socketio",
    "yaml": "pyyaml",
}
# Metadata in a program's comments
INLINE = re.compile(r"(?m)^# /// script$\n((?:^#(?:| .*)$\n)+?)^# ///$")
# A path out of the directory
BESIDE = re.compile(r"(?:(?:-e|--editable)[ =]+)?(\.\./[\w./-]+)")
# A repository without the name of its package, which may follow: git+https://example.com/tools.git#egg=tools
UNNAMED = re.compile(r"git\+\S+?(?:/|egg=)([\w.-]+?)(?:\.git)?(?:@[^/#]*)?(?:[#&](?!egg=)\S*)?$")
CONDA = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
COMPILED = {"psycopg2", "psycopg-c", "mysqlclient", "pycairo", "python-ldap", "uwsgi"}
WINDOWS_ONLY = {"pywin32", "pywinpty", "windows-curses", "pypiwin32"}


@dataclass(frozen=True)
class Requirements:
    """What is installed, from which files and with which tool."""

    tool: str
    # Where the files are, and their names from there, the leading one first
    directory: str = "."
    files: tuple[str, ...] = ()
    declared: tuple[Requirement, ...] = ()
    # Everything that will be there, as far as it can be known
    names: frozenset[str] = frozenset()
    pins: Mapping[str, str] = field(default_factory=dict)
    # The file names of the wheels that a lock has, for each package
    wheels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_locked: bool = False
    has_hashes: bool = False
    # It installs the project itself or another path of it: the code has to be there before
    needs_source: bool = False
    # What a lock or a table of sources has from repositories
    from_git: tuple[str, ...] = ()
    # Directories of other packages beside this one (`../common`), by what installs them, and those that it links to
    beside: Mapping[str, str] = field(default_factory=dict)
    linked: tuple[str, ...] = ()
    # A member of a uv workspace: its name, its directory, and those of the other members that it needs
    package: str = ""
    members: tuple[str, ...] = ()
    python: str = ""
    notes: tuple[str, ...] = ()
    # The program that declares them in its comments
    script: str = ""

    @property
    def manifest(self) -> str:
        """The file that is shown to the user."""
        return join(self.directory, self.files[0]) if self.files else "no file"

    @property
    def lines(self) -> list[str]:
        """What is declared, as lines for the index; what has to be compiled can't be asked for without its library."""
        others = {*COMPILED, *map(canonicalize_name, (*self.from_git, *self.beside))}
        return [str(each) for each in self.declared if canonicalize_name(each.name) not in others and not each.url]

    def has(self, *names: str) -> bool:
        """Tell whether one of these distributions is installed."""
        return any(canonicalize_name(name) in self.names for name in names)

    def version(self, name: str) -> tuple[int, ...]:
        """Return the version that a distribution is pinned to, empty if it is not."""
        return tuple(int(part) for part in re.findall(r"\d+", self.pins.get(canonicalize_name(name), ""))[:2])


def find_requirements(sources: Sources, modules: Modules, home: str, code: str) -> Requirements:
    """Return what a directory, or else one above it or that of the code, declares; what is imported, where nothing is.

    `code` is the directory of the file that has the application.
    """
    if found := _workspace(sources, home):
        return _complete(found)
    for directory in _upwards(home):
        for read in (_uv, _poetry, _pdm, _pipenv, _pylock, _requirements, _project, _setup):
            if found := read(sources, directory):
                unused = [join(above, "uv.lock") for above in _upwards(directory) if join(above, "uv.lock") in sources]
                if found.tool != UV and unused:
                    note = f"{unused[0]} is not used: {join(directory, found.files[0])} is no member of its workspace"
                    found = replace(found, notes=(*found.notes, note))
                above = sources.top / "uv.lock"
                if not found.is_locked and sources.top != sources.root.resolve() and above.is_file():
                    note = f"{above} is not used: for a member of its workspace, look at {sources.top} as a whole"
                    found = replace(found, notes=(*found.notes, note))
                return _complete(found)
    if (inside := _requirements_file(sources, code)) and (found := _requirements(sources, home, join(code, inside))):
        return _complete(found)
    found = _script(sources, home) or _imports(sources, modules, home)
    conda = next(
        (name for each in _upwards(home) for name in (join(each, file) for file in CONDA) if name in sources), ""
    )
    if conda:
        note = f"{conda} is conda's, which pip can't install: compare {found.files[0]} with it"
        found = replace(found, notes=(*found.notes, note))
    return _complete(found)


def home_of(sources: Sources, root: str) -> str:
    """Return the directory of a project: the next one above the code that has a file of dependencies."""
    marks = ("pyproject.toml", "Pipfile", "setup.py", "setup.cfg")
    for directory in _upwards(root):
        if any(join(directory, name) in sources for name in marks) or _requirements_file(sources, directory):
            return directory
    # What is beside a directory for code only belongs to the application.
    path = PurePosixPath(root)
    return str(path.parent) if path.name in {"src", "lib"} else root


def _requirements_file(sources: Sources, directory: str) -> str:
    """Return the leading requirements file of a directory; Windows writes its name in any case."""
    names = {name.lower(): name for name in sources.below(directory)}
    found = next(
        (names[path.lower()] for path in (join(directory, name) for name in NAMES) if path.lower() in names), ""
    )
    return str(PurePosixPath(found).relative_to(directory)) if found else ""


def _upwards(directory: str) -> Iterator[str]:
    path = PurePosixPath(directory)
    yield from map(str, (path, *path.parents))


def _complete(found: Requirements) -> Requirements:
    names = {canonicalize_name(each.name) for each in found.declared} | found.names
    for each in found.declared:
        for extra in each.extras:
            names |= {*EXTRAS.get((canonicalize_name(each.name), extra), ())}
    pins = dict(found.pins)
    for each in found.declared:
        exact = [specifier.version for specifier in each.specifier if specifier.operator in ("==", "===")]
        if exact and canonicalize_name(each.name) not in pins:
            pins[canonicalize_name(each.name)] = exact[0]
    windows = sorted(
        name for name in names & WINDOWS_ONLY if any(not each.marker for each in found.declared if each.name == name)
    )
    notes = [f"{name} exists for Windows only: add ; sys_platform == 'win32' to its line" for name in windows]
    return replace(found, names=frozenset(names), pins=pins, notes=(*found.notes, *notes))


# A reader for each kind of file


def _uv(sources: Sources, directory: str) -> Requirements | None:
    lock, manifest = join(directory, "uv.lock"), join(directory, "pyproject.toml")
    if lock not in sources or manifest not in sources:
        return None
    data, project = read_toml(sources, lock), read_toml(sources, manifest)
    packages = {package["name"]: package for package in data.get("package", [])}
    declared = _parse(project.get("project", {}).get("dependencies", []))
    reached = _closure(packages, {canonicalize_name(each.name): set(each.extras) for each in declared})
    paths = {name: _path(packages[name]) for name in reached if name in packages}
    beside = {name: path for name, path in paths.items() if path.startswith("..")}
    members = tuple(join(directory, path) for path in paths.values() if path not in {"", ".", *beside.values()})
    pins = {name: packages[name].get("version", "") for name in reached if name in packages}
    return Requirements(
        UV,
        directory,
        ("uv.lock", "pyproject.toml"),
        declared,
        frozenset(reached),
        pins,
        {name: wheel_names(packages[name].get("wheels", [])) for name in reached if name in packages},
        is_locked=True,
        has_hashes=True,
        # Other members are installed from their code.
        needs_source=bool(members),
        members=members,
        beside=beside,
        from_git=tuple(sorted(name for name in reached if "git" in packages.get(name, {}).get("source", {}))),
        python=str(data.get("requires-python", "")),
    )


def _workspace(sources: Sources, directory: str) -> Requirements | None:
    """Return what a member of a workspace needs, from the lock of the whole."""
    manifest = join(directory, "pyproject.toml")
    if manifest not in sources or join(directory, "uv.lock") in sources:
        return None
    for root in list(_upwards(directory))[1:]:
        data = read_toml(sources, join(root, "uv.lock"))
        packages = {package["name"]: package for package in data.get("package", [])}
        own = next((name for name, each in packages.items() if join(root, _path(each) or ".") == directory), "")
        if not own or root == directory:
            continue
        whole = _uv(sources, root)
        reached = _closure(packages, {own: set()}) - {own}
        paths = {name: path for name in reached if (path := _path(packages.get(name, {}))) and path != "."}
        members = [path for each in packages.values() if (path := _path(each)) and path != "."]
        manifests = (join(path, "pyproject.toml") for path in sorted(members))
        others = {name: packages[name] for name in reached if name in packages and name not in paths}
        return whole and replace(
            whole,
            files=("uv.lock", "pyproject.toml", *(name for name in manifests if join(root, name) in sources)),
            declared=_parse(read_toml(sources, manifest).get("project", {}).get("dependencies", [])),
            names=frozenset(reached),
            pins={name: each.get("version", "") for name, each in others.items()},
            wheels={name: wheel_names(each.get("wheels", [])) for name, each in others.items()},
            needs_source=bool(paths),
            package=own,
            members=(directory, *(join(root, path) for path in sorted(paths.values()))),
        )
    return None


def _path(package: Mapping[str, Any]) -> str:
    """Return the directory of a package of the lock that is in the repository."""
    source = package.get("source", {})
    return next((str(source[key]) for key in ("editable", "virtual", "directory") if key in source), "")


def _closure(packages: Mapping[str, Any], wanted: dict[str, set[str]]) -> set[str]:
    reached: dict[str, set[str]] = {}
    while wanted:
        name, extras = wanted.popitem()
        package = packages.get(name, {})
        known = reached.setdefault(name, set())
        new = [extra for extra in extras if extra not in known] if known or name in reached else list(extras)
        groups = [package.get("optional-dependencies", {}).get(extra, []) for extra in new]
        if not known or new:
            groups.append(package.get("dependencies", []))
        known |= extras | {""}
        for dependency in (each for group in groups for each in group):
            below = dependency["name"]
            more = set(dependency.get("extra", []))
            if below not in reached or not more <= reached[below]:
                wanted[below] = wanted.get(below, set()) | more
    return set(reached)


def _poetry(sources: Sources, directory: str) -> Requirements | None:
    manifest, lock = join(directory, "pyproject.toml"), join(directory, "poetry.lock")
    project, data = read_toml(sources, manifest), read_toml(sources, lock)
    poetry = project.get("tool", {}).get("poetry", {})
    if lock not in sources and "dependencies" not in poetry:
        return None
    table = dict(poetry.get("dependencies", {}))
    python = str(table.pop("python", "") or project.get("project", {}).get("requires-python", ""))
    texts = [_poetry_text(name, value) for name, value in table.items() if not _is_optional(value)]
    packages = [
        package
        for package in data.get("package", [])
        if "main" in package.get("groups", ["main"]) and package.get("category", "main") == "main"
    ]
    return Requirements(
        POETRY,
        directory,
        ("poetry.lock", "pyproject.toml") if packages else ("pyproject.toml",),
        _parse([*texts, *project.get("project", {}).get("dependencies", [])]),
        frozenset(canonicalize_name(package["name"]) for package in packages),
        {canonicalize_name(package["name"]): package["version"] for package in packages},
        {name: wheel_names(files) for name, files in _poetry_files(data, packages)},
        is_locked=bool(packages),
        has_hashes=bool(packages),
        python=_python(python),
        from_git=tuple(package["name"] for package in packages if package.get("source", {}).get("type") == "git"),
        notes=() if packages else ("there is no poetry.lock: `poetry lock` makes builds repeatable",),
    )


def _poetry_files(data: Mapping[str, Any], packages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield each package with its files, which old locks have in a table of their own."""
    table = data.get("metadata", {}).get("files", {})
    for package in packages:
        yield canonicalize_name(package["name"]), package.get("files") or table.get(package["name"], [])


def _python(specifier: str) -> str:
    """Return Poetry's versions of Python as a specifier; a bare 3.9 means any 3.9."""
    return re.sub(r"(?<![=\d.*])==(\d+\.\d+)(\.\d+)?(?![\d.])", r"==\1.*", _caret(specifier))


def _pdm(sources: Sources, directory: str) -> Requirements | None:
    lock, manifest = join(directory, "pdm.lock"), join(directory, "pyproject.toml")
    if lock not in sources or manifest not in sources:
        return None
    project = read_toml(sources, manifest).get("project", {})
    packages = [
        package
        for package in read_toml(sources, lock).get("package", [])
        if "default" in package.get("groups", ["default"])
    ]
    return Requirements(
        PDM,
        directory,
        ("pdm.lock", "pyproject.toml"),
        _parse(project.get("dependencies", [])),
        frozenset(canonicalize_name(package["name"]) for package in packages),
        {canonicalize_name(package["name"]): package["version"] for package in packages},
        {canonicalize_name(package["name"]): wheel_names(package.get("files", [])) for package in packages},
        from_git=tuple(package["name"] for package in packages if "git" in package),
        is_locked=True,
        has_hashes=True,
        python=str(project.get("requires-python", "")),
    )


def _pipenv(sources: Sources, directory: str) -> Requirements | None:
    manifest, lock = join(directory, "Pipfile"), join(directory, "Pipfile.lock")
    if manifest not in sources:
        return None
    data = read_toml(sources, manifest)
    locked = {}
    with suppress(json.JSONDecodeError):
        locked = json.loads(sources.read(lock) or "{}").get("default", {})
    table = data.get("packages", {})
    version = str(
        data.get("requires", {}).get("python_full_version", data.get("requires", {}).get("python_version", ""))
    )
    return Requirements(
        PIPENV,
        directory,
        ("Pipfile.lock", "Pipfile") if locked else ("Pipfile",),
        _parse(_poetry_text(name, value) for name, value in table.items()),
        frozenset(map(canonicalize_name, locked)),
        {canonicalize_name(name): str(value.get("version", "")).removeprefix("==") for name, value in locked.items()},
        is_locked=bool(locked),
        has_hashes=bool(locked),
        from_git=tuple(name for name, value in locked.items() if "git" in value),
        python=f"=={'.'.join(version.split('.')[:2])}.*" if version else "",
        notes=() if locked else ("there is no Pipfile.lock: `pipenv lock` makes builds repeatable",),
    )


def _pylock(sources: Sources, directory: str) -> Requirements | None:
    lock = join(directory, "pylock.toml")
    if lock not in sources:
        return None
    data = read_toml(sources, lock)
    packages = {str(canonicalize_name(each["name"])): str(each.get("version", "")) for each in data.get("packages", [])}
    wheels = {
        str(canonicalize_name(each["name"])): wheel_names(each.get("wheels", [])) for each in data.get("packages", [])
    }
    python = str(data.get("requires-python", ""))
    return Requirements(
        PYLOCK,
        directory,
        ("pylock.toml",),
        (),
        frozenset(packages),
        packages,
        wheels,
        from_git=tuple(each["name"] for each in data.get("packages", []) if each.get("vcs", {}).get("type") == "git"),
        is_locked=True,
        has_hashes=True,
        python=python,
    )


def _requirements(sources: Sources, directory: str, file: str = "") -> Requirements | None:
    name = str(PurePosixPath(file).relative_to(directory)) if file else _requirements_file(sources, directory)
    if not name:
        return None
    files: list[str] = []
    lines = list(_lines(sources, directory, name, files))
    texts = [line for line in lines if not line.startswith(("-", ".", "/", "file:"))]
    paths = [line for line in lines if re.match(r"(-e|--editable)[ =]|[./]|file:", line)]
    declared = _parse(line.partition(" --hash")[0] for line in texts)
    hashed = bool(texts) and all("--hash=" in line for line in texts)
    pinned = bool(declared) and all(
        any(specifier.operator == "==" for specifier in each.specifier) for each in declared
    )
    if editable := next((line for line in paths if re.match(r"(-e|--editable)[ =]+git\+", line)), ""):
        message = (
            f"{join(directory, name)} has {editable}: uv, which installs in the image, takes that only without the "
            "option: NAME @ git+…"
        )
        raise GeneratorError(message)
    beside = {match[1]: line for line in paths if (match := BESIDE.fullmatch(line))}
    unnamed = tuple(match[1] for line in texts if (match := UNNAMED.match(line)))
    foreign = [each.name for each in declared if each.url and each.url.startswith("file:")]
    if foreign:
        message = (
            f"{join(directory, name)} installs {foreign[0]} from a file of another machine, as conda writes it: "
            "replace such lines by name==version"
        )
        raise GeneratorError(message)
    return Requirements(
        PIP,
        directory,
        tuple(files),
        declared,
        # Compiled files say so, or have a hash of everything.
        is_locked=hashed or (pinned and "autogenerated by" in sources.read(join(directory, name))),
        has_hashes=hashed,
        needs_source=bool(paths) and len(paths) > len(beside),
        from_git=unnamed,
        beside={path: path for path in beside},
        linked=tuple(path for path, line in beside.items() if line.startswith("-")),
        python=_compiled_with(sources.read(join(directory, name))),
    )


def _compiled_with(content: str) -> str:
    """Return the version of Python that pip-compile names in the file's header."""
    match = re.search(r"(?m)^# This file is autogenerated by pip-compile with Python (\d+\.\d+)", content)
    return f"=={match[1]}.*" if match else ""


def _lines(sources: Sources, directory: str, name: str, files: list[str]) -> Iterator[str]:
    """Yield the lines of a requirements file and of those that it includes."""
    if name in files or ".." in PurePosixPath(name).parts:
        return
    files.append(name)
    content = sources.read(join(directory, name))
    if not content and (sources.root / directory / name).stat().st_size:
        is_wide = (sources.root / directory / name).read_bytes()[:2] in {b"\xff\xfe", b"\xfe\xff"}
        kind = "UTF-16, as PowerShell's `>` writes it" if is_wide else "not UTF-8"
        message = f"{join(directory, name)} is {kind}, and uv reads UTF-8: save it as UTF-8"
        raise GeneratorError(message)
    for line in re.sub(r"\\\r?\n", " ", content).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()  # noqa: PLW2901
        if match := re.match(r"(?:-r|--requirement|-c|--constraint)[ =]?\s*(\S+)", line):
            below = str(PurePosixPath(name).parent / match[1])
            if line.startswith(("-c", "--constraint")):
                if below not in files and join(directory, below) in sources:
                    files.append(below)
            else:
                yield from _lines(sources, directory, below, files)
        elif line:
            yield line


def _project(sources: Sources, directory: str) -> Requirements | None:
    manifest = join(directory, "pyproject.toml")
    data = read_toml(sources, manifest)
    project = data.get("project", {})
    if "dependencies" not in project:
        return None
    # uv reads its own table of sources, also without a lock.
    places = data.get("tool", {}).get("uv", {}).get("sources", {})
    paths = {
        name: place
        for name, place in places.items()
        if isinstance(place, dict) and str(place.get("path", "")).startswith("..")
    }
    return Requirements(
        PROJECT,
        directory,
        ("pyproject.toml",),
        _parse(project["dependencies"]),
        from_git=tuple(name for name, place in places.items() if isinstance(place, dict) and "git" in place),
        beside={name: place["path"] for name, place in paths.items()},
        linked=tuple(place["path"] for place in paths.values() if place.get("editable")),
        python=str(project.get("requires-python", "")),
    )


def _setup(sources: Sources, directory: str) -> Requirements | None:
    config, script = join(directory, "setup.cfg"), join(directory, "setup.py")
    parser = configparser.ConfigParser(interpolation=None)
    with suppress(configparser.Error):
        parser.read_string(sources.read(config))
    lines = parser.get("options", "install_requires", fallback="").splitlines()
    python = parser.get("options", "python_requires", fallback="")
    if script in sources:
        with suppress(SyntaxError, ValueError):
            for call in ast.walk(ast.parse(sources.read(script))):
                if isinstance(call, ast.Call) and dotted(call.func).endswith("setup"):
                    if (value := keyword(call, "install_requires")) is not None:
                        lines += ast.literal_eval(value)
                    if (value := keyword(call, "python_requires")) is not None:
                        python = str(ast.literal_eval(value))
    declared = _parse(lines)
    if not declared:
        return None
    file = "setup.py" if script in sources else "setup.cfg"
    return Requirements(SETUP, directory, (file,), declared, needs_source=True, python=python)


def _imports(sources: Sources, modules: Modules, home: str) -> Requirements:
    """Conclude from what is imported, where nothing is declared."""
    names = set()
    for name in sources.below(home):
        if name.endswith(".py") and not is_beside(name) and (module := modules.get(name)):
            for imported in module.imported_modules:
                top = imported.partition(".")[0]
                if top not in sys.stdlib_module_names and not modules.find(top, name):
                    names.add(DISTRIBUTIONS.get(top, top.replace("_", "-")))
    declared = _parse(sorted(names, key=str.casefold))
    note = "nothing declares what to install: requirements.txt is written from what is imported, without versions"
    return Requirements(IMPORTS, home, ("requirements.txt",), declared, notes=(note,))


def _script(sources: Sources, home: str) -> Requirements | None:
    """Return what a program declares in comments of its own, as `uv run` and others read them."""
    for name in sources.below(home):
        match = INLINE.search(sources.read(name)) if name.endswith(".py") and not is_beside(name) else None
        if not match:
            continue
        try:
            data = tomllib.loads("".join(line[1:].removeprefix(" ") for line in match[1].splitlines(keepends=True)))
        except tomllib.TOMLDecodeError as error:
            message = f"{name} declares its dependencies in comments that are not valid TOML ({error}): correct them"
            raise GeneratorError(message) from error
        note = f"{name} declares what to install in comments: requirements.txt is written from them"
        declared = _parse(data.get("dependencies", []))
        python = str(data.get("requires-python", ""))
        return Requirements(IMPORTS, home, ("requirements.txt",), declared, python=python, notes=(note,), script=name)
    return None


# Parts


def read_toml(sources: Sources, name: str) -> dict[str, Any]:
    """Return a TOML file, empty if it is missing; raise GeneratorError if it is malformed."""
    try:
        return tomllib.loads(sources.read(name)) if name in sources else {}
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is not valid TOML ({error}): correct it"
        raise GeneratorError(message) from None


def wheel_names(files: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of the wheels among a lock's files."""
    names = (str(each.get("file") or each.get("name") or each.get("url", "")).rpartition("/")[2] for each in files)
    return tuple(name for name in names if name.endswith(".whl"))


def _parse(texts: Iterable[str]) -> tuple[Requirement, ...]:
    found = []
    for text in texts:
        with suppress(InvalidRequirement):
            found.append(Requirement(text))
    return tuple(found)


def _poetry_text(name: str, value: object) -> str:
    """Return a line of a Poetry or Pipenv table as a requirement; nothing for a path or a file."""
    table: Mapping[str, Any] = (
        value if isinstance(value, dict) else {"version": value if isinstance(value, str) else ""}
    )
    if isinstance(repository := table.get("git"), str):
        revision = next((f"@{table[key]}" for key in ("rev", "ref", "tag", "branch") if key in table), "")
        return f"{name} @ git+{repository}{revision}"
    if table.keys() & {"path", "url", "file"}:
        return ""
    extras, markers = ",".join(table.get("extras", [])), str(table.get("markers", ""))
    if not markers and "sys_platform" in table:
        markers = f"sys_platform {table['sys_platform']}"
    version = _caret(str(table.get("version", "")))
    return f"{name}{f'[{extras}]' if extras else ''}{version}{f' ; {markers}' if markers else ''}"


def _is_optional(value: object) -> bool:
    return isinstance(value, dict) and bool(value.get("optional"))


def _caret(specifier: str) -> str:
    """Return Poetry's ^, ~ and bare versions as a specifier; nothing where there are alternatives."""
    parts = []
    for part in filter(None, (part.strip() for part in specifier.split(",") if "|" not in specifier)):
        number = part.lstrip("^~=<>! ")
        digits = [int(digit) for digit in re.findall(r"\d+", number)]
        if part.startswith("^") and digits:
            # Up to the first part that is not zero
            last = next((position for position, digit in enumerate(digits) if digit), len(digits) - 1)
            parts.append(f">={number},<{_next(digits[: last + 1])}")
        elif part.startswith("~") and not part.startswith("~=") and digits:
            parts.append(f">={number},<{_next(digits[:2])}")
        elif part[0].isdigit():
            parts.append(f"=={number}")
        elif part != "*":
            parts.append(part)
    return ",".join(parts)


def _next(digits: list[int]) -> str:
    """Return the version after all of this series."""
    return ".".join(map(str, [*digits[:-1], digits[-1] + 1]))
