"""Unusual names: each generates a project whose files can be parsed, or is refused with a sentence."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from dockwright.errors import RefusedAnswersError
from dockwright.template import Template, render

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
    "yaml-noncharacter": "a\uffffb",
    "too-long": "x" * 201,
    "windows-device": "CON",
    "symbols-only": "+-*/_",
}
# Names that Windows reserves for devices
DEVICES = ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))]
REFUSED_SLUGS = [
    *DEVICES,
    *(f"sh{character}op" for character in " \t\n_./\\:@*?'\"$éA\u0660"),
    *("", "-shop", "shop-", "sh--op", "..", " shop", "shop ", "shop\n", "x" * 64),
]


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
@pytest.mark.parametrize("name", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_name_makes_valid_files(tmp_path: Path, name: str, framework: str) -> None:
    """Every TOML, YAML and Python file can be parsed and passes ruff, with the name also as the description."""
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
                pass  # ruff parses it, for the Python that the project is made for
            case _:
                continue
        parsed += 1
    assert parsed > 10
    subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet", project], check=True)


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_refused_name_leaves_nothing(tmp_path: Path, name: str) -> None:
    """A name that would break some file is refused before anything is written."""
    with pytest.raises(RefusedAnswersError, match="can't be used: use "):
        render({"project_name": name}, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("slug", REFUSED_SLUGS)
def test_refused_slug(tmp_path: Path, slug: str) -> None:
    """A slug that is not valid as a directory on every system, as an image and as a compose project is refused."""
    with pytest.raises(RefusedAnswersError, match=r"project_slug .* can't be used: use lower-case"):
        render({"project_slug": slug}, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("slug", ["x" * 63, *(f"{device}-api" for device in DEVICES), "com10", "console"])
def test_accepted_slug(template: Template, slug: str) -> None:
    """Slugs that are almost too long, or almost a device, are accepted."""
    template.check({"project_slug": slug})


@pytest.mark.parametrize("slug", ["2048", "0x1f", "1e3", "007", "2024-01-01", "true", "no", "null", "0"])
def test_slug_stays_a_string_in_yaml(tmp_path: Path, slug: str) -> None:
    """A slug that looks like a number or a boolean is quoted in the compose files."""
    project = render({"project_slug": slug, "database": "postgresql", "redis": "cache-and-queue"}, tmp_path)
    names = [yaml.safe_load(path.read_text(encoding="utf-8"))["name"] for path in sorted(project.glob("compose*.yaml"))]
    assert names == [f"{slug}-prod", slug]


@pytest.mark.parametrize("port", ["1024", "5000", "8080", "65535"])
def test_accepted_port(tmp_path: Path, port: str) -> None:
    """The first and last port of the range are accepted."""
    assert render({"port": port}, tmp_path).is_dir()


@pytest.mark.parametrize(
    "port", ["", "0", "80", "1023", "65536", "99999", "5000 ", "+5000", "05000", "\uff15\uff10\uff10\uff10", "1e4"]
)
def test_refused_port(tmp_path: Path, port: str) -> None:
    """Anything but a port that an unprivileged process can open is refused."""
    with pytest.raises(RefusedAnswersError, match=r"port .* can't be used: use a number"):
        render({"port": port}, tmp_path)
