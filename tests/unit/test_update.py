"""A generated project can be updated to a newer template with cruft."""

import json
import sys
from pathlib import Path

from dockwright.template import SOURCE
from tests.unit.checkout import copy_template, read_tree
from tests.unit.conftest import Run

CRUFT = str(Path(sys.executable).with_name("cruft"))


def test_cruft_creates_checks_and_updates(run: Run, dockwright: Run, tmp_path: Path, output_dir: Path) -> None:
    """Cruft generates the same project from a repository, finds it current, and applies exactly a later change."""
    template = copy_template(tmp_path / "template")

    def git(*arguments: str, cwd: Path) -> str:
        done = run("git", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(repository: Path) -> None:
        git("add", "--all", "--force", cwd=repository)
        git("commit", "--quiet", "--message", "A change", cwd=repository)

    def cruft(*arguments: str) -> int:
        return run(CRUFT, *arguments, cwd=project).returncode

    git("init", "--quiet", "--initial-branch", "main", cwd=template.root)
    commit(template.root)
    answers = {"framework": "fastapi", "redis": "queue"}
    created = run(CRUFT, "create", template.root.as_uri(), "--no-input", "--extra-context", json.dumps(answers))
    assert created.returncode == 0, created.stderr
    assert dockwright("--no-input", "--output-dir", "ours", "--framework=fastapi", "--redis=queue").returncode == 0
    project = output_dir / "product-api"
    tree = read_tree(project)
    del tree[".cruft.json"]
    assert tree == read_tree(output_dir / "ours" / "product-api")

    git("init", "--quiet", cwd=project)
    commit(project)
    assert cruft("check") == 0

    editorconfig = template.root / SOURCE / ".editorconfig"
    editorconfig.write_text(editorconfig.read_text(encoding="utf-8") + "\n[*.new]\nindent_size = 8\n", encoding="utf-8")
    commit(template.root)
    assert cruft("check") == 1
    assert cruft("update", "--skip-apply-ask") == 0
    assert git("status", "--porcelain", cwd=project).split() == ["M", ".cruft.json", "M", ".editorconfig"]
    assert cruft("check") == 0
    commit(project)
    assert cruft("update", "--skip-apply-ask") == 0
    assert not git("status", "--porcelain", cwd=project)
