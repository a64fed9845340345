"""The hooks: a table without dead rows, rules that are enforced, and idempotence."""

import ast
from collections.abc import Mapping
from itertools import chain
from pathlib import Path, PurePosixPath

import pytest

from dockwright.matrix import combinations, sample
from dockwright.template import SOURCE, Template, render
from hooks import post_gen_project, pre_gen_project
from tests.unit.checkout import CONFLICT, CONFLICTING, REFUSAL, ROOT, read_definition, read_tree

HOOKS = sorted((ROOT / "hooks").glob("*.py"))


def exists(template: Template, path: str, choices: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether the template has a file or directory that is, or is lifted to, this path for these choices."""
    directories = [""]
    for name in post_gen_project.LIFTED:
        directories += [f"{below}_{name}/{choice}/" for choice in choices[name] for below in directories]
    return any((template.root / SOURCE / directory / path).exists() for directory in directories)


@pytest.mark.parametrize("row", post_gen_project.ONLY_FOR.items(), ids=str)
def test_row_is_needed(template: Template, row: tuple[tuple[str, tuple[str, ...]], tuple[str, ...]]) -> None:
    """A row has some of an option's choices but not all, and each of its paths exists in some project."""
    (option, choices), paths = row
    assert set(choices) < set(template.options[option].values)
    every = {name: template.options[name].values for name in post_gen_project.LIFTED}
    for path in paths:
        assert exists(template, path, every), path


@pytest.mark.parametrize("option", post_gen_project.LIFTED)
def test_lifted_directories_are_choices(template: Template, option: str) -> None:
    """Each directory to lift has the name of a choice."""
    found = [path for path in (template.root / SOURCE).rglob(f"_{option}/*") if "__pycache__" not in path.parts]
    assert found
    assert {path.name for path in found} <= set(template.options[option].values)


def test_files_exist_exactly_where_needed(tmp_path: Path, template: Template) -> None:
    """A path exists if the template has it for these answers and all rows that name it, or a parent, allow it."""
    rows = post_gen_project.ONLY_FOR.items()
    paths = set(chain.from_iterable(post_gen_project.ONLY_FOR.values()))
    for number, answers in enumerate([*combinations(base_image="slim"), *sample()]):
        project = render(answers, tmp_path / str(number))
        assert not [path for option in post_gen_project.LIFTED for path in project.rglob(f"_{option}")]
        for path in paths:
            needed = exists(template, path, {name: (answers[name],) for name in post_gen_project.LIFTED}) and all(
                answers[option] in choices
                for (option, choices), named in rows
                if any(PurePosixPath(path).is_relative_to(name) for name in named)
            )
            assert (project / path).exists() == needed, (answers, path)


def test_running_twice_changes_nothing(tmp_path: Path, template: Template) -> None:
    """The post-generation hook can run on its own result, as in an update."""
    answers = template.complete({"database": "none"})
    project = render(answers, tmp_path)
    before = read_tree(project)
    post_gen_project.main(answers, project)
    assert read_tree(project) == before


def test_empty_directories_are_removed(tmp_path: Path) -> None:
    """Deleting the last file of a directory deletes the directory, but not its sibling."""
    for name in ("a/b/only.txt", "a/c/kept.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    post_gen_project.prune(tmp_path, iter(["a/b/only.txt", "never/there.txt"]))
    assert set(read_tree(tmp_path)) == {"a", "a/c", "a/c/kept.txt"}


def test_conflict_needs_all_of_its_answers() -> None:
    """Only the complete combination of a conflict is refused."""
    context = {"_rules": {}, "_conflicts": [CONFLICT]}
    assert list(pre_gen_project.objections({**context, **CONFLICTING}, {})) == [REFUSAL]
    assert not list(pre_gen_project.objections({**context, **CONFLICTING, "redis": "cache"}, {}))


def test_conflicts_and_rules_name_existing_options(template: Template) -> None:
    """Rules, conflicts and sampled options of `cookiecutter.json` name existing options and choices."""
    definition = read_definition()
    assert set(definition["_rules"]) <= set(template.options)
    assert set(definition["_sampled"]) <= set(template.options)
    for name, choice in chain.from_iterable(conflict["when"].items() for conflict in definition["_conflicts"]):
        assert choice in template.options[name].values


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.stem)
def test_hook_needs_only_the_standard_library(hook: Path) -> None:
    """A hook imports only these modules: none can reach the network or return random numbers."""
    imported = set()
    for node in ast.walk(ast.parse(hook.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                imported |= {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(module=str(module)):
                imported.add(module.partition(".")[0])
    assert imported <= {"collections", "json", "pathlib", "re", "shutil", "sys", "typing"}
