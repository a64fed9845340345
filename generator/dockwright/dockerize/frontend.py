"""A front end that Node builds: where it is, what its build makes, and whether the application serves that."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import commonpath, normpath, relpath
from typing import Any

from dockwright.dockerize.modules import Module, dotted, text
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import common, directory_of, is_beside, join
from dockwright.report import quote

MANIFEST = "package.json"
NODE = "24"
# Locks, how each is installed, and where its tool keeps downloads
INSTALLERS = {
    "package-lock.json": ("npm ci", "/root/.npm"),
    "yarn.lock": ("yarn install --frozen-lockfile", "/usr/local/share/.cache/yarn"),
    "pnpm-lock.yaml": ("npx --yes pnpm@10 install --frozen-lockfile", "/root/.local/share/pnpm/store"),
}
UNLOCKED = ("npm install", "/root/.npm")
# What the build tools make, unless they are told otherwise
OUTPUTS = {"react-scripts": "build", "vite": "dist", "@vue/cli-service": "dist", "parcel": "dist", "webpack": "dist"}
TOLD = re.compile(r"(?:--(?:outDir|out-dir|outdir|outfile|dist-dir|output-path|output)|\s-[od])[ =]([\w./-]+)")
CONFIGURED = re.compile(
    r"\boutDir:\s*(?:[\w.]*(?:resolve|join)\(\s*(?:__dirname|import\.meta\.dirname)\s*,\s*)?[\"']([\w./-]+)"
    r"|\bpath:\s*[\w.]*(?:resolve|join)\(\s*__dirname\s*,\s*[\"']([\w./-]+)"
)
CONFIGS = re.compile(r"(vite|webpack)\.config\.[cm]?[jt]s")
# What code has that serves files
SERVES = ("Static", "static", "send_", "FileResponse")
# What a front end beside the code needs of the top directory
BESIDE_CODE = re.compile(r"index\.html|(package|tsconfig[\w.-]*)\.json|[\w-]+\.config\.[cm]?[jt]s")


@dataclass(frozen=True)
class FrontEnd:
    """A front end that is built into the image; names are from where the Dockerfile is."""

    # Where the Dockerfile is: the directory that has both the application and the front end
    place: str
    directory: str
    output: str
    # The files that say what it depends on, and all that the image's build has to see of it
    manifests: tuple[str, ...]
    files: tuple[str, ...]
    install: str
    cache: str
    reason: str
    node: str = NODE

    @property
    def is_directory(self) -> bool:
        """Whether the build makes a directory, not a single file."""
        return not PurePosixPath(self.output).suffix

    @property
    def is_apart(self) -> bool:
        """Whether its directory has all that its build reads and writes."""
        return self.directory != "." and PurePosixPath(self.output).is_relative_to(self.directory)


def find_front_end(project: Project, base: str) -> tuple[FrontEnd | None, list[str]]:
    """Return the front end whose output the application serves, and what to say of the others.

    `base` is where the Dockerfile is without one.
    """
    found: FrontEnd | None = None
    notes, unclear = [], []
    for name in project.sources.names:
        if PurePosixPath(name).name != MANIFEST or is_beside(name):
            continue
        package = _package(project, name)
        script = _script(package)
        if not script:
            continue
        place = common((base, directory_of(name)))
        output = _output(project, place, directory_of(name), package, script)
        reason = _served(project, place, output, directory_of(name)) if output else ""
        if place != base and (why := _apart(project, place, directory_of(name), reason)):
            notes.append(f"{name} builds a front end outside of {project.home}, {why}")
            continue
        made = join(place, output)
        if output and (made in project.sources or project.sources.has_directory(made)):
            # Built before it is committed
            continue
        if reason and not found:
            found = _front_end(project, place, name, output, package, reason)
            if not found.is_directory:
                notes.append(f"{output} is built into the image: in development, run npm run build after an edit of it")
        elif output:
            notes.append(f"{name} builds a front end, and nothing was seen here that serves {output}: it isn't built")
        else:
            unclear.append(f"{name} builds a front end, and what it makes is not clear: it isn't built")
    # One that is not clear may only run the build of the other.
    return found, [*notes, *([] if found else unclear), *_outside(project)]


def _apart(project: Project, place: str, directory: str, reason: str) -> str:
    """Say why a front end that is not below the application isn't built; nothing if it can be."""
    if not reason:
        return "and nothing was seen that serves it: it needs an image of its own"
    if place == directory:
        return "and around it: move it to a directory of its own, beside the application's"
    if join(project.home, "Dockerfile") in project.sources:
        return f"out of reach of {project.home}/Dockerfile: without that file, ours is written above both"
    return ""


def _outside(project: Project) -> Iterator[str]:
    """Say what the code serves that a front end makes above the directory that was looked at."""
    root = project.sources.root.resolve()
    for module in project.code(*SERVES):
        for named, line in _paths(module):
            made = Path(normpath(root / directory_of(module.name) / named))
            made = root.parent / named if made.is_relative_to(root) else made
            directory = next((each for each in (made, made.parent) if (each / MANIFEST).is_file()), None)
            if directory and not directory.is_relative_to(root) and directory != root.parent:
                above = commonpath((root, directory))
                command = quote(["dockwright", "dockerize", relpath(above, Path.cwd())])
                yield (
                    f"{module.name} line {line} serves {named}, which a front end outside of this directory makes: "
                    f"to build it, too, run `{command}`"
                )
                return


def _front_end(  # noqa: PLR0913, PLR0917 # what it is made of
    project: Project, place: str, name: str, output: str, package: Mapping[str, Any], reason: str
) -> FrontEnd:
    directory = str(PurePosixPath(directory_of(name)).relative_to(place))
    lock = next((each for each in INSTALLERS if join(directory_of(name), each) in project.sources), "")
    install, cache = INSTALLERS.get(lock, UNLOCKED)
    manifests = tuple(join(directory, each) for each in (MANIFEST, lock) if each)
    files: tuple[str, ...] = (directory,)
    if directory == ".":
        top = (PurePosixPath(each).relative_to(place) for each in project.sources.below(place))
        files = (*manifests, *(str(each) for each in top if len(each.parts) == 1 and BESIDE_CODE.fullmatch(each.name)))
    return FrontEnd(
        place,
        directory,
        output,
        manifests,
        tuple(dict.fromkeys(files)),
        install,
        cache,
        reason,
        _node(project, directory_of(name), package),
    )


def _node(project: Project, directory: str, package: Mapping[str, Any]) -> str:
    """Return the version of Node that the front end asks for, or the current one where that will do."""
    file = join(directory, ".nvmrc")
    wanted = project.sources.read(file) if file in project.sources else ""
    wanted = wanted or str((package.get("engines") or {}).get("node", ""))
    version = re.search(r"\d+", wanted)
    if not version or (">" in wanted and int(version[0]) <= int(NODE)):
        return NODE
    return version[0]


def _package(project: Project, name: str) -> Mapping[str, Any]:
    try:
        package = json.loads(project.sources.read(name))
    except ValueError:
        return {}
    return package if isinstance(package, dict) else {}


def _script(package: Mapping[str, Any]) -> str:
    """Return what `npm run build` runs, with the scripts that it calls."""
    scripts = package.get("scripts")
    if not isinstance(scripts, dict) or not isinstance(scripts.get("build"), str):
        return ""
    called = re.findall(r"\b(?:npm run|yarn|pnpm(?: run)?) ([\w:-]+)", scripts["build"])
    return " && ".join([scripts["build"], *(str(scripts[name]) for name in called if name in scripts)])


def _output(project: Project, place: str, directory: str, package: Mapping[str, Any], script: str) -> str:
    """Return what the build makes, from where the Dockerfile is, or nothing if that is not clear or outside."""
    below = PurePosixPath(directory).relative_to(place)
    configs = [
        project.sources.read(name)
        for name in project.sources.below(directory)
        if directory_of(name) == directory and CONFIGS.fullmatch(PurePosixPath(name).name)
    ]
    known = {**(package.get("devDependencies") or {}), **(package.get("dependencies") or {})}
    told = TOLD.search(f" {script}")
    configured = next(filter(None, map(CONFIGURED.search, configs)), None)
    default = next((made for tool, made in OUTPUTS.items() if tool in known), "")
    output = told[1] if told else (configured[1] or configured[2]) if configured else default
    path = normpath(below / output) if output else ""
    return "" if path.startswith(("..", "/")) or path == "." else path


def _served(project: Project, place: str, output: str, directory: str) -> str:
    """Return where the code names what the build makes, or a directory that has it; nothing if it doesn't."""
    made, front = PurePosixPath(output), PurePosixPath(directory).relative_to(place)
    application = project.application
    code = PurePosixPath(directory_of(application.entry.file)).relative_to(place)
    workdir = PurePosixPath(project.home, project.workdir).relative_to(place)
    if application.entry.framework == "flask" and made.is_relative_to(code / "static"):
        return f"Flask serves {code / 'static'}"
    for module in project.code(*SERVES):
        for named, line in _paths(module):
            own = PurePosixPath(directory_of(module.name)).relative_to(place)
            bases = (".", own, code, workdir)
            for path in {PurePosixPath(normpath(PurePosixPath(base) / named)) for base in bases}:
                # The name of the front end's own directory may be that of something else.
                has_it = made.is_relative_to(path) and not front.is_relative_to(path)
                if has_it or path.is_relative_to(made):
                    return f"{module.name} line {line} names {named}"
    return ""


def _paths(module: Module) -> Iterator[tuple[str, int]]:
    """Yield the paths that are written in a module, also in parts, and their lines."""
    for node in module.nodes:
        if isinstance(node, ast.Constant) and (value := text(node)) and re.fullmatch(r"[\w./-]+", value):
            yield value, node.lineno
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("join"):
            parts = [part for each in node.args if (part := text(each))]
            if parts:
                yield "/".join(parts), node.lineno
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = []
            left: ast.expr = node
            while isinstance(left, ast.BinOp) and (part := text(left.right)):
                parts.insert(0, part)
                left = left.left
            if parts:
                yield "/".join(parts), node.lineno
