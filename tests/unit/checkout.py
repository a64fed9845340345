"""Copies of the checkout under test, with changed options, and the trees that they generate."""

import json
import shutil
from pathlib import Path
from typing import Any

from dockwright.template import SOURCE, Template

Tree = dict[str, tuple[int, bytes]]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "generator" / "dockwright"
IGNORED = shutil.ignore_patterns("__pycache__", "*.py[co]", ".*_cache", ".git", ".venv")
# A made-up conflict, of options that are asked early
CONFLICTING = {"database": "none", "redis": "queue"}
CONFLICT = {"when": CONFLICTING, "why": "keep the reports in a database"}
REFUSAL = "database=none with redis=queue can't be used: keep the reports in a database"


def unusual_answers(template: Template) -> dict[str, str]:
    """Return for each option with choices the last one that doesn't conflict with the answers before."""
    answers: dict[str, str] = {}
    for name, option in template.options.items():
        if option.choices:
            allowed = [value for value in option.values if not template.objections({**answers, name: value})]
            answers[name] = allowed[-1]
    return answers


def copy_template(root: Path, **changes: Any) -> Template:  # noqa: ANN401 # any JSON value
    """Copy the template into `root`, and change keys of its `cookiecutter.json`."""
    for name in ("hooks", SOURCE):
        shutil.copytree(ROOT / name, root / name, ignore=IGNORED)
    (root / "cookiecutter.json").write_text(json.dumps(read_definition() | changes), encoding="utf-8")
    return Template(root)


def copy_checkout(root: Path, **changes: Any) -> Template:  # noqa: ANN401 # any JSON value
    """Copy the package too, with `root/generator` as its place on the Python path."""
    shutil.copytree(PACKAGE, root / PACKAGE.relative_to(ROOT), ignore=IGNORED)
    return copy_template(root, **changes)


def add_option(name: str, *choices: str) -> dict[str, Any]:
    """Return the changes to `cookiecutter.json` that add a sampled option."""
    definition = read_definition()
    texts = {choice: f"{choice}: a made-up choice" for choice in choices}
    return {
        name: list(choices),
        "__prompts__": definition["__prompts__"] | {name: {"__prompt__": "A made-up question", **texts}},
        "_sampled": [*definition["_sampled"], name],
    }


def read_definition() -> dict[str, Any]:
    """Return the content of `cookiecutter.json`."""
    definition: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    return definition


def read_tree(root: Path) -> Tree:
    """Return every file and directory in `root`, with its mode and content."""
    return {
        path.relative_to(root).as_posix(): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in root.rglob("*")
    }
