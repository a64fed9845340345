"""A project is rendered completely and identically by every command, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

from dockwright.errors import (
    MissingTemplateError,
    OutputDirectoryError,
    RefusedAnswersError,
    RenderingError,
    TargetExistsError,
)
from dockwright.matrix import cells, combination_id
from dockwright.template import SOURCE, Template, render
from tests.unit.checkout import CONFLICTING, REFUSAL, ROOT, copy_template, read_tree
from tests.unit.conftest import Run


@pytest.mark.parametrize("combination", cells(), ids=combination_id)
def test_same_tree_as_cookiecutter(combination: dict[str, str], tmp_path: Path) -> None:
    """Cookiecutter and dockwright render byte-identical projects from the same answers."""
    configuration = {"replay_dir": str(tmp_path / "replay")}
    theirs = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context=combination,
        output_dir=str(tmp_path / "cookiecutter"),
        default_config=configuration,
    )
    ours = render(combination, tmp_path / "dockwright")
    assert read_tree(ours) == read_tree(Path(theirs))


@pytest.mark.parametrize("answers", [{}, {"framework": "fastapi", "redis": "queue", "project_name": "Shop"}], ids=str)
def test_same_tree_through_both_commands(dockwright: Run, run: Run, output_dir: Path, answers: dict[str, str]) -> None:
    """The commands, as users run them, generate byte-identical projects."""
    flags = [f"--{name.replace('_', '-')}={answer}" for name, answer in answers.items()]
    assert dockwright("--no-input", "--output-dir", "ours", *flags).returncode == 0
    context = [f"{name}={answer}" for name, answer in answers.items()]
    theirs = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input", "--output-dir", "theirs", *context]
    assert run(*theirs).returncode == 0
    assert read_tree(output_dir / "ours") == read_tree(output_dir / "theirs")


def test_bytecode_stays_out(tmp_path: Path, output_dir: Path) -> None:
    """Bytecode in an installed template is not copied to projects."""
    template = copy_template(tmp_path / "installed")
    compiled = [sys.executable, "-m", "compileall", "-q", str(template.root / SOURCE)]
    subprocess.run(compiled, check=False, capture_output=True)
    assert list(template.root.rglob("*.pyc"))
    assert not list(template.render({}, output_dir).rglob("*.pyc"))


def test_existing_target_is_kept(output_dir: Path) -> None:
    """A project's directory that exists is refused and left alone, even if it is empty."""
    (output_dir / "product-api").mkdir()
    with pytest.raises(TargetExistsError):
        render({}, output_dir)
    assert list(output_dir.iterdir()) == [output_dir / "product-api"]


def test_dangling_link_is_a_target_that_exists(output_dir: Path) -> None:
    """A dangling link in the project's place is also refused."""
    (output_dir / "product-api").symlink_to("nowhere")
    with pytest.raises(TargetExistsError):
        render({}, output_dir)


@pytest.mark.parametrize("path", ["file", "file/below", "{{ x }}", "{% x %}"])
def test_unusable_output_directory_is_refused(output_dir: Path, path: str) -> None:
    """A path that can't be a directory, or that cookiecutter would render, is refused."""
    (output_dir / "file").touch()
    with pytest.raises(OutputDirectoryError):
        render({}, output_dir / path)
    assert list(output_dir.iterdir()) == [output_dir / "file"]


@pytest.mark.parametrize("failure", ["template", "hook"])
def test_failure_leaves_nothing(tmp_path: Path, output_dir: Path, failure: str) -> None:
    """A failing template or hook raises one error, and the created directories are removed."""
    template = copy_template(tmp_path / "broken")
    if failure == "template":
        (template.root / SOURCE / "zz.txt").write_text("{% if %}", encoding="utf-8")
    else:
        hook = template.root / "hooks" / "post_gen_project.py"
        hook.write_text(
            hook.read_text(encoding="utf-8") + "\n\ndef main(*_): raise OSError('full')\n", encoding="utf-8"
        )
    before = Path.cwd()
    with pytest.raises(RenderingError) as raised:
        template.render({}, output_dir / "new" / "er")
    assert "\n" not in str(raised.value)
    assert Path.cwd() == before
    assert not list(output_dir.iterdir())


def test_missing_template_is_reported(tmp_path: Path) -> None:
    """A package without its template says so."""
    with pytest.raises(MissingTemplateError):
        Template(tmp_path).check({})


def test_conflict_is_refused(conflicted: Template, output_dir: Path) -> None:
    """Answers in conflict are refused."""
    with pytest.raises(RefusedAnswersError, match=REFUSAL):
        conflicted.render(CONFLICTING, output_dir)
    assert not list(output_dir.iterdir())


def test_hook_refuses_the_same_conflict(conflicted: Template, run: Run, output_dir: Path) -> None:
    """Plain cookiecutter refuses the same answers as the wizard, with the same message."""
    answers = [f"{option}={choice}" for option, choice in CONFLICTING.items()]
    done = run(sys.executable, "-m", "cookiecutter", str(conflicted.root), "--no-input", *answers)
    assert done.returncode != 0
    assert f"error: {REFUSAL}" in done.stderr
    assert not list(output_dir.iterdir())


def test_modes_follow_the_umask(output_dir: Path) -> None:
    """A project's directory has the mode of any directory that its user creates."""
    (output_dir / "other").mkdir()
    project = render({}, output_dir)
    assert project.stat().st_mode == (output_dir / "other").stat().st_mode
    assert os.access(project, os.W_OK)
