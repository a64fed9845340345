"""The template: find it, check answers against its rules, and render projects from it."""

import json
import runpy
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockwright.directory import check_contents, check_target, move_into, workspace
from dockwright.errors import (
    MissingTemplateError,
    OutputDirectoryError,
    RefusedAnswersError,
    RenderingError,
    UnknownOptionError,
)
from dockwright.options import Option, Preset, read_options, read_presets

if TYPE_CHECKING:
    from dockwright.bytecode import MemoryCache

Answers = Mapping[str, str]

# The directory of the template that cookiecutter renders
SOURCE = "{{cookiecutter.project_slug}}"
# The file of each project with its answers and the version of the template
RECORD = ".dockwright.yaml"


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
        """The names of the options that are asked only of who wants to choose everything."""
        return tuple(self.definition["_extra"])

    @cached_property
    def presets(self) -> dict[str, Preset]:
        """The named sets of answers, in order."""
        return {preset.name: preset for preset in read_presets(self.definition)}

    @property
    def version(self) -> str:
        """The version of the template, which is the package's too."""
        return str(self.definition["_version"])

    def objections(self, answers: Answers, names: Mapping[str, str] | None = None) -> list[str]:
        """Return a sentence for each rule or conflict that these answers violate; they need not be complete.

        `names` has what the sentences call an option, where that is not its name: a flag, or a question.
        """
        rules = {name: rule for name, rule in self.definition["_rules"].items() if name in answers}
        conflicts = [
            conflict for conflict in self.definition["_conflicts"] if conflict["when"].keys() <= answers.keys()
        ]
        return list(
            self._pre_generation["objections"]({**answers, "_rules": rules, "_conflicts": conflicts}, names or {})
        )

    def check(self, answers: Answers, names: Mapping[str, str] | None = None) -> None:
        """Raise UnknownOptionError, InvalidChoiceError or RefusedAnswersError for answers that can't be used."""
        for name, answer in answers.items():
            if name not in self.options:
                raise UnknownOptionError(name, self.options)
            self.options[name].check(answer)
        if refused := self.objections(answers, names):
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

    def complete(self, answers: Answers, names: Mapping[str, str] | None = None) -> dict[str, str]:
        """Add the missing answers' defaults, as cookiecutter computes them; raise what `check` raises."""
        context = self._context(answers, names)
        return {name: context[name] for name in self.options}

    def fit(self, answers: Answers) -> dict[str, str]:
        """Add the first choice to each question that gets along with the other answers, as the wizard proposes it."""
        fitted = dict(answers)
        for name, option in self.options.items():
            candidates = ({**fitted, name: value} for value in option.values)
            if name not in fitted:
                fitted = next((answers for answers in candidates if not self.objections(answers)), fitted)
        return fitted

    def render(self, answers: Answers, output_dir: Path) -> Path:
        """Render a project into `output_dir`, completely or not at all, and return its directory.

        Raises what `check` raises, TargetExistsError, OutputDirectoryError and RenderingError.
        """
        context = self._context(answers)
        target = output_dir / str(context["project_slug"])
        check_target(target)
        with self._project(context, output_dir) as project:
            project.rename(target)
        return target

    def render_into(self, answers: Answers, target: Path) -> list[str]:
        """Render a project into a directory that exists, completely or not at all; return the names that it keeps.

        Raises what `check` raises, ForeignFilesError, OutputDirectoryError and RenderingError.
        """
        context = self._context(answers)
        check_contents(target)
        with self._project(context, target) as project:
            return move_into(project, target)

    def files(self, answers: Answers) -> dict[str, bytes]:
        """Return the content of each file of a project by its path; raise what `check` raises, and RenderingError."""
        context = self._context(answers)
        with tempfile.TemporaryDirectory() as directory, self._project(context, Path(directory)) as project:
            files = sorted(path for path in project.rglob("*") if path.is_file())
            return {path.relative_to(project).as_posix(): path.read_bytes() for path in files}

    def text(self, name: str, answers: Answers) -> str:
        """Return one file of the template, rendered alone."""
        from cookiecutter.utils import create_env_with_context

        source = (self.root / SOURCE / name).read_text(encoding="utf-8")
        environment = create_env_with_context({"cookiecutter": self.definition})
        return str(environment.from_string(source).render(cookiecutter={**self.definition, **answers}))

    def _context(self, answers: Answers, names: Mapping[str, str] | None = None) -> dict[str, Any]:
        # Check before rendering: an answer that breaks a rule could be template syntax.
        self.check(answers, names)

        from cookiecutter.generate import generate_context
        from cookiecutter.prompt import prompt_for_config

        raw = generate_context(str(self.root / "cookiecutter.json"), extra_context=dict(answers))
        context = dict(prompt_for_config(raw, no_input=True))
        self.check({name: context[name] for name in self.options}, names)
        return context

    @contextmanager
    def _project(self, context: dict[str, Any], output_dir: Path) -> Iterator[Path]:
        """Render a project in a temporary directory of `output_dir`; raise the errors of this and of the body."""
        with workspace(output_dir) as directory:
            try:
                yield self._generate(context, directory)
            except (Exception, SystemExit) as error:
                if isinstance(error, OSError) and error.strerror:
                    raise OutputDirectoryError(output_dir, error) from error
                raise RenderingError(error) from error

    def _generate(self, context: dict[str, Any], directory: Path) -> Path:
        from cookiecutter.generate import generate_files

        context |= {
            "_copy_without_render": self._removed(context),
            "_jinja2_env_vars": context["_jinja2_env_vars"] | {"bytecode_cache": self._bytecode},
        }
        project = Path(generate_files(self.root, {"cookiecutter": context}, directory, accept_hooks=False))
        # pip also compiles the Python files in the installed template.
        for compiled in list(project.rglob("__pycache__")):
            shutil.rmtree(compiled)
        # cookiecutter would run the hook in another process: calling its function is faster.
        self._post_generation["main"](context, project)
        return project

    def _removed(self, answers: Answers) -> list[str]:
        """Return patterns of what the hook will remove: to copy a file is faster than to render it.

        They match files, and no directory: an error while a directory is copied has no plain reason.
        """
        hook = self._post_generation
        choices = ((option, choice) for option in hook["LIFTED"] for choice in self.options[option].values)
        others = [f"_{option}/{choice}" for option, choice in choices if choice != answers[option]]
        unused = [path for each in hook["unused"](answers) for path in (each, f"_*/{each}")]
        return [path if "." in path else f"{path}/*.*" for path in (*others, *unused)]

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
