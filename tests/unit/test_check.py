"""`dockwright check`: each rule is broken by one Dockerfile, and kept by every one that Dockwright writes."""

import json
from pathlib import Path

import pytest

from dockwright.dockerize.audit import audit
from dockwright.dockerize.plan import Wishes
from tests.applications import SHAPES, write_application
from tests.unit.conftest import Run
from tests.unit.test_dockerize import PLANNED, plan_of

GOOD = """\
FROM python:3.14-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
HEALTHCHECK CMD ["python", "check.py"]
USER 10001
CMD ["gunicorn", "app:app"]
"""
# What is replaced in it, by what, and the rule and the line that this breaks
BROKEN = {
    "latest": ("python:3.14-slim", "python:latest", "tag", 1),
    "no-tag": ("python:3.14-slim", "python", "tag", 1),
    "registry-with-port": ("python:3.14-slim", "registry:5000/python", "tag", 1),
    "order": ("COPY requirements.txt .\n", "COPY . .\n", "order", 3),
    "no-user": ("USER 10001\n", "", "root", 7),
    "root": ("USER 10001", "USER root", "root", 7),
    "root-by-number": ("USER 10001", "USER 0:0", "root", 7),
    "shell-form": ('["gunicorn", "app:app"]', "gunicorn app:app", "shell-form", 8),
    "secret": ("WORKDIR /app", "ENV SECRET_KEY=abc123", "secret", 2),
    "secret-argument": ("WORKDIR /app", 'ARG DB_PASSWORD="abc"', "secret", 2),
    "secret-file": ("WORKDIR /app", "COPY .env ./", "secret", 2),
    "no-health": ('HEALTHCHECK CMD ["python", "check.py"]\n', "", "health", 7),
    "reload": ('["gunicorn", "app:app"]', '["uvicorn", "main:app", "--reload"]', "development", 8),
    "development-server": ('["gunicorn", "app:app"]', '["flask", "run", "--host=0.0.0.0"]', "development", 8),
    "apt": ("WORKDIR /app", "RUN apt-get update && apt-get install -y gcc", "size", 2),
    "pip": (" --no-cache-dir", "", "size", 4),
}
KEPT = {
    "argument-as-tag": "ARG VERSION\nFROM python:$VERSION\n" + GOOD.partition("\n")[2],
    "digest": GOOD.replace("python:3.14-slim", "python@sha256:" + "0" * 64),
    "stage": 'FROM python:3.14 AS base\nUSER 10001\nHEALTHCHECK CMD true\nFROM base\nCMD ["python"]\n',
    "exec": GOOD.replace('["gunicorn", "app:app"]', "exec gunicorn app:app"),
    "secret-from-argument": GOOD.replace("WORKDIR /app", "ENV SECRET_KEY=$SECRET_KEY"),
    "project-itself": GOOD.replace("COPY . .\n", "COPY . .\nRUN uv pip install --no-deps .\n"),
    "heredoc": GOOD.replace("WORKDIR /app", "RUN <<EOF\nCOPY . .\npip install flask\nEOF"),
    "continued": GOOD.replace("RUN pip", "# why\nRUN \\\n  # in between\n  pip"),
}


@pytest.fixture
def check(dockwright: Run) -> Run:
    """Return a function that runs the command."""
    return lambda *arguments: dockwright("check", *arguments)


def test_good() -> None:
    """There is nothing to object to in a good Dockerfile."""
    assert audit(GOOD) == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rule(name: str) -> None:
    """Each mistake is found once, with its line."""
    old, new, rule, line = BROKEN[name]
    assert old in GOOD
    assert [(finding.rule, finding.line) for finding in audit(GOOD.replace(old, new))] == [(rule, line)]


@pytest.mark.parametrize("name", KEPT)
def test_kept_rule(name: str) -> None:
    """What only looks like a mistake is none."""
    assert audit(KEPT[name]) == []


@pytest.mark.parametrize("base", ["slim", "alpine"])
def test_dockerized_projects_pass(tmp_path: Path, base: str) -> None:
    """Every Dockerfile that `dockerize` writes passes."""
    for name in PLANNED:
        plan = plan_of(write_application(name, tmp_path / base), Wishes(base=base))
        assert audit(plan.files["Dockerfile"]) == [], name
    assert len(PLANNED) > len(SHAPES) / 2


def test_report(check: Run, output_dir: Path) -> None:
    """Findings are printed with file, line and advice, and the exit status is 1; without any it is 0."""
    file = output_dir / "Dockerfile"
    file.write_text(GOOD.replace("USER 10001\n", ""), encoding="utf-8")
    done = check()
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "Dockerfile:7: root: who breaks into the application is root in its container",
        "  write: USER 10001:10001, before CMD",
    ]
    assert json.loads(check(".", "--json").stdout)[0]["rule"] == "root"
    file.write_text(GOOD, encoding="utf-8")
    done = check("Dockerfile")
    assert (done.returncode, done.stdout) == (0, "Dockerfile: nothing to object to.\n")


def test_missing(check: Run) -> None:
    """Without a Dockerfile, a sentence says what writes one."""
    done = check()
    assert (done.returncode, done.stderr) == (
        2,
        "error: Dockerfile does not exist: `dockwright dockerize` writes one\n",
    )
