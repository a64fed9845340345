"""The template: find it, check answers against its rules, and render projects from it."""

import errno
import json
import os
import runpy
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockwright.errors import (
    MissingTemplateError,
    OutputDirectoryError,
    RefusedAnswersError,
    RenderingError,
    TargetExistsError,
    UnknownOptionError,
)
from dockwright.options import Option, Preset, read_options

if TYPE_CHECKING:
    from dockwright.bytecode import MemoryCache

Answers = Mapping[str, str]

# The directory of the template that cookiecutter renders
SOURCE = "{{cookiecutter.project_slug}}"


@dataclass(frozen=True)
class Template:
    """A directory with a `cookiecutter.json`, hooks, and the files to render."""

    root: Path

    @cached_property
    def definition(self) -> dict[str, Any]:
        """The content of `cookiecutter.json`."""
        try:
            text = (self.root / "cookiecutter.json").read_text(encoding="utf-8")
        except OSError as error:
            raise MissingTemplateError(self.root) from error
        definition: dict[str, Any] = json.loads(text)
        return definition

    @cached_property
    def options(self) -> dict[str, Option]:
        """The questions by name, in order."""
        return {option.name: option for option in read_options(self.definition)}

    @cached_property
    def sampled(self) -> tuple[str, ...]:
        """The names of the options that stay at their default in a matrix."""
        return tuple(self.definition["_sampled"])

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """The names of the options that are only asked by who wants to choose everything."""
        return tuple(self.definition["_extra"])

    @cached_property
    def presets(self) -> dict[str, Preset]:
        """The presets by name, in order."""
        presets = self.definition["_presets"].items()
        return {name: Preset(name, preset["why"], preset["answers"]) for name, preset in presets}

    def objections(self, answers: Answers) -> list[str]:
        """Return a sentence for each rule or conflict that these answers violate; they need not be complete."""
        rules = {name: rule for name, rule in self.definition["_rules"].items() if name in answers}
        conflicts = [
            conflict for conflict in self.definition["_conflicts"] if conflict["when"].keys() <= answers.keys()
        ]
        return list(self._pre_generation["objections"]({**answers, "_rules": rules, "_conflicts": conflicts}))

    def check(self, answers: Answers) -> None:
        """Raise UnknownOptionError, InvalidChoiceError or RefusedAnswersError for answers that can't be used."""
        for name, answer in answers.items():
            if name not in self.options:
                raise UnknownOptionError(name, self.options)
            self.options[name].check(answer)
        if refused := self.objections(answers):
            raise RefusedAnswersError(refused)

    def default(self, name: str, answers: Answers) -> str:
        """Return an option's default, which may depend on earlier answers."""
        option = self.options[name]
        if not option.derived:
            return option.default

        from cookiecutter.prompt import render_variable
        from cookiecutter.utils import create_env_with_context

        environment = create_env_with_context({"cookiecutter": self.definition})
        return str(render_variable(environment, option.default, dict(answers)))

    def complete(self, answers: Answers) -> dict[str, str]:
        """Add the missing answers' defaults, as cookiecutter computes them; raise what `check` raises."""
        context = self._context(answers)
        return {name: context[name] for name in self.options}

    def render(self, answers: Answers, output_dir: Path) -> Path:
        """Render a project into `output_dir`, completely or not at all, and return its directory.

        Raises what `check` raises, TargetExistsError, OutputDirectoryError and RenderingError.
        """
        context = self._context(answers)
        target = output_dir / str(context["project_slug"])
        check_target(target)
        with _workspace(output_dir) as workspace:
            try:
                self._generate(context, workspace).rename(target)
            except (Exception, SystemExit) as error:
                if isinstance(error, OSError) and error.strerror:
                    raise OutputDirectoryError(output_dir, error) from error
                raise RenderingError(error) from error
        return target

    def _context(self, answers: Answers) -> dict[str, Any]:
        # Check before rendering: an answer that breaks a rule could be template syntax.
        self.check(answers)

        from cookiecutter.generate import generate_context
        from cookiecutter.prompt import prompt_for_config

        raw = generate_context(str(self.root / "cookiecutter.json"), extra_context=dict(answers))
        context = dict(prompt_for_config(raw, no_input=True))
        self.check({name: context[name] for name in self.options})
        return context

    def _generate(self, context: dict[str, Any], workspace: Path) -> Path:
        from cookiecutter.generate import generate_files

        context |= {"_jinja2_env_vars": context["_jinja2_env_vars"] | {"bytecode_cache": self._bytecode}}
        project = Path(generate_files(self.root, {"cookiecutter": context}, workspace, accept_hooks=False))
        # pip also compiles the Python files in the installed template.
        for compiled in list(project.rglob("__pycache__")):
            shutil.rmtree(compiled)
        # cookiecutter would run the hook in another process: calling its function is faster.
        self._post_generation["main"](context, project)
        return project

    @cached_property
    def _bytecode(self) -> "MemoryCache":
        from dockwright.bytecode import MemoryCache

        return MemoryCache()

    @cached_property
    def _pre_generation(self) -> dict[str, Any]:
        return runpy.run_path(str(self.root / "hooks" / "pre_gen_project.py"))

    @cached_property
    def _post_generation(self) -> dict[str, Any]:
        return runpy.run_path(str(self.root / "hooks" / "post_gen_project.py"))


@cache
def load() -> Template:
    """Return this package's template: the packaged copy, or in a checkout the original."""
    package = Path(__file__).resolve().parent
    packaged = package / "_template"
    return Template(packaged if packaged.is_dir() else package.parents[1])


def render(answers: Answers, output_dir: Path) -> Path:
    """Render a project from this package's template; see `Template.render`."""
    return load().render(answers, output_dir)


def check_output_dir(directory: Path) -> None:
    """Raise OutputDirectoryError if the directory can't be created or written to; change nothing."""
    try:
        absolute = directory.absolute()
        existing = next(path for path in (absolute, *absolute.parents) if path.exists())
    except OSError as error:
        raise OutputDirectoryError(directory, error) from error
    # cookiecutter renders the whole path of each directory that it creates, including the output directory.
    if any(opening in str(absolute) for opening in ("{{", "{%", "{#")):
        raise OutputDirectoryError(directory, "its path contains template syntax")
    if not existing.is_dir():
        raise OutputDirectoryError(directory, os.strerror(errno.ENOTDIR))
    if not os.access(existing, os.W_OK):
        raise OutputDirectoryError(directory, os.strerror(errno.EACCES))


def check_target(target: Path) -> None:
    """Raise TargetExistsError if `target` exists, even as a dangling link."""
    if os.path.lexists(target):
        raise TargetExistsError(target)


@contextmanager
def _workspace(output_dir: Path) -> Iterator[Path]:
    """Create a temporary directory in `output_dir`; at the end remove it, and created directories that are empty."""
    check_output_dir(output_dir)
    output_dir = output_dir.absolute()
    with ExitStack() as undo:
        try:
            for missing in (path for path in (*reversed(output_dir.parents), output_dir) if not path.exists()):
                undo.callback(_remove_if_empty, missing)
                missing.mkdir()
            workspace = undo.enter_context(tempfile.TemporaryDirectory(prefix=".dockwright-", dir=output_dir))
        except OSError as error:
            raise OutputDirectoryError(output_dir, error) from error
        yield Path(workspace)


def _remove_if_empty(directory: Path) -> None:
    with suppress(OSError):
        directory.rmdir()
