"""The hooks: a table without a dead row, rules that are kept, and the same result however often they run."""

import ast
import json
from itertools import chain
from pathlib import Path

import pytest

from dockwright.matrix import combinations
from dockwright.template import SOURCE, Template, render
from hooks import post_gen_project, pre_gen_project
from tests.unit.checkout import CONFLICT, REFUSAL, ROOT, read_tree

HOOKS = sorted((ROOT / "hooks").glob("*.py"))


@pytest.mark.parametrize("row", post_gen_project.ONLY_FOR.items(), ids=str)
def test_row_is_alive(template: Template, row: tuple[tuple[str, tuple[str, ...]], tuple[str, ...]]) -> None:
    """A row names some of an option's choices but not all, and every path of it is in some project."""
    (option, choices), paths = row
    assert set(choices) < set(template.options[option].values)
    lifted = [""]
    for name in post_gen_project.LIFTED:
        lifted += [f"_{name}/{choice}/{below}" for choice in template.options[name].values for below in lifted]
    for path in paths:
        assert any((template.root / SOURCE / below / path).exists() for below in lifted), path


@pytest.mark.parametrize("option", post_gen_project.LIFTED)
def test_lifted_directories_are_choices(template: Template, option: str) -> None:
    """Each directory to be lifted bears the name of a choice."""
    found = [path for path in (template.root / SOURCE).rglob(f"_{option}/*") if "__pycache__" not in path.parts]
    assert found
    assert {path.name for path in found} <= set(template.options[option].values)


def test_files_are_there_exactly_when_called_for(tmp_path: Path) -> None:
    """Every combination has the files of the rows that hold for it, none of the others', and nothing left to lift."""
    for number, answers in enumerate(combinations(base_image="slim")):
        project = render(answers, tmp_path / str(number))
        assert not list(project.rglob("_framework")) + list(project.rglob("_database"))
        for (option, choices), paths in post_gen_project.ONLY_FOR.items():
            assert {(project / path).exists() for path in paths} == {answers[option] in choices}, (answers, paths)


def test_running_twice_changes_nothing(tmp_path: Path, template: Template) -> None:
    """The post-generation hook can run again over its own result, as an update does."""
    answers = template.complete({"database": "none"})
    project = render(answers, tmp_path)
    before = read_tree(project)
    post_gen_project.main(answers, project)
    assert read_tree(project) == before


def test_emptied_directories_go(tmp_path: Path) -> None:
    """Pruning the last file of a directory takes the directory along, a neighbour's not."""
    for name in ("a/b/only.txt", "a/c/kept.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    post_gen_project.prune(tmp_path, iter(["a/b/only.txt", "never/there.txt"]))
    assert set(read_tree(tmp_path)) == {"a", "a/c", "a/c/kept.txt"}


def test_conflict_needs_all_of_its_answers() -> None:
    """A conflict is raised by its own combination only."""
    context = {"_rules": {}, "_conflicts": [CONFLICT]}
    assert list(pre_gen_project.objections({**context, "database": "none", "redis": "queue"})) == [REFUSAL]
    assert not list(pre_gen_project.objections({**context, "database": "none", "redis": "cache"}))


def test_shipped_conflicts_and_rules_name_real_answers(template: Template) -> None:
    """Every rule, conflict and sampled option of `cookiecutter.json` is about an option, and a choice, that exist."""
    definition = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    assert set(definition["_rules"]) <= set(template.options)
    assert set(definition["_sampled"]) <= set(template.options)
    for name, choice in chain.from_iterable(conflict["when"].items() for conflict in definition["_conflicts"]):
        assert choice in template.options[name].values


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.stem)
def test_hook_needs_nothing_but_python(hook: Path) -> None:
    """A hook imports the standard library only, and none of it that reaches a network or draws a random number."""
    imported = set()
    for node in ast.walk(ast.parse(hook.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                imported |= {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(module=str(module)):
                imported.add(module.partition(".")[0])
    assert imported <= {"collections", "json", "pathlib", "re", "shutil", "sys", "typing"}
