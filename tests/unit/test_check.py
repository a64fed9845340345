"""`dockwright check`: each rule is broken by one Dockerfile, and kept by every one that Dockwright writes."""

import json
from pathlib import Path

import pytest

from dockwright.dockerize.audit import audit
from dockwright.dockerize.plan import Wishes
from dockwright.dockerize.stacks import audit_stack
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


STACK = """\
name: shop
services:
  web:
    build: .
    restart: unless-stopped
    ports:
      - '8000:8000'
    environment:
      SECRET_KEY: ${SECRET_KEY:?}
      DATABASE_PASSWORD_FILE: /run/secrets/database_password
      RANDOM_PASSWORD: yes
    volumes:
      - uploads:/app/uploads
    depends_on:
      db: {condition: service_healthy}
  db:
    image: postgres:18
    restart: unless-stopped
    ports:
      - '127.0.0.1:5432:5432'
    volumes:
      - database:/var/lib/postgresql
  cache:
    image: redis:8
    restart: always
volumes:
  database:
  uploads:
"""
# What is replaced in a good stack, by what, and the rule and the line of the finding
BROKEN_STACKS: dict[str, tuple[str, str, str, int]] = {
    "version": ("name: shop", "version: '3'", "version", 1),
    "no tag": ("postgres:18", "postgres", "tag", 17),
    "latest": ("redis:8", "redis:latest", "tag", 24),
    "privileged": ("    restart: always", "    restart: always\n    privileged: true", "privileged", 26),
    "socket": ("- uploads:", "- /var/run/docker.sock:/var/run/docker.sock\n      - uploads:", "socket", 12),
    "port": ("127.0.0.1:5432", "5432", "port", 19),
    "variable port": ("127.0.0.1:5432", "${PORT:-5432}", "port", 19),
    "volume": ("    volumes:\n      - database:/var/lib/postgresql\n", "", "volume", 16),
    "order": ("      db: {condition: service_healthy}", "      - db", "order", 14),
    "mount": ("- uploads:/app/uploads", "- .:/app", "mount", 12),
    "development": ("    build: .", "    build: .\n    command: flask run", "development", 5),
    "secret": ("SECRET_KEY: ${SECRET_KEY:?}", "SECRET_KEY: abc", "secret", 8),
    "secret in a list": (
        (
            "      SECRET_KEY: ${SECRET_KEY:?}\n"
            "      DATABASE_PASSWORD_FILE: /run/secrets/database_password\n"
            "      RANDOM_PASSWORD: yes"
        ),
        "      - SECRET_KEY=abc",
        "secret",
        8,
    ),
    "restart": ("    restart: always\n", "", "restart", 23),
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


@pytest.mark.parametrize("content", ["", "# FROM python:3.14\n"])
def test_nothing_to_build_on(content: str) -> None:
    """A file without FROM, such as an empty one, is no good Dockerfile."""
    assert [finding.rule for finding in audit(content)] == ["base"]


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
        for file in ("compose.yaml", "compose.prod.yaml"):
            assert audit_stack(plan.files[file], file) == [], (name, file)
    assert len(PLANNED) > len(SHAPES) / 2


def test_good_stack() -> None:
    """There is nothing to object to in a good compose file, and development may mount, reload and name passwords."""
    assert audit_stack(STACK, "compose.prod.yaml") == []
    development = STACK.replace("- uploads:/app/uploads", "- .:/app").replace("${SECRET_KEY:?}", "abc")
    assert audit_stack(development.replace("    restart: always\n", ""), "compose.yaml") == []
    assert audit_stack("services:\n  web:\n    image: !reset null\n    ports: !override [80]\n  old: null\n", "x") == []
    assert audit_stack("a list: [1]", "compose.yaml") == []


@pytest.mark.parametrize("name", BROKEN_STACKS)
def test_broken_stack(name: str) -> None:
    """Each mistake in a compose file for production is found once, with its line."""
    old, new, rule, line = BROKEN_STACKS[name]
    assert old in STACK
    findings = audit_stack(STACK.replace(old, new, 1), "compose.prod.yaml")
    assert [(finding.rule, finding.line) for finding in findings] == [(rule, line)]


def test_stacks_are_reported(check: Run, output_dir: Path) -> None:
    """A directory's compose files are checked with its Dockerfile, and one that can't be read is named."""
    (output_dir / "Dockerfile").write_text(GOOD, encoding="utf-8")
    (output_dir / "compose.prod.yaml").write_text(STACK.replace("redis:8", "redis"), encoding="utf-8")
    done = check()
    assert done.returncode == 1
    assert done.stdout.startswith("Dockerfile: nothing to object to.\ncompose.prod.yaml:24: tag: ")
    assert json.loads(check("--json").stdout)[0]["file"] == "compose.prod.yaml"
    (output_dir / "compose.yaml").write_text("a: [", encoding="utf-8")
    done = check("compose.yaml")
    assert (done.returncode, done.stderr) == (2, "error: compose.yaml can't be read (it is no compose file)\n")


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


def test_list_is_no_compose_file(check: Run, output_dir: Path) -> None:
    """What is YAML, but no compose file, is refused."""
    (output_dir / "compose.yaml").write_text("- web\n", encoding="utf-8")
    done = check("compose.yaml")
    assert (done.returncode, done.stderr) == (2, "error: compose.yaml can't be read (it is no compose file)\n")


def test_missing_directory(check: Run) -> None:
    """Where there is no such directory, nothing can be written into it."""
    done = check("nodir")
    assert (done.returncode, done.stderr) == (2, "error: nodir does not exist\n")


def test_file_that_is_no_text_is_refused(dockwright: Run, output_dir: Path) -> None:
    """What can't be read is no finding: the exit status is that of a value that can't be used."""
    (output_dir / "Dockerfile").write_bytes(b"\xff")
    done = dockwright("check", "Dockerfile")
    assert (done.returncode, done.stderr) == (2, "error: Dockerfile can't be read (it is no text)\n")
