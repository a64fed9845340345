"""What happens only when a file is run as a program, or when a script runs another: a server does neither."""

import ast
import re
import shlex
from collections.abc import Iterator

from dockwright.dockerize.applications import SERVES, main_call
from dockwright.dockerize.modules import Module
from dockwright.dockerize.project import Project
from dockwright.dockerize.sources import join

# Calls that only serve, prepare for it, or print to the terminal
PASSED_OVER = re.compile(
    r"(print|main|serve|exit|load_dotenv|freeze_support|basicConfig|info|debug|warning|parse_args|run)"
)


def find_programs(project: Project) -> Iterator[str]:
    """Say what a server in the image leaves out."""
    own = project.application.entry.file
    names = dict.fromkeys((own, *project.files(*SERVES)))
    programs = (project.modules.get(name) for name in names if name == own or main_call(project.modules, name))
    calls = ((module.name, call) for module in programs if module for call in _guarded(module))
    if found := next(calls, None):
        name, call = found
        yield (
            f"{name} line {call.lineno}: {ast.unparse(call)} runs only when the file is run as a program, and a server "
            'imports it: move it out of if __name__ == "__main__"'
        )
    yield from _others(project)


def _guarded(module: Module) -> Iterator[ast.Call]:
    for statement in module.guarded:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if not PASSED_OVER.fullmatch(name) and not name.startswith("add_"):
                yield call


def _others(project: Project) -> Iterator[str]:
    """Say which other programs the script runs that starts the application."""
    own = project.application.launch
    for launch in project.launches if own else ():
        file = join(launch.directory, launch.words[0]) if launch.program == "python" and launch.words else ""
        is_other = file in project.modules.names and file != project.application.entry.file
        if own and is_other and launch.origin == own.origin and launch != own:
            words = shlex.join(word for word in launch.words if word != "&")
            yield (
                f"{launch.origin} also runs python {words}, and nothing does that here: "
                "add a service with this command to the compose files, if it is needed"
            )
