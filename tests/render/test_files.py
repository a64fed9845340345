"""A project has the files that its answers call for and no others, and they read as if written by hand."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ALWAYS = """
    .dockerignore .editorconfig .env.example .gitattributes .gitignore Dockerfile Makefile README.md
    app/__init__.py app/catalogue.py app/health.py app/logs.py app/main.py app/problems.py app/products.py
    app/schemas.py app/serve.py app/settings.py compose.prod.yaml compose.yaml development/sitecustomize.py
    image/prepare.py pyproject.toml requirements-dev.txt requirements.txt tests/__init__.py tests/conftest.py
    tests/test_health.py tests/test_products.py tests/test_settings.py
"""
WITH_DATABASE = """
    app/database.py app/models.py migrations/alembic.ini migrations/env.py migrations/script.py.mako
    migrations/versions/0001_create_products.py tests/test_migrations.py
"""
WITH_CACHE = "app/cache.py tests/test_cache.py"
WITH_QUEUE = "app/jobs.py app/reports.py app/worker.py tests/test_reports.py"

# Python files are parsed, for their own version of the language, by the tools of test_python.
PARSERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}
# The longest run of blank lines; between two stages of a Dockerfile there are two, as between two functions.
BLANK_LINES = {"Dockerfile": 2, ".py": 2, ".mako": 2}


def test_files(answers: dict[str, str], texts: dict[str, str]) -> None:
    """There is every file that the answers call for, and no other."""
    expected = ALWAYS
    if answers["database"] != "none":
        expected += WITH_DATABASE
    if "cache" in answers["redis"]:
        expected += f" {WITH_CACHE}"
    if "queue" in answers["redis"]:
        expected += f" {WITH_QUEUE}"
    assert sorted(texts) == sorted(expected.split())


def test_nothing_empty(project: Path, texts: dict[str, str]) -> None:
    """No file and no directory is empty."""
    assert [name for name, text in texts.items() if not text.strip()] == []
    assert [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


def test_no_trace_of_the_template(texts: dict[str, str]) -> None:
    """Nothing in a file tells that it was rendered."""
    traces = ("{{", "{%", "{#", "cookiecutter", "_framework/", "_database/")
    assert [(name, trace) for name, text in texts.items() for trace in traces if trace in text.lower()] == []


def test_whitespace(texts: dict[str, str]) -> None:
    """Lines end with LF and nothing before it, a file ends with one, and no blank lines mark what was left out."""
    for name, text in texts.items():
        most = BLANK_LINES.get(Path(name).suffix or name, 1)
        faults = {
            "another line end than LF": "\r" in text,
            "whitespace at the end of a line": any(line != line.rstrip() for line in text.split("\n")),
            "more than one line end at the end, or none": not re.search(r"\S\n\Z", text),
            "a blank line at the top": text.startswith("\n"),
            "too many blank lines": "\n" * (most + 2) in text,
            "a blank line behind an opening bracket": re.search(r"[\[({]\n\n", text),
        }
        assert [fault for fault, found in faults.items() if found] == [], name


def test_parsed(texts: dict[str, str]) -> None:
    """What a program will read can be read."""
    for name, text in texts.items():
        if parse := PARSERS.get(Path(name).suffix):
            assert parse(text), name
