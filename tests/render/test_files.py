"""A project has exactly the files that its answers need, and nothing shows that they were rendered."""

import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from dockwright.template import render
from hooks.post_gen_project import LIFTED
from tests.render.conftest import read

# Patterns of answers -> the files that projects with these answers have
FILES: list[tuple[dict[str, str], str]] = [
    (
        {},
        """
        .dockerignore .dockwright.yaml .editorconfig .env.example .gitattributes .gitignore
        Dockerfile Makefile OPERATIONS.md README.md app/__init__.py app/docs.html app/docs.py
        app/fields.py app/health.py app/healthcheck.py app/logs.py
        app/main.py app/pagination.py app/problems.py app/serve.py app/settings.py compose.prod.yaml compose.yaml
        development/sitecustomize.py pyproject.toml requirements-dev.txt requirements.txt
        tests/__init__.py tests/conftest.py tests/test_health.py tests/test_problems.py tests/test_settings.py
        """,
    ),
    ({"framework": "flask"}, "app/api.py app/asgi.py app/bodies.py tests/test_asgi.py"),
    ({"framework": "fastapi"}, "app/dependencies.py app/middleware.py"),
    (
        {"database": "(?!none)"},
        """
        app/columns.py app/database.py migrations/alembic.ini migrations/env.py migrations/script.py.mako
        tests/migrating.py tests/test_columns.py tests/test_database.py tests/test_migrations.py
        """,
    ),
    ({"database": "sqlite"}, "app/tables.py"),
    ({"database": "postgresql|mariadb"}, "app/pool.py"),
    ({"database": "postgresql"}, "create_role.sql"),
    ({"redis": ".*cache"}, "app/cache.py tests/test_cache.py"),
    (
        {"redis": ".*queue"},
        """
        app/queue.py app/reports/__init__.py app/reports/job.py app/reports/routes.py app/reports/schemas.py
        app/worker.py tests/test_reports.py tests/test_worker.py
        """,
    ),
    ({"proxy": "caddy"}, "Caddyfile"),
    ({"deploy": "swarm"}, "stack.yaml"),
    (
        {"deploy": "kubernetes"},
        """
        k8s/base/kustomization.yaml k8s/base/network.yaml k8s/base/web.yaml
        k8s/production/kustomization.yaml k8s/production/namespace.yaml
        k8s/public/autoscaler.yaml k8s/public/ingress.yaml k8s/public/kustomization.yaml
        """,
    ),
    ({"deploy": "kubernetes", "database": "(?!none)"}, "k8s/base/migrate.yaml"),
    ({"deploy": "kubernetes", "redis": ".*queue"}, "k8s/base/worker.yaml"),
    (
        {"metrics": "prometheus"},
        """
        app/metrics.py compose.observability.yaml observability/alerts.yaml observability/prometheus.yaml
        tests/test_metrics.py
        """,
    ),
    ({"guide": "student"}, "GUIDE.md"),
    (
        {"sample": "products"},
        """
        app/products/__init__.py app/products/catalogue.py app/products/routes.py app/products/schemas.py
        tests/test_products.py
        """,
    ),
    (
        {"sample": "products", "database": "(?!none)"},
        "app/products/models.py app/products/samples.py migrations/versions/0001_create_products.py",
    ),
]

# Python files are parsed by the tools of test_python, for the project's version of Python.
PARSERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    # A manifest for Kubernetes may have several documents.
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".yml": yaml.safe_load,
}
# Allowed consecutive blank lines, if not one: two separate functions, also in Markdown, and stages of a Dockerfile
BLANK_LINES = {"Dockerfile": 2, ".mako": 2, ".md": 2, ".py": 2}
# What never belongs into a repository: secrets, data, and what is made by running the project
IGNORED = (
    *(".env", "secrets/database_password", "backups/2026.sql", "local.db", "dev.sqlite3", "app/__pycache__/main.pyc"),
    *(".venv/pyvenv.cfg", ".mypy_cache/x", ".pytest_cache/x", ".ruff_cache/x"),
)


def test_files(answers: dict[str, str], texts: dict[str, str]) -> None:
    """The project has every file that the answers need, and no others."""
    needed = (
        files
        for conditions, files in FILES
        if all(re.match(pattern, answers[option]) for option, pattern in conditions.items())
    )
    assert sorted(texts) == sorted(" ".join(needed).split())


def test_nothing_empty(project: Path, texts: dict[str, str]) -> None:
    """No file and no directory is empty."""
    assert [name for name, text in texts.items() if not text.strip()] == []
    assert [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


def test_no_trace_of_the_template(texts: dict[str, str]) -> None:
    """No file has a trace of the template."""
    traces = ("{{ ", "{%", "{#", "cookiecutter", *(f"_{option}/" for option in LIFTED))
    assert [(name, trace) for name, text in texts.items() for trace in traces if trace in text.lower()] == []


def test_whitespace(texts: dict[str, str]) -> None:
    """Lines end with LF and no other whitespace, files end with one LF, and no extra blank lines are left."""
    for name, text in texts.items():
        most = BLANK_LINES.get(Path(name).suffix or name, 1)
        faults = {
            "a line ending other than LF": "\r" in text,
            "whitespace at the end of a line": any(line != line.rstrip() for line in text.split("\n")),
            "not exactly one LF at the end": not re.search(r"\S\n\Z", text),
            "a blank line at the start": text.startswith("\n"),
            "too many blank lines": "\n" * (most + 2) in text,
            "a blank line after an opening bracket": re.search(r"[\[({]\n\n", text),
        }
        assert [fault for fault, found in faults.items() if found] == [], name


def test_parsed(texts: dict[str, str]) -> None:
    """JSON, TOML and YAML files can be parsed."""
    for name, text in texts.items():
        if parse := PARSERS.get(Path(name).suffix):
            assert parse(text), name


def test_repository(tmp_path: Path) -> None:
    """In git, every file has LF line endings on any system, and is tracked; secrets, data and caches are not."""
    project = render({"database": "postgresql", "redis": "cache-and-queue"}, tmp_path)

    def git(*arguments: str) -> list[str]:
        command = ["git", "-C", str(project), *arguments]
        return subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True).stdout.splitlines()

    git("init", "--quiet")
    files = [name for name in read(project) if not name.startswith(".git/")]
    assert {line.rpartition(" ")[2] for line in git("check-attr", "eol", *files)} == {"lf"}
    assert git("check-ignore", *files, *IGNORED) == list(IGNORED)


def test_pyproject(answers: dict[str, str], texts: dict[str, str]) -> None:
    """The metadata are the answers; dependencies are resolved for the chosen Python, and types are checked strictly."""
    content = tomllib.loads(texts["pyproject.toml"])
    assert content["project"]["requires-python"] == f">={answers['python_version']}"
    assert content["tool"]["uv"]["pip"]["python-version"] == answers["python_version"]
    assert content["tool"]["mypy"]["strict"] is True
    assert content["project"]["name"] == "product-api"


def test_page_of_the_description(texts: dict[str, str]) -> None:
    """What the page loads from elsewhere has an exact version and a hash; where that fails, it leads to the text."""
    page = texts["app/docs.html"]
    loaded = re.findall(r"<(?:link|script)[^>]*\b(?:href|src)=[^>]*>", page)
    assert len(loaded) == page.count("https://") > 1
    for tag in loaded:
        assert re.search(r"@\d+\.\d+\.\d+/", tag)
        assert re.search(r'\bintegrity="sha384-[\w+/]{64}"', tag)
        assert 'crossorigin="anonymous"' in tag
    assert '<a href="openapi.json">' in page
