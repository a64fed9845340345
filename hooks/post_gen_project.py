"""Move and delete rendered files, so that exactly those remain that the answers need.

Standard library only, no network, idempotent: `cruft update` runs it twice.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

Answers = Mapping[str, str]

# Options with a directory for each choice, whose content moves to the root: _framework/flask/app -> app
LIFTED = ("framework", "database", "sample")

# (option, choices) -> paths that only these choices need
ONLY_FOR: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {
    ("database", ("sqlite", "postgresql", "mariadb")): (
        "app/columns.py",
        "app/database.py",
        "app/products/models.py",
        "app/products/samples.py",
        "migrations",
        "tests/migrating.py",
        "tests/test_columns.py",
        "tests/test_database.py",
        "tests/test_migrations.py",
        "k8s/base/migrate.yaml",
    ),
    ("database", ("sqlite",)): ("app/tables.py",),
    ("database", ("postgresql", "mariadb")): ("app/pool.py",),
    ("database", ("postgresql",)): ("create_role.sql",),
    ("redis", ("cache", "cache-and-queue")): ("app/cache.py", "tests/test_cache.py"),
    ("redis", ("queue", "cache-and-queue")): (
        "app/queue.py",
        "app/reports",
        "app/worker.py",
        "tests/test_reports.py",
        "tests/test_worker.py",
        "k8s/base/worker.yaml",
    ),
    ("proxy", ("caddy",)): ("Caddyfile",),
    ("metrics", ("prometheus",)): (
        "app/metrics.py",
        "compose.observability.yaml",
        "observability",
        "tests/test_metrics.py",
    ),
    ("guide", ("student",)): ("GUIDE.md",),
    ("deploy", ("swarm",)): ("stack.yaml",),
    ("deploy", ("kubernetes",)): ("k8s",),
    ("sample", ("products",)): (
        "app/products",
        "migrations/versions/0001_create_products.py",
        "tests/test_products.py",
    ),
}


def lift(project: Path, option: str, choice: str) -> None:
    """Move the files in `_<option>/<choice>` to the project's root, and delete those of the other choices."""
    choices = project / f"_{option}"
    if not choices.is_dir():
        return
    for source in sorted(path for path in (choices / choice).rglob("*") if path.is_file()):
        target = project / source.relative_to(choices / choice)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    shutil.rmtree(choices)


def unused(answers: Answers) -> Iterator[str]:
    """Yield the paths that these answers do not need."""
    for (option, choices), paths in ONLY_FOR.items():
        if answers[option] not in choices:
            yield from paths


def prune(project: Path, paths: Iterator[str]) -> None:
    """Delete the paths, and parent directories that become empty."""
    for path in (project / name for name in paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        parent = path.parent
        while parent != project and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent


def main(answers: Answers, project: Path) -> None:
    """Reduce the rendered template at `project` to the project that `answers` describe."""
    for option in LIFTED:
        lift(project, option, answers[option])
    prune(project, unused(answers))


if __name__ == "__main__":
    main(json.loads(r"""{{ cookiecutter | tojson }}"""), Path.cwd())
