"""The checkout under test: copies of its template, and the trees that come out of it."""

import json
import shutil
from pathlib import Path
from typing import Any

from dockwright.template import SOURCE, Template

Tree = dict[str, tuple[int, bytes]]

ROOT = Path(__file__).resolve().parents[2]
JUNK = shutil.ignore_patterns("__pycache__", "*.py[co]", ".*_cache", ".git", ".venv")
# No combination that is shipped is in conflict: the tests bring their own.
CLASH = {"database": "none", "redis": "queue"}
CONFLICT = {"when": CLASH, "why": "keep the reports in a database"}
REFUSAL = "database=none with redis=queue can't be used: keep the reports in a database"


def copy_template(root: Path, **changes: Any) -> Template:  # noqa: ANN401 # whatever JSON can hold
    """Copy the template below `root`, and change keys of its `cookiecutter.json`."""
    for name in ("hooks", SOURCE):
        shutil.copytree(ROOT / name, root / name, ignore=JUNK)
    definition = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8")) | changes
    (root / "cookiecutter.json").write_text(json.dumps(definition), encoding="utf-8")
    return Template(root)


def copy_checkout(root: Path, **changes: Any) -> Template:  # noqa: ANN401 # as above
    """Copy the package too, so that its command uses the template beside it."""
    shutil.copytree(ROOT / "dockwright", root / "dockwright", ignore=JUNK)
    return copy_template(root, **changes)


def read_tree(root: Path) -> Tree:
    """Return every file and directory below `root`, with its mode and content."""
    return {
        path.relative_to(root).as_posix(): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in root.rglob("*")
    }
