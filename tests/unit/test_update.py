"""A project records its answers, and can be updated to a newer template with cruft."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from dockwright.template import RECORD, SOURCE, Template, render
from tests.unit.checkout import copy_template, read_tree, unusual_answers
from tests.unit.conftest import Run
from tests.unit.test_names import ACCEPTED

Git = Callable[..., str]

CRUFT = str(Path(sys.executable).with_name("cruft"))


def git(run: Run, directory: Path, *arguments: str) -> str:
    """Run git in a directory, and return its output."""
    done = run("git", *arguments, cwd=directory)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(run: Run, directory: Path) -> None:
    """Commit everything in a directory, which becomes a repository if it is none."""
    git(run, directory, "init", "--quiet")
    git(run, directory, "add", "--all", "--force")
    git(run, directory, "commit", "--quiet", "--message", "A change")


def change(template: Template) -> None:
    """Add a section to a file of the template."""
    editorconfig = template.root / SOURCE / ".editorconfig"
    editorconfig.write_text(editorconfig.read_text(encoding="utf-8") + "\n[*.new]\nindent_size = 8\n", encoding="utf-8")


@pytest.mark.parametrize("name", [*ACCEPTED.values(), "a\ufffdb"], ids=[*ACCEPTED, "replacement"])
def test_record_has_every_answer(template: Template, tmp_path: Path, name: str) -> None:
    """The record is a user configuration of cookiecutter, and its texts are those that were given."""
    answers = template.complete({"project_name": name, "project_slug": "2048", "description": name})
    record = yaml.safe_load((render(answers, tmp_path) / RECORD).read_text(encoding="utf-8"))
    assert record == {"version": template.version, "default_context": answers}


def test_cruft_takes_the_record(run: Run, dockwright: Run, template: Template, tmp_path: Path) -> None:
    """`cruft link` with a project's record takes its answers, so that a later update applies a change and no more."""
    source = copy_template(tmp_path / "template")
    commit(run, source.root)
    # As far as no conflict is in the way, no answer is its option's default.
    answers = unusual_answers(template)
    answers |= {"project_name": "Bob's: shop # 1", "project_slug": "own", "description": "'Yes'", "port": "8000"}
    flags = [f"{template.options[name].flag}={answer}" for name, answer in answers.items()]
    assert dockwright("new", "--no-input", "--output-dir", str(tmp_path), *flags).returncode == 0
    project = tmp_path / "own"
    commit(run, project)

    linked = run(CRUFT, "link", source.root.as_uri(), "--no-input", "--config-file", RECORD, cwd=project)
    assert linked.returncode == 0, linked.stderr
    context = json.loads((project / ".cruft.json").read_text(encoding="utf-8"))["context"]["cookiecutter"]
    assert {name: context[name] for name in template.options} == answers
    assert run(CRUFT, "diff", "--exit-code", cwd=project).returncode == 0
    commit(run, project)

    change(source)
    commit(run, source.root)
    assert run(CRUFT, "update", "--skip-apply-ask", cwd=project).returncode == 0
    assert git(run, project, "status", "--porcelain").split() == ["M", ".cruft.json", "M", ".editorconfig"]


def test_cruft_creates_checks_and_updates(run: Run, dockwright: Run, tmp_path: Path, output_dir: Path) -> None:
    """Cruft generates the same project from a repository, finds it current, and applies exactly a later change."""
    template = copy_template(tmp_path / "template")

    def cruft(*arguments: str) -> int:
        return run(CRUFT, *arguments, cwd=project).returncode

    commit(run, template.root)
    answers = {"framework": "fastapi", "redis": "queue"}
    created = run(CRUFT, "create", template.root.as_uri(), "--no-input", "--extra-context", json.dumps(answers))
    assert created.returncode == 0, created.stderr
    assert dockwright("--no-input", "--output-dir", "ours", "--framework=fastapi", "--redis=queue").returncode == 0
    project = output_dir / "product-api"
    tree = read_tree(project)
    del tree[".cruft.json"]
    assert tree == read_tree(output_dir / "ours" / "product-api")

    commit(run, project)
    assert cruft("check") == 0

    change(template)
    commit(run, template.root)
    assert cruft("check") == 1
    assert cruft("update", "--skip-apply-ask") == 0
    assert git(run, project, "status", "--porcelain").split() == ["M", ".cruft.json", "M", ".editorconfig"]
    assert cruft("check") == 0
    commit(run, project)
    assert cruft("update", "--skip-apply-ask") == 0
    assert not git(run, project, "status", "--porcelain")
