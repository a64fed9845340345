"""Names from real life: each makes a project whose files can be read, or is refused with a sentence."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from dockwright.errors import RefusedAnswersError
from dockwright.template import render

ACCEPTED = {
    "accents": "Crème Brûlée à l'Œuvre",
    "apostrophe": "Bob's \u2019Shop\u2019",
    "chinese": "产品目录",
    "digits-first": "3rd Party API",
    "emoji": "Shop 🛒 2.0",
    "long": "Shop " * 39 + "Shop!",
    "path": "../../etc/passwd",
    "shell": "a; rm -rf / && echo | cat * ? [x] ~ # (y)",
    "yaml-colon": "Shop: the API - now # 1",
    "yaml-marks": "- [a, b] & *c !d %e @f |g",
    "yaml-truth": "yes",
    "python-keyword": "class",
    "percent": "100 %s %(x)s",
    "rtl": "متجر المنتجات",
}
REFUSED = {
    "backslash": "a\\b",
    "blank": "   ",
    "braces": "{{ cookiecutter.project_slug }}",
    "control": "a\x1b[31mb",
    "dollar": "$HOME",
    "double-quote": 'The "Shop"',
    "emoji-only": "🛒🛒",
    "empty": "",
    "markup": "<b>",
    "newline": "a\nb",
    "statement": "{% raw %}",
    "substitution": "`id`",
    "surrogate": "a\udcff",
    "too-long": "x" * 201,
    "windows-device": "CON",
    "symbols-only": "+-*/_",
}


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
@pytest.mark.parametrize("name", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_name_makes_readable_files(tmp_path: Path, name: str, framework: str) -> None:
    """Every TOML, YAML and Python file of the project can be parsed and is clean, whatever its name and description."""
    answers = {"database": "postgresql", "redis": "cache-and-queue", "framework": framework}
    project = render({"project_name": name, "description": name, **answers}, tmp_path)
    assert project.parent == tmp_path
    parsed = 0
    for path in project.rglob("*"):
        match path.suffix:
            case ".toml":
                tomllib.loads(path.read_text(encoding="utf-8"))
            case ".yaml" | ".yml":
                list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
            case ".py":
                ast.parse(path.read_text(encoding="utf-8"))
            case _:
                continue
        parsed += 1
    assert parsed > 10
    subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet", project], check=True)


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_refused_name_leaves_nothing(tmp_path: Path, name: str) -> None:
    """A name that some file could not hold is refused before anything is written."""
    with pytest.raises(RefusedAnswersError, match="can't be used: use "):
        render({"project_name": name}, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("slug", ["Shop", "-shop", "shop-", "a--b", "a_b", "a/b", "..", "nul", "com1", "x" * 64, ""])
def test_refused_slug(tmp_path: Path, slug: str) -> None:
    """A slug is a directory, an image and a compose project on every system, or it is refused."""
    with pytest.raises(RefusedAnswersError, match=r"project_slug .* can't be used: use lower-case"):
        render({"project_slug": slug}, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("slug", ["2048", "0x1f", "1e3", "007", "2024-01-01", "true", "no", "null", "0"])
def test_slug_that_yaml_takes_for_something_else(tmp_path: Path, slug: str) -> None:
    """A slug is the text that it is, in every compose file."""
    project = render({"project_slug": slug, "database": "postgresql", "redis": "cache-and-queue"}, tmp_path)
    names = [yaml.safe_load(path.read_text(encoding="utf-8"))["name"] for path in sorted(project.glob("compose*.yaml"))]
    assert names == [f"{slug}-prod", slug]


@pytest.mark.parametrize("port", ["1024", "5000", "8080", "65535"])
def test_accepted_port(tmp_path: Path, port: str) -> None:
    """The ends of the range belong to it."""
    assert render({"port": port}, tmp_path).is_dir()


@pytest.mark.parametrize(
    "port", ["", "0", "80", "1023", "65536", "99999", "5000 ", "+5000", "05000", "\uff15\uff10\uff10\uff10", "1e4"]
)
def test_refused_port(tmp_path: Path, port: str) -> None:
    """What is no port that an unprivileged process can open is refused."""
    with pytest.raises(RefusedAnswersError, match=r"port .* can't be used: use a number"):
        render({"port": port}, tmp_path)
