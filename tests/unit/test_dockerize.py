"""`dockwright dockerize`: what is found by looking, what is written, and what is refused. No Docker is needed."""

import ast
import gc
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockwright.dockerize.command import _steps
from dockwright.dockerize.index import Index, shorten_error
from dockwright.dockerize.modules import paused_collector
from dockwright.dockerize.plan import FILES, Plan, Wishes, choose_application, look, make_plan
from dockwright.dockerize.prove import diagnose, empty_package, misplaced_module, verdict
from dockwright.dockerize.python import lock_date
from dockwright.dockerize.requirements import _caret
from dockwright.dockerize.settings import find_settings
from dockwright.dockerize.writing import write
from dockwright.errors import GeneratorError, UsageError
from dockwright.report import quote
from tests.applications import SHAPES, write_application
from tests.unit.checkout import read_tree
from tests.unit.conftest import Run

REFUSED = {"nothing", "django", "two-applications"}
PLANNED = [name for name in SHAPES if name not in REFUSED]
GUNICORN = ("gunicorn", "--bind")
# Of each shape what a server is told, where its dependencies are from, and what else tells it from others
EXPECTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "one-file": ("app:app", "requirements", {"health": "/health", "port": 5000, "program": "gunicorn"}),
    "no-requirements": ("app:app", "imports", {"files": "requirements.txt"}),
    "package": ("run:app", "requirements", {"health": "/healthz", "port": 8080}),
    "factory": ("shop:create_app()", "requirements", {}),
    "factory-arguments": ("shop:create_app('production')", "requirements", {}),
    "factory-instance": ("wsgi:app", "requirements", {}),
    "src-layout": ("shop.web:create_app()", "project", {"pythonpath": "src"}),
    "script": ("app:app", "requirements", {"pythonpath": "src"}),
    "wsgi": ("wsgi:application", "requirements", {"program": "waitress-serve"}),
    "routers": ("app.main:app", "requirements", {"health": "/items/health", "port": 8000, "program": "uvicorn"}),
    "namespace-package": ("app.main:app", "requirements", {}),
    "uv": ("main:app", "uv", {"program": "uvicorn", "extra": ()}),
    "poetry": ("shop.app:app", "poetry", {"extra": ("gunicorn>=23",)}),
    "pdm": ("app:app", "pdm", {}),
    "pipenv": ("app:app", "pipenv", {"python": "3.13"}),
    "pip-tools": ("app:app", "requirements", {}),
    "included-requirements": ("app:app", "requirements", {"extra": ()}),
    "pep-621": ("main:app", "project", {"extra": ("uvicorn>=0.34",)}),
    "setup-py": ("shop:create_app()", "setup", {}),
    "celery": ("app:app", "requirements", {"services": ("redis",), "workers": ["celery -A app:celery worker"]}),
    "local-redis": ("app:app", "requirements", {"services": ("redis",), "local": "redis://localhost"}),
    "rq": ("main:app", "requirements", {"services": ("redis",), "workers": ["rq worker --url"]}),
    "arq": ("shop.web:app", "requirements", {"services": ("redis",), "workers": ["arq shop.jobs.WorkerSettings"]}),
    "dramatiq": ("app:app", "requirements", {"services": ("redis",), "workers": ["dramatiq broker tasks"]}),
    "taskiq": (
        "main:app",
        "requirements",
        {
            "services": ("redis",),
            "workers": ["taskiq worker broker:broker tasks", "taskiq scheduler broker:scheduler tasks"],
        },
    ),
    "socketio": ("chat:app", "requirements", {"extra": ("gunicorn>=23", "simple-websocket")}),
    "asgi-socketio": ("main:app", "requirements", {"extra": ("websockets>=14",)}),
    "static": ("app:app", "requirements", {"copied": ("*.py", "static/", "templates/")}),
    "front-end": ("shop.web:app", "requirements", {"copied": ("shop/",), "front_end": "frontend/dist"}),
    "beside": (
        "app:app",
        "requirements",
        {"home": ".", "copied": ("*.py",), "front_end": "web-client/dist", "required": ["SHOP_LANGUAGE"]},
    ),
    "front-end-beside": ("main:app", "requirements", {"front_end": "static/css/site.css"}),
    "front-end-alone": ("app:app", "requirements", {"copied": ("*.py",), "front_end": ""}),
    "sqlite": ("app:app", "requirements", {"writable": ["shop.db"]}),
    "flask-sqlalchemy": ("app:app", "requirements", {"writable": ["instance"]}),
    "uploads": ("app:app", "requirements", {"writable": ["uploads"]}),
    "data-file": ("app:app", "requirements", {"writable": ["visits.json"], "copied": ("*.py", "visits.json")}),
    "postgresql": (
        "main:app",
        "requirements",
        {
            "services": ("postgresql",),
            "migrate": ("python", "-m", "alembic", "upgrade", "head"),
            "libraries": ("libpq5",),
            "copied": ("*.py", "migrations/", "alembic.ini"),
        },
    ),
    "mariadb": (
        "app:app",
        "requirements",
        {"services": ("mariadb",), "migrate": ("flask", "--app", "app:app", "db", "upgrade")},
    ),
    "mongodb": ("main:app", "requirements", {"services": ("mongodb",), "required": []}),
    "rabbitmq": (
        "app:app",
        "requirements",
        {
            "services": ("rabbitmq",),
            "workers": ["celery -A app:celery worker", "celery -A app:celery beat"],
        },
    ),
    "hypercorn": ("main:app", "requirements", {"program": "hypercorn", "extra": ()}),
    "granian": ("main:app", "requirements", {"program": "granian", "extra": ("watchfiles",)}),
    "uwsgi": ("app:app", "requirements", {"program": "gunicorn", "extra": ("gunicorn>=23",)}),
    "own-options": ("app:app", "requirements", {"program": "gunicorn", "extra": ()}),
    "own-library": ("app:app", "requirements", {"copied": ("*.py", "library/")}),
    "numpy": ("main:app", "requirements", {}),
    "other-port": ("app:app", "requirements", {"port": 8080}),
    "gunicorn-config": ("app:app", "requirements", {"port": 9000}),
    "monorepo": ("app.main:app", "requirements", {"home": "backend"}),
    "mounted": ("main:app", "requirements", {}),
    "subclass": ("server:service", "requirements", {}),
    "settings": ("main:app", "requirements", {"required": ["SECRET_KEY", "TOKEN_MINUTES", "MAIL_SENDER"]}),
    "committed-secrets": ("app:app", "requirements", {"secrets": (".env", "certificates/server.key")}),
    "fails-at-import": ("app:app", "requirements", {}),
    "undeclared": ("app:app", "requirements", {}),
}


@pytest.fixture
def dockerize(dockwright: Run) -> Run:
    """Return a function that runs the command on a directory."""
    return lambda *arguments, **options: dockwright("dockerize", "--offline", *arguments, **options)


def commit(root: Path) -> Path:
    """Make a repository of a directory, with everything in it."""
    environment = {
        **os.environ,
        **{f"GIT_{who}_{what}": "user@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    for command in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", *command], cwd=root, check=True, env=environment)
    return root


def plan_of(root: Path, wishes: Wishes | None = None) -> Plan:
    """Return the plan for a directory with one application."""
    view = look(root)
    application = choose_application(view, (wishes or Wishes()).app)
    assert application, [candidate.flag for candidate in view.candidates]
    return make_plan(view, application, wishes or Wishes())


def facts(plan: Plan) -> dict[str, Any]:
    """Return what the tests ask of a plan, under short names."""
    return {
        "copied": plan.copied,
        "extra": plan.server.extra,
        "files": next((name for name in plan.files if name not in FILES), None),
        "front_end": plan.front_end.output if plan.front_end else "",
        "health": plan.around.health,
        "home": plan.home,
        "libraries": plan.system.run,
        "local": plan.around.local_address,
        "migrate": plan.around.migrate,
        "port": plan.server.port,
        "program": plan.server.command[0],
        "python": plan.python.version,
        "pythonpath": plan.pythonpath,
        "required": plan.required,
        "secrets": plan.secrets,
        "services": tuple(name for name, _ in plan.around.services),
        "workers": [" ".join(worker.command[:4]) for worker in plan.around.workers],
        "writable": [each.path for each in plan.around.writable],
    }


def test_every_shape_is_expected() -> None:
    """Each small application has its expectations."""
    assert set(EXPECTED) == set(PLANNED)


@pytest.mark.parametrize("name", PLANNED)
def test_shape(tmp_path: Path, name: str) -> None:
    """The application, its dependencies, its server and what is around it are found; the files can be parsed."""
    plan = plan_of(commit(write_application(name, tmp_path)))
    target, tool, more = EXPECTED[name]
    assert (plan.application.target, plan.requirements.tool) == (target, tool)
    found = facts(plan)
    expected = {key: [value] if key == "workers" and isinstance(value, str) else value for key, value in more.items()}
    if "workers" in expected:
        found["workers"] = [
            command[: len(start)] for command, start in zip(found["workers"], expected["workers"], strict=True)
        ]
    assert {key: found[key] for key in expected} == expected
    check_files(plan.files)


def check_files(files: Mapping[str, str]) -> None:
    """Fail unless compose files are YAML whose references hold, and the Dockerfile follows its rules."""
    for name in ("compose.yaml", "compose.prod.yaml"):
        stack = yaml.safe_load(files[name])
        volumes = set(stack.get("volumes", {}))
        for service in stack["services"].values():
            named = {volume.partition(":")[0] for volume in service.get("volumes", []) if volume[0] not in "./"}
            assert named <= volumes, named
            assert set(service.get("depends_on", {})) <= set(stack["services"])
            assert not service.get("network_mode", "service:web").removeprefix("service:") not in stack["services"]
        assert "\n\n\n" not in files[name]
    lines = files["Dockerfile"].splitlines()
    assert max(map(len, (line for line in lines if "http.client" not in line))) <= 160
    commands = [line for line in lines if line.startswith("CMD ")]
    assert len(commands) == 1
    json.loads(commands[0].removeprefix("CMD "))
    assert "USER 10001:10001" in lines
    assert lines.index("USER 10001:10001") > max(i for i, line in enumerate(lines) if line.startswith(("RUN", "COPY")))
    assert not any(":latest" in line for line in lines)
    assert all("\t" not in text and text.endswith("\n") for text in files.values())


def test_dockerfile_is_short(tmp_path: Path) -> None:
    """The Dockerfile of the class's application has at most 40 lines."""
    files = plan_of(write_application("one-file", tmp_path)).files
    assert len(files["Dockerfile"].splitlines()) <= 40


@pytest.mark.parametrize("base", ["slim", "alpine", "full"])
def test_hadolint(tmp_path: Path, base: str) -> None:
    """Hadolint has nothing against any Dockerfile, on any base image."""
    for name in PLANNED:
        files = plan_of(write_application(name, tmp_path / base), Wishes(base=base)).files
        (tmp_path / base / name / "Dockerfile").write_text(files["Dockerfile"], encoding="utf-8")
    # DL3008 and DL3018 want versions of Debian's and Alpine's packages, which their archives don't keep.
    command = [
        "hadolint",
        "--ignore",
        "DL3008",
        "--ignore",
        "DL3018",
        *map(str, (tmp_path / base).glob("*/Dockerfile")),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# The command


def test_writes_once(dockerize: Run, tmp_path: Path) -> None:
    """The files are written beside the application, which stays as it is; a second run changes nothing."""
    root = write_application("one-file", tmp_path)
    before = read_tree(root)
    done = dockerize(str(root), "--no-input")
    assert done.returncode == 0, done.stderr
    after = read_tree(root)
    assert set(after) - set(before) == set(FILES)
    assert {name: after[name] for name in before} == before
    again = dockerize(str(root), "--no-input")
    assert "nothing was changed" in again.stdout
    assert read_tree(root) == after


@pytest.mark.parametrize("name", ["celery", "postgresql", "settings", "sqlite", "no-requirements", "other-port"])
def test_second_look_sees_the_same(dockerize: Run, tmp_path: Path, name: str) -> None:
    """What was written doesn't change what is seen."""
    root = commit(write_application(name, tmp_path))
    assert dockerize(str(root), "--no-input").returncode == 0
    commit(root)
    assert "nothing was changed" in dockerize(str(root), "--no-input").stdout


@pytest.mark.parametrize("flag", ["--dry-run", "--diff"])
def test_only_shows(dockerize: Run, tmp_path: Path, flag: str) -> None:
    """--dry-run and --diff write nothing."""
    root = write_application("one-file", tmp_path)
    before = read_tree(root)
    done = dockerize(str(root), flag)
    assert done.returncode == 0, done.stderr
    last = "Nothing was written. --diff shows the text of each file."
    assert ("+FROM python:3.14-slim" if flag == "--diff" else last) in done.stdout
    assert read_tree(root) == before


def test_existing_files_are_kept(dockerize: Run, tmp_path: Path) -> None:
    """Files that are there stay; --force replaces them and keeps copies."""
    root = write_application("one-file", tmp_path)
    mine = root / "Dockerfile"
    mine.write_text("FROM scratch\n", encoding="utf-8")
    assert dockerize(str(root), "--no-input").returncode == 0
    assert mine.read_text(encoding="utf-8") == "FROM scratch\n"
    assert dockerize(str(root), "--no-input", "--force").returncode == 0
    assert (root / "Dockerfile.bak").read_text(encoding="utf-8") == "FROM scratch\n"
    assert mine.read_text(encoding="utf-8").startswith("FROM python:")


def test_other_files_stay(dockerize: Run, tmp_path: Path) -> None:
    """A .dockerignore and an older compose file stay; ours have names that come first, and a note says so."""
    root = write_application("one-file", tmp_path)
    (root / ".dockerignore").write_text(".git\n", encoding="utf-8")
    (root / "docker-compose.yml").write_text("services: {}\n", encoding="utf-8")
    before = read_tree(root)
    done = dockerize(str(root), "--no-input")
    assert done.returncode == 0, done.stderr
    after = read_tree(root)
    assert {name: after[name] for name in before} == before
    assert after["Dockerfile.dockerignore"][1].startswith(b"# Nothing gets into an image")
    assert "takes compose.yaml from now on" in " ".join(done.stdout.split())
    assert "nothing was changed" in dockerize(str(root), "--no-input").stdout


def test_constraints_are_explained(dockerize: Run, tmp_path: Path) -> None:
    """Where versions are written, the plan says what the file is for."""
    sentence = "constraints.txt has the versions to install, because requirements.txt doesn't fix them all."
    assert sentence not in dockerize(str(write_application("one-file", tmp_path)), "--dry-run").stdout
    (tmp_path / "one-file" / "constraints.txt").write_text("flask==3.1.2\n", encoding="utf-8")
    assert sentence in dockerize(str(tmp_path / "one-file"), "--dry-run").stdout


@pytest.mark.parametrize("windows", [True, False], ids=["PowerShell", "POSIX"])
def test_next_steps_are_for_the_shell(tmp_path: Path, windows: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """Where the port is taken, the commands take another, in the form of the user's shell."""
    root = write_application("one-file", tmp_path / "Bob's")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lines = _steps(plan_of(root, Wishes(port=port)), root, windows=windows)
    free = re.search(r"PORT=(\d+)", "".join(lines))
    assert free
    assert free[1] != str(port)
    up = f"$env:PORT={free[1]}; docker compose up" if windows else f"PORT={free[1]} docker compose up"
    curl = "curl.exe" if windows else "curl"
    assert lines[2:4] == [f"  cd {quote([str(root)], windows=windows)}", f"  {up}"]
    assert lines[-1] == f"  {curl} http://localhost:{free[1]}/health"


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one file can't be moved into place, none is, and replaced ones are back."""
    (tmp_path / "a").write_text("mine", encoding="utf-8")
    before = read_tree(tmp_path)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if Path(target).name == "c":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(GeneratorError, match="No space left"):
        write({"a": "ours", "b": "ours", "c": "ours"}, tmp_path, force=True)
    assert read_tree(tmp_path) == before


def test_json(dockerize: Run, tmp_path: Path) -> None:
    """--json prints evidence and plan."""
    root = write_application("celery", tmp_path)
    plan = json.loads(dockerize(str(root), "--dry-run", "--json").stdout)
    assert plan["application"]["target"] == "app:app"
    assert plan["application"]["evidence"]
    assert plan["services"] == ["redis"]
    assert plan["files"] == sorted(FILES)


def test_tie_is_asked(dockerize: Run, tmp_path: Path) -> None:
    """Two applications alike: exit 2 with the flags to choose from; a flag answers."""
    root = write_application("two-applications", tmp_path)
    done = dockerize(str(root), "--no-input")
    assert done.returncode == 2
    for flag in ("--app admin.app:app", "--app shop.app:app"):
        assert flag in done.stderr
    chosen = dockerize(str(root), "--no-input", "--app", "shop.app:app")
    assert chosen.returncode == 0, chosen.stderr
    assert '"shop.app:app"' in (root / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "arguments", "status", "sentence"),
    [
        ("nothing", [], 1, "no Flask or FastAPI application was found in"),
        ("django", [], 1, "has a Django application: dockerize knows Flask and FastAPI only"),
        ("one-file", ["--app", "app:nothing"], 2, "--app app:nothing is no Flask or FastAPI application here: choose"),
        ("one-file", ["--port", "http"], 2, "--port 'http' can't be used: use a number"),
        ("one-file", ["--python", "foo"], 2, "--python 'foo' can't be used: use a version of Python 3"),
        ("one-file", ["--python", "3.5"], 2, "--python '3.5' can't be used: use a version from 3.6 to 3.15"),
        ("one-file", ["--python", "3.99"], 2, "--python '3.99' can't be used: use a version from 3.6 to 3.15"),
        ("one-file", ["--json"], 2, "--json prints no questions"),
        ("one-file", ["--dry-run", "--force"], 2, "--force has no effect here, --dry-run writes nothing"),
    ],
)
def test_refused(  # noqa: PLR0913, PLR0917 # the table's columns
    dockerize: Run, tmp_path: Path, name: str, arguments: list[str], status: int, sentence: str
) -> None:
    """What can't be done ends with a sentence, and nothing is written."""
    root = write_application(name, tmp_path)
    before = read_tree(root)
    done = dockerize(str(root), *arguments, *([] if "--json" in arguments else ["--no-input"]))
    assert done.returncode == status
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert read_tree(root) == before


def test_no_directory(dockerize: Run) -> None:
    """A path that is none is refused."""
    done = dockerize("elsewhere", "--no-input")
    assert (done.returncode, done.stderr) == (2, "error: elsewhere is no directory: name the application's directory\n")


@pytest.mark.parametrize("place", ["shop", "."], ids=["its-own", "below-this-one"])
def test_own_project_is_refused(dockwright: Run, dockerize: Run, output_dir: Path, place: str) -> None:
    """A project that `dockwright new` has written has its files: a sentence says so, and nothing is written."""
    assert dockwright("new", "shop", "--no-input").returncode == 0
    before = read_tree(output_dir)
    done = dockerize(place, "--no-input")
    assert done.returncode == 1
    assert done.stderr.startswith("error: shop was written by `dockwright new`, and has its Dockerfile already:")
    assert "`dockwright check shop`" in done.stderr
    assert " new shop --answers " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert read_tree(output_dir) == before


# Details


@pytest.mark.parametrize(
    "head",
    [
        "from flask import Blueprint\n",
        "from flask import Blueprint, Flask\n\ndef add(app: Flask) -> None:\n    app.register_blueprint(Blueprint())\n",
        "from fastapi import APIRouter, FastAPI\n\ndef add(app: FastAPI, row):\n    app.include_router(APIRouter())\n",
        '"""Part of the Flask application."""\nfrom shop import Settings\n\ndef keep(row):\n    row.save(force=True)\n',
    ],
)
def test_many_files_are_quick(tmp_path: Path, head: str) -> None:
    """Of 1,000 files, those that make nothing are read and not parsed, even if all name the framework."""
    root = write_application("celery", tmp_path)
    for number in range(1000):
        path = root / "shop" / f"part{number // 50}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = f"def total(items):\n    return sum(item.price * {number} for item in items)\n\n\n" * 50
        path.write_text(f"{head}\n{body}", encoding="utf-8")
    view = look(root)
    application = choose_application(view, "")
    assert application
    make_plan(view, application, Wishes())
    assert len(view.modules.names) == 1001
    assert view.modules.parsed < 10


def test_settings_are_read_quickly(tmp_path: Path) -> None:
    """Where every one of 1,000 files reads its environment, only the statements that do are looked through."""
    root = write_application("one-file", tmp_path)
    for number in range(1000):
        head = f"import os\n\nLIMIT = os.environ[\n    'LIMIT_{number}'\n]\n"
        body = f"\n\ndef total(items):\n    return sum(item.price * {number} for item in items)\n" * 50
        (root / f"module{number}.py").write_text(head + body, encoding="utf-8")
    plan = plan_of(root)
    assert len(plan.required) == 1000
    modules = [plan.project.modules.get(f"module{number}.py") for number in range(1000)]
    assert not any("nodes" in vars(module) for module in modules)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from os import environ as env, getenv as read\n\nA = env['A']\nB = read('B')\n", {"A": True, "B": False}),
        (
            "import os\n\n\n@cached(\n    os.environ['A']\n)\ndef keep():\n    return os.getenv('B')\n",
            {"A": True, "B": False},
        ),
        (
            "import environ\n\nenv = environ.Env()\nA = env.int('A')\nB = 1; C = env('C', default='x')\n",
            {"A": True, "C": False},
        ),
        ("from starlette.config import Config\n\nread = Config()\nA = read(\n    'A'\n)\n", {"A": True}),
        ("from decouple import config\n\n\nclass Settings:\n    A = config('A', cast=int)\n", {"A": True}),
    ],
    ids=["aliases", "decorator", "environ", "starlette", "decouple"],
)
def test_settings_under_any_name(tmp_path: Path, code: str, names: dict[str, bool]) -> None:
    """What reads the environment is followed through imports and assignments, also over several lines."""
    root = write_application("one-file", tmp_path)
    (root / "settings.py").write_text(code, encoding="utf-8")
    assert {each.name: each.required for each in plan_of(root).around.settings} == names


def test_settings_through_functions_of_ones_own(tmp_path: Path) -> None:
    """A function that reads the variable whose name it gets: its calls are settings, required where it raises."""
    code = """
        import os

        from flask import Flask


        def required(name):
            value = os.environ.get(name)
            if value is None:
                raise RuntimeError(name)
            return value


        def wanted(name, default=None):
            return os.getenv(name, default)


        def other(name):
            return name


        app = Flask(__name__)
        app.secret_key = required("SHOP_KEY")
        app.title = wanted("SHOP_TITLE", "Shop")
        other("nothing")
    """
    root = application(tmp_path, app__py=textwrap.dedent(code), more__py="import app\n\napp.required('SHOP_MORE')\n")
    found = {each.name: (each.required, each.default) for each in plan_of(root).around.settings}
    assert found == {"SHOP_KEY": (True, ""), "SHOP_TITLE": (False, "Shop"), "SHOP_MORE": (True, "")}


def test_application_of_an_object(tmp_path: Path) -> None:
    """An application that a class keeps is found under the name that the module gives it."""
    code = """
        from fastapi import FastAPI


        class Server:
            def __init__(self):
                self.api = FastAPI()
                self.api.add_api_route("/", lambda: "served")


        server = Server()
        application = server.api
    """
    plan = plan_of(application(tmp_path, "fastapi\nuvicorn\n", service__py=textwrap.dedent(code), app__py=""))
    assert plan.application.target == "service:application"


def test_declarations_in_a_program(tmp_path: Path) -> None:
    """Dependencies in the program's own comments are taken, with their versions and the Python that they ask for."""
    head = '# /// script\n# requires-python = "==3.13.*"\n# dependencies = [\n#   "flask<4",\n# ]\n# ///\n'
    (tmp_path / "app.py").write_text(f"{head}from flask import Flask\n\napp = Flask(__name__)\n", encoding="utf-8")
    plan = plan_of(tmp_path)
    assert plan.files["requirements.txt"] == "flask<4\n"
    assert plan.python.version == "3.13"
    (tmp_path / "app.py").write_text(head.replace("[", "(") + "from flask import Flask\n\napp = Flask(__name__)\n")
    with pytest.raises(GeneratorError, match="in comments that are not valid TOML"):
        plan_of(tmp_path)


def test_named_directory_is_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't be imported from inside: from above, with its own requirements, it can."""
    root = tmp_path / "shop"
    root.mkdir()
    application(root, "flask<4\n")
    (root / "app.py").rename(root / "__init__.py")
    monkeypatch.chdir(root)
    with pytest.raises(GeneratorError, match=r"imported from above: .*: dockwright dockerize \.\.$"):
        plan_of(Path())
    plan = plan_of(tmp_path)
    assert (plan.application.target, plan.requirements.manifest) == ("shop:app", "shop/requirements.txt")
    assert "source=shop/requirements.txt,target=shop/requirements.txt" in plan.files["Dockerfile"]


def test_collector_leaves_trees_alone() -> None:
    """When the garbage collector runs again, it doesn't look through what has been parsed."""
    gc.unfreeze()
    with paused_collector():
        trees = [ast.parse("total = 1 + 2") for _ in range(10)]
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(trees)
    gc.unfreeze()


def test_repository_runs_nothing(tmp_path: Path) -> None:
    """Neither the code nor the repository's own git configuration is run."""
    root = commit(write_application("one-file", tmp_path))
    trap = root / "trap.sh"
    trap.write_text("#!/bin/sh\ntouch sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(trap)], cwd=root, check=True)
    (root / "app.py").write_text(
        "open('sprung', 'w')\n" + (root / "app.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    plan_of(root)
    assert not (root / "sprung").exists()


def test_ignored_files_are_not_seen(tmp_path: Path) -> None:
    """What git ignores is neither evidence nor copied."""
    root = write_application("one-file", tmp_path)
    (root / ".gitignore").write_text("old/\n", encoding="utf-8")
    (root / "old").mkdir()
    (root / "old" / "wsgi.py").write_text("from flask import Flask\napplication = Flask(__name__)\n", encoding="utf-8")
    commit(write_application("factory", tmp_path))
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    plan = plan_of(root)
    assert plan.application.target == "app:app"
    assert plan.copied == ("*.py",)


def test_virtual_environment_is_not_seen(tmp_path: Path) -> None:
    """Without git, a virtual environment is passed over, whatever its name."""
    root = write_application("one-file", tmp_path)
    package = root / "my-env" / "lib" / "flask"
    package.mkdir(parents=True)
    (root / "my-env" / "pyvenv.cfg").touch()
    (package / "wsgi.py").write_text("from flask import Flask\napp = Flask(__name__)\n", encoding="utf-8")
    assert [candidate.target for candidate in look(root).candidates] == ["app:app"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("Procfile", "web: gunicorn admin.app:app\n"),
        ("pyproject.toml", '[tool.fastapi]\nentrypoint = "admin.app:app"\n'),
        (".flaskenv", "FLASK_APP=admin/app.py\n"),
        ("render.yaml", "services:\n  - startCommand: gunicorn admin.app:app\n"),
        ("start.sh", "#!/bin/sh\nexec python -m gunicorn \\\n  -b 0.0.0.0:80 admin.app:app\n"),
        ("docker-compose.yml", "services:\n  web:\n    command: flask --app admin.app run\n"),
        ("Dockerfile", 'FROM python\nCMD ["gunicorn", "-w", "4", "admin.app:app"]\n'),
        ("README.md", "Run it:\n\n    $ export FLASK_APP=admin/app.py\n"),
        ("README.md", "```\ncd admin && gunicorn app:app\n```\n"),
    ],
)
def test_evidence(tmp_path: Path, file: str, content: str) -> None:
    """A command in any of the usual places decides between two applications."""
    root = write_application("two-applications", tmp_path)
    (root / file).write_text(content, encoding="utf-8")
    plan = plan_of(root)
    assert plan.application.entry.file == "admin/app.py"
    assert any(file in each for each in plan.application.evidence), plan.application.evidence


@pytest.mark.parametrize(
    ("file", "content", "version"),
    [
        (".python-version", "3.13.2\n", "3.13"),
        ("runtime.txt", "python-3.11.4\n", "3.11"),
        ("pyproject.toml", '[project]\nname = "x"\nrequires-python = "<3.13"\ndependencies = ["flask"]\n', "3.12"),
        ("pyproject.toml", '[project]\nname = "x"\nrequires-python = "==3.8.*"\ndependencies = ["flask"]\n', "3.8"),
    ],
)
def test_python(tmp_path: Path, file: str, content: str, version: str) -> None:
    """The version that files ask for is taken; one without security fixes is said."""
    root = write_application("no-requirements", tmp_path)
    (root / file).write_text(content, encoding="utf-8")
    plan = plan_of(root)
    assert plan.python.version == version
    assert f"FROM python:{version}-slim" in plan.files["Dockerfile"]
    assert any("no security fixes" in note for note in plan.notes) == (version == "3.8")


@pytest.mark.parametrize(
    ("wheel", "version"),
    [
        ("tools-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", "3.13"),
        ("tools-1.0-cp39-abi3-manylinux_2_17_x86_64.whl", "3.14"),
        ("tools-1.0-py2.py3-none-any.whl", "3.14"),
        ("tools-1.0-cp312-cp312-macosx_11_0_arm64.whl", "3.14"),
    ],
)
def test_lock_decides_on_python(tmp_path: Path, wheel: str, version: str) -> None:
    """The newest Python is taken for which a lock has wheels; where it has none, they are compiled."""
    root = write_application("pdm", tmp_path)
    (root / "pdm.lock").write_text(
        f'[[package]]\nname = "tools"\nversion = "1.0"\ngroups = ["default"]\nfiles = [{{file = "{wheel}"}}]\n',
        encoding="utf-8",
    )
    plan = plan_of(root)
    assert plan.python.version == version
    assert plan.has_build_stage == ("macosx" in wheel)


def test_settings_of_every_library(tmp_path: Path) -> None:
    """Required settings are told from those with a default."""
    (tmp_path / "app.py").write_text(
        """
import os
from decouple import config
from environs import Env
from flask import Flask
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

env = Env()
app = Flask(__name__)
A = os.environ["A"]
B = os.environ.get("B", "b")
C = config("C")
D = config("D", default=1, cast=int)
E = env.str("E")
F = env.bool("F", default=False)


class Base(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_")


class Settings(Base):
    model_config = SettingsConfigDict(env_prefix="APP_")
    g: str
    h: int = 3
    i: str = Field(...)
    j: str = Field(alias="J")
    k: str | None = None
""",
        encoding="utf-8",
    )
    view = look(tmp_path)
    found = {each.name: each.required for each in find_settings(view.sources, view.modules, ".")}
    required = {"A": True, "B": False, "C": True, "D": False, "E": True, "F": False}
    assert found == required | {"APP_G": True, "APP_H": False, "APP_I": True, "J": True, "APP_K": False}


def test_committed_secrets_stay_out(tmp_path: Path) -> None:
    """Nothing but what is named gets into the build, and of that no keys."""
    plan = plan_of(commit(write_application("committed-secrets", tmp_path)))
    lines = plan.files[".dockerignore"].splitlines()
    assert lines[1] == "*"
    assert "**/.*" in lines
    assert "**/*.key" in lines
    assert lines.index("!certificates") < lines.index("**/*.key")


def test_windows_requirements_are_explained(tmp_path: Path) -> None:
    """A file in UTF-16, as PowerShell writes it, is refused with what to do."""
    root = write_application("one-file", tmp_path)
    (root / "requirements.txt").write_text("flask\n", encoding="utf-16")
    with pytest.raises(GeneratorError, match=r"requirements\.txt is UTF-16, as PowerShell.* save it as UTF-8"):
        plan_of(root)


def test_unknown_arguments_are_asked_for(tmp_path: Path) -> None:
    """A factory whose arguments nothing names is refused, with the flag that gives them; the flag works."""
    root = write_application("factory-arguments", tmp_path)
    (root / "manage.py").unlink()
    with pytest.raises(
        GeneratorError, match=r"create_app in shop/__init__.py needs config_name.*--app 'shop:create_app"
    ):
        plan_of(root)
    plan = plan_of(root, Wishes(app='shop:create_app("test")'))
    assert plan.application.target == 'shop:create_app("test")'


def test_command_for_tables_is_told(tmp_path: Path) -> None:
    """Where a command of the application makes its tables, a note says when to run it."""
    root = write_application("sqlite", tmp_path)
    (root / "commands.py").write_text(
        'import click\n\n\n@click.command("init-db")\ndef run():\n    pass\n', encoding="utf-8"
    )
    assert any("docker compose exec web flask init-db" in note for note in plan_of(root).notes)


def test_broken_code_is_told(tmp_path: Path) -> None:
    """A file that is not valid Python is passed over, and named."""
    root = write_application("one-file", tmp_path)
    (root / "flask_old.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\nprint 'hello'\n", encoding="utf-8"
    )
    assert any("flask_old.py line 3" in note for note in plan_of(root).notes)


@pytest.mark.parametrize("arguments", ["module:nothing", "a:b:c", ":", "app:"])
def test_wrong_target(tmp_path: Path, arguments: str) -> None:
    """--app with something else is refused with what there is."""
    view = look(write_application("one-file", tmp_path))
    if arguments == "app:":
        assert choose_application(view, arguments)
        return
    with pytest.raises(UsageError, match="choose from app:app"):
        choose_application(view, arguments)


@pytest.mark.parametrize(
    ("log", "explanation", "changed"),
    [
        ("ImportError: libGL.so.1: cannot open shared object file: No such file", "libGL.so.1 is missing", "libraries"),
        ("ImportError: libodd.so.7: cannot open shared object file: No such file", "libodd.so.7 is missing", ""),
        ("Error: pg_config executable not found.", "a dependency has no wheel", "compiles"),
        (
            "error: Failed to build `pygresql==6.2.3`\n  /bin/sh: 1: pg_config: not found",
            "pygresql has no wheel and has to be compiled",
            "compiles",
        ),
        ("error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'", "has no wheel", "compiles"),
        ("ImportError: cannot import name 'formatargspec' from 'inspect' (x)", "has no formatargspec any more", ""),
        ("AttributeError: module 'ast' has no attribute 'Str'", "has no Str any more: try an older --python", ""),
        ("ImportError: cannot import name 'db' from 'shop' (/app/shop.py)", "cannot import name 'db' from 'shop'", ""),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "a dependency needs pkg_resources", "packages"),
        ("ModuleNotFoundError: No module named 'imp'", "has no imp any more: try an older --python", ""),
        ("sqlite3.OperationalError: no such table: post", "the database has no tables", ""),
        ("ModuleNotFoundError: No module named 'yaml'", "yaml is imported, but not declared", "packages"),
        ("    raise KeyError(key) from None\nKeyError: 'SECRET_KEY'", "needs the setting SECRET_KEY", ""),
        ("1 validation error for Settings\nmail_from\n  Field required [type=missing", "the setting MAIL_FROM", ""),
        ("PermissionError: [Errno 13] Permission denied: '/app/cache'", "writes /app/cache", ""),
        ("redis.exceptions.ConnectionError: Connection refused.", "can't reach a service", ""),
        ("ValueError: no model", "ValueError: no model", ""),
    ],
)
def test_log_is_read(log: str, explanation: str, changed: str) -> None:
    """What a failed start logs is told in a sentence, and one remedy is proposed where there is one."""
    told, wishes, _ = diagnose(f"web-1  | Traceback\n{log}", Wishes())
    assert explanation in told
    assert (wishes is not None) == bool(changed)
    if wishes:
        assert getattr(wishes, changed)


def application(root: Path, requirements: str = "flask\n", **files: str) -> Path:
    """Write a one-file application, with other files beside it; `__` in a name is a dot."""
    (root / "requirements.txt").write_text(requirements, encoding="utf-8")
    code = "import os\n\nfrom flask import Flask\n\napp = Flask(__name__)\n"
    for name, content in ({"app__py": code} | files).items():
        (root / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return root


def test_library_is_looked_up() -> None:
    """The package of a library that no table has is looked for; where nobody has it, that is said."""
    log = "ImportError: libfoo.so.1: cannot open shared object file: No such file or directory"
    explanation, changed, remedy = diagnose(log, Wishes(), {"libfoo.so.1": "libfoo1"}.__getitem__)
    assert (explanation, changed, remedy) == (
        "libfoo.so.1 is missing in the image",
        Wishes(libraries=("libfoo1",)),
        "adding libfoo1",
    )
    assert "add the Debian package that has it" in diagnose(log, Wishes())[0]
    # What was added and didn't help is not added again.
    assert diagnose(log, Wishes(libraries=("libfoo1",)), lambda _: "libfoo1")[1] is None


@pytest.mark.parametrize(("library", "package"), [("libpq.so.5", "libpq"), ("libfoo.so.1", "so:libfoo.so.1")])
def test_library_is_added_on_alpine(tmp_path: Path, library: str, package: str) -> None:
    """On Alpine, a missing library is added by its package's name, or by its own, which apk takes too."""
    log = f"OSError: Error loading shared library {library}: No such file or directory (needed by /opt/venv/lib/_pg.so)"
    _, changed, remedy = diagnose(log, Wishes(base="alpine"))
    assert remedy == f"adding {package}"
    assert changed
    root = write_application("one-file", tmp_path)
    assert f"\nRUN apk add --no-cache {package}\n" in plan_of(root, changed).files["Dockerfile"]
    explanation, again, _ = diagnose(log, changed)
    assert "take --base-image slim" in explanation
    assert not again


def test_unknown_code_is_compiled_on_alpine(tmp_path: Path) -> None:
    """What has to be compiled and is in no table may be C++: its compiler is there, in the first stage only."""
    root = write_application("one-file", tmp_path)
    wishes = Wishes(base="alpine", compiles=True)
    first, last = plan_of(root, wishes).files["Dockerfile"].split("\n\n\n")
    assert "RUN apk add --no-cache gcc musl-dev libffi-dev g++ make\n" in first
    assert "apk" not in last
    log = "Failed to build `tools==1`\nerror: command 'g++' failed"
    assert "on Alpine, even with a compiler: take --base-image slim" in diagnose(log, wishes)[0]


def test_volumes_have_names_of_their_own(tmp_path: Path) -> None:
    """What the application writes is never kept in the volume of a database, or of something else that it writes."""
    code = """
        import os
        import redis
        from flask import Flask

        app = Flask(__name__)
        store = redis.from_url(os.environ["REDIS_URL"])
        os.makedirs("redis", exist_ok=True)
        os.makedirs("data", exist_ok=True)
        os.makedirs("data/my files", exist_ok=True)
        open("notes.json", "w").write("x")
    """
    (tmp_path / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("flask\nredis\n", encoding="utf-8")
    stack = yaml.safe_load(plan_of(tmp_path).files["compose.prod.yaml"])
    mounts = [mount.split(":") for service in ("web", "redis") for mount in stack["services"][service]["volumes"]]
    assert len({name for name, _ in mounts}) == len(mounts)
    assert {name for name, _ in mounts} == set(stack["volumes"])
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name, _ in mounts)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("requirements.txt", "flask\ngit+https://example.com/tools.git\n"),
        ("requirements.txt", "flask\ngit+https://example.com/repository.git@v1.2#egg=tools\n"),
        ("requirements.txt", "flask\ngit+ssh://git@example.com/shop/tools@main#subdirectory=python\n"),
        (
            "pyproject.toml",
            (
                '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask", "tools"]\n'
                '[tool.uv.sources]\ntools = { git = "https://example.com/tools.git" }\n'
            ),
        ),
        (
            "pyproject.toml",
            (
                '[tool.poetry.dependencies]\npython = "^3.13"\nflask = "*"\n'
                'tools = { git = "https://example.com/tools.git", tag = "v1" }\n'
            ),
        ),
        ("Pipfile", '[packages]\nflask = "*"\ntools = { git = "https://example.com/tools.git", ref = "v1" }\n'),
        (
            "pylock.toml",
            (
                'lock-version = "1.0"\n[[packages]]\nname = "tools"\n'
                'vcs = { type = "git", url = "https://example.com/tools.git", commit-id = "0" }\n'
            ),
        ),
    ],
    ids=["unnamed", "egg", "subdirectory", "uv-sources", "poetry", "pipenv", "pylock"],
)
def test_git_dependencies_are_seen_in_every_form(tmp_path: Path, file: str, content: str) -> None:
    """Wherever a dependency from a git repository is declared, the stage that installs it has git."""
    (tmp_path / "app.py").write_text("from flask import Flask\n\napp = Flask(__name__)\n", encoding="utf-8")
    (tmp_path / file).write_text(content, encoding="utf-8")
    assert "# Compiles what has no wheel (tools)" in plan_of(tmp_path).files["Dockerfile"]


def test_editable_git_dependency_is_refused(tmp_path: Path) -> None:
    """The tool that installs can't do that: the sentence has the line to write."""
    root = application(tmp_path, "flask\n-e git+https://example.com/tools.git#egg=tools\n")
    with pytest.raises(GeneratorError, match=r"takes that only without the option: NAME @ git\+"):
        plan_of(root)


@pytest.mark.parametrize("base", ["slim", "alpine"])
def test_git_dependencies_are_fetched_in_a_stage_with_git(tmp_path: Path, base: str) -> None:
    """A dependency from a git repository is installed where git is: not in the image that runs."""
    root = write_application("one-file", tmp_path)
    (root / "requirements.txt").write_text("flask\ntools @ git+https://example.com/tools.git\n", encoding="utf-8")
    first, last = plan_of(root, Wishes(base=base)).files["Dockerfile"].split("\n\n\n")
    assert "(tools)" in first
    assert first.startswith("# Compiles what has no wheel")
    assert base == "slim" or " git" in first
    assert "git" not in last


def test_declared_package_without_its_module(tmp_path: Path) -> None:
    """A package that is declared and has no such module is told, not installed once more from somewhere else."""
    plan = plan_of(application(tmp_path, "flask\nmy_tools @ git+https://example.com/my-tools.git\n"))
    told = empty_package(plan, "ModuleNotFoundError: No module named 'my_tools'")
    assert told == "my-tools is declared, but what is installed under this name has no module my_tools"
    assert empty_package(plan, "ModuleNotFoundError: No module named 'yaml'") == ""


def test_own_module_is_never_installed(tmp_path: Path) -> None:
    """A module of the repository that can't be imported is told: a package of that name would be something else."""
    view = look(write_application("script", tmp_path))
    assert misplaced_module(view, "ModuleNotFoundError: No module named 'models'").startswith("src/models.py is not on")
    assert misplaced_module(view, "ModuleNotFoundError: No module named 'yaml'") == ""


def test_host_of_a_client_is_led_to_its_service(tmp_path: Path) -> None:
    """Whatever a setting is called: if a client of the service gets it as its host, it leads there."""
    code = (
        "import redis\n"
        'store = redis.Redis(host=os.environ.get("SESSION_STORE", "localhost"))\n'
        'other = os.environ.get("SEARCH_PLACE", "localhost")\n'
    )
    assert connections_of(tmp_path, "flask\nredis\n", code) == {"SESSION_STORE": "redis"}


def test_parts_of_rabbitmq_are_led_to_it(tmp_path: Path) -> None:
    """A setting with the whole address gets one, and settings with parts of it get theirs."""
    names = ("CELERY_BROKER_URL", "AMQP_URL", "RABBITMQ_HOST", "RABBITMQ_PORT", "RABBITMQ_USER", "RABBITMQ_VHOST")
    code = "".join(f"os.environ.get({name!r})\n" for name in (*names, "BROKER_POOL_LIMIT"))
    address = "amqp://app:app@rabbitmq:5672"
    values = (address, address, "rabbitmq", "5672", "app", "/")
    assert connections_of(tmp_path, "flask\npika\n", code) == dict(zip(names, values, strict=True))


@pytest.mark.parametrize(
    ("shape", "procfile", "expected"),
    [
        ("arq", "worker: arq shop.jobs.WorkerSettings --burst", "arq shop.jobs.WorkerSettings --burst"),
        ("arq", "worker: arq shop.jobs.WorkerSettings --watch .", "arq shop.jobs.WorkerSettings"),
        ("dramatiq", "jobs: dramatiq tasks --processes 1 --threads 4", "dramatiq tasks --processes 1 --threads 4"),
        ("dramatiq", "jobs: dramatiq is a queue", "dramatiq broker tasks"),
        (
            "taskiq",
            "tasks: taskiq worker --workers 1 broker:broker tasks",
            "taskiq worker --workers 1 broker:broker tasks",
        ),
    ],
)
def test_own_command_of_a_worker_is_kept(tmp_path: Path, shape: str, procfile: str, expected: str) -> None:
    """A Procfile's command is taken with its options, unless it is for development or names no module."""
    root = write_application(shape, tmp_path)
    (root / "Procfile").write_text(f"{procfile}\n", encoding="utf-8")
    assert " ".join(plan_of(root).around.workers[0].command) == expected


def test_broker_in_memory_has_no_worker(tmp_path: Path) -> None:
    """Another process would never see its tasks."""
    root = write_application("taskiq", tmp_path)
    code = "from taskiq import InMemoryBroker\n\nbroker = InMemoryBroker()\n"
    (root / "broker.py").write_text(code, encoding="utf-8")
    assert not plan_of(root).around.workers


def test_front_end_apart(tmp_path: Path, dockerize: Run) -> None:
    """Beside the application's directory, it is built where both can be seen; a second run changes nothing."""
    root = write_application("beside", tmp_path)
    for _ in range(2):
        dockerize(str(root), "--no-input")
    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    assert "WORKDIR /app/backend\n" in dockerfile
    assert "source=backend/requirements.txt,target=requirements.txt" in dockerfile
    assert "COPY --chmod=755 backend .\n" in dockerfile
    assert "/app/web-client/dist /app/web-client/dist\n" in dockerfile
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"!backend/*.py", "!backend/requirements.txt", "!web-client"} < set(ignored)
    assert not (root / "backend" / "Dockerfile").exists()


def test_library_beside(tmp_path: Path) -> None:
    """A package beside the application's directory is mounted to be installed, and copied where it is linked to."""
    root = write_application("beside", tmp_path)
    mount = "--mount=type=bind,source=common,target=/app/common,rw"
    copy = "COPY --chmod=755 common /app/common\n"
    files = plan_of(root).files
    assert mount in files["Dockerfile"]
    assert copy in files["Dockerfile"]
    assert "!common" in files[".dockerignore"].splitlines()
    requirements = root / "backend" / "requirements.txt"
    requirements.write_text("flask\n../common\n", encoding="utf-8")
    assert copy not in plan_of(root).files["Dockerfile"]
    requirements.unlink()
    manifest = root / "backend" / "pyproject.toml"
    for place, is_copied in (('path = "../common"', False), ('path = "../common", editable = true', True)):
        project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask", "common"]\n'
        manifest.write_text(f"{project}[tool.uv.sources]\ncommon = {{ {place} }}\n", encoding="utf-8")
        text = plan_of(root).files["Dockerfile"]
        assert mount in text
        assert (copy in text) == is_copied
    lock = (
        'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "common"\nsource = { editable = "../common" }\n'
    )
    (root / "backend" / "uv.lock").write_text(lock, encoding="utf-8")
    text = plan_of(root).files["Dockerfile"]
    assert mount in text
    assert "--no-editable" in text
    assert copy not in text


def test_library_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package outside of the named directory stops with the command that sees it, or with its name."""
    root = write_application("beside", tmp_path)
    monkeypatch.chdir(root / "backend")
    with pytest.raises(GeneratorError, match=r"installs \.\./common, which is outside .*: dockwright dockerize \.\.$"):
        plan_of(Path())
    (root / "backend" / "requirements.txt").write_text("flask\n../missing\n", encoding="utf-8")
    with pytest.raises(GeneratorError, match=r"installs \.\./missing, and there is no such directory"):
        plan_of(root)


def test_front_end_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be built is said, with what to do."""
    root = write_application("beside", tmp_path)
    (root / "backend" / "requirements.txt").write_text("flask\n", encoding="utf-8")
    monkeypatch.chdir(root / "backend")
    notes = plan_of(Path()).notes
    assert any("to build it, too, run `dockwright dockerize ..`" in note for note in notes), notes
    monkeypatch.chdir(root)
    (root / "backend" / "Dockerfile").write_text("FROM python:3.14-slim\n", encoding="utf-8")
    plan = plan_of(root)
    assert plan.home == "backend"
    assert any("out of reach of backend/Dockerfile" in note for note in plan.notes)
    (root / "backend" / "Dockerfile").unlink()
    (root / "backend" / "app.py").write_text(
        "from flask import Flask\n\napp = Flask(__name__, static_folder='../dist')\n", encoding="utf-8"
    )
    for name in ("package.json", "build.js"):
        (root / "web-client" / name).rename(root / name)
    assert any("move it to a directory of its own" in note for note in plan_of(root).notes)


def test_front_end_is_in_no_volume(tmp_path: Path) -> None:
    """What is built into the image is no volume in production, which would keep the output of the first version."""
    root = write_application("front-end", tmp_path)
    file = root / "shop" / "web.py"
    code = 'import os\n\nos.makedirs("frontend/dist", exist_ok=True)\n'
    file.write_text(code + file.read_text(encoding="utf-8"), encoding="utf-8")
    plan = plan_of(root)
    assert plan.front_end
    assert plan.around.writable == ()


def test_rabbitmq_runs_as_its_own_user(tmp_path: Path) -> None:
    """A health check of root could create the cookie file before the server does, which then can't read it."""
    plan = plan_of(write_application("rabbitmq", tmp_path))
    for name in ("compose.yaml", "compose.prod.yaml"):
        assert yaml.safe_load(plan.files[name])["services"]["rabbitmq"]["user"] == "rabbitmq"


def test_env_is_never_replaced(dockerize: Run, tmp_path: Path) -> None:
    """Where .env exists, no command copies over it: what it lacks is named, or nothing."""
    root = write_application("settings", tmp_path)
    assert "cp .env.example .env" in dockerize(str(root), "--no-input").stdout
    (root / ".env").write_text("SECRET_KEY=mine\nexport MAIL_SENDER=me@example.com\n", encoding="utf-8")
    printed = dockerize(str(root), "--no-input").stdout
    assert "cp .env" not in printed
    assert "Add to your .env, as .env.example has it: TOKEN_MINUTES" in printed
    with (root / ".env").open("a", encoding="utf-8") as file:
        file.write("TOKEN_MINUTES = 5\n")
    assert "your .env" not in dockerize(str(root), "--no-input").stdout
    assert "copy .env.example" not in (root / "compose.yaml").read_text(encoding="utf-8")


def connections_of(root: Path, requirements: str, code: str) -> dict[str, str]:
    """Return the settings that lead to services, for code that is put into an application."""
    code = f"import os\n\nfrom flask import Flask\n\n{code}\napp = Flask(__name__)\n"
    return dict(plan_of(application(root, requirements, app__py=code)).around.connections)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("with app.app_context():\n        db.create_all()\n    app.run()", "app.py line 8: db.create_all() runs only"),
        ("import threading\n    threading.Thread(target=work).start()\n    app.run()", "threading.Thread(target=work)"),
        ("print('starting')\n    port = 5000\n    app.run(port=port)", ""),
    ],
    ids=["tables", "thread", "nothing"],
)
def test_what_only_a_program_does_is_told(tmp_path: Path, body: str, told: str) -> None:
    """What is in the main guard beside serving is not run by a server: a note says what to do."""
    code = f"from flask import Flask\n\napp = Flask(__name__)\n\n\nif __name__ == '__main__':\n    {body}\n"
    notes = " ".join(plan_of(application(tmp_path, app__py=code)).notes)
    assert told in notes
    assert bool(told) == ("move it out of" in notes)


def test_other_programs_of_a_script_are_told(tmp_path: Path) -> None:
    """A script that starts the application and something else: a note names what is not started."""
    root = application(tmp_path, collector__py="", start__sh="python collector.py --all &\npython app.py\n")
    notes = plan_of(root).notes
    assert any(note.startswith("start.sh also runs python collector.py --all, and nothing does") for note in notes)


def test_home_directory_is_lost(tmp_path: Path) -> None:
    """What is written in the home directory is in no volume: that is told."""
    code = """
        import os
        import sqlite3
        from pathlib import Path

        from flask import Flask

        app = Flask(__name__)
        sqlite3.connect(os.path.expanduser("~/shop.db"))
        (Path.home() / "notes").mkdir()
    """
    plan = plan_of(application(tmp_path, app__py=textwrap.dedent(code)))
    assert not plan.around.writable
    assert [note.partition(" ")[0] for note in plan.notes if "home directory" in note] == ["~/shop.db", "~/notes"]


@pytest.mark.parametrize(
    ("files", "port"),
    [
        ({"app__py": "from flask import Flask\napp = Flask(__name__)\nserve = 1\n"}, 5000),
        (
            {"run__py": "from shop import create_app\nif __name__ == '__main__':\n    create_app().run(port=8081)\n"},
            8081,
        ),
        (
            {"run__py": "import os\nfrom app import app\nport = int(os.getenv('PORT', '8082'))\napp.run(port=port)\n"},
            8082,
        ),
        ({"run__py": "from waitress import serve\nfrom app import app\nserve(app, host='::', port=8083)\n"}, 8083),
        ({"start__bat": "waitress-serve --port=8084 app:app\r\n"}, 8084),
        ({"run__py": "app.run(port=8085)\n", "other__py": "app.run(port=8086)\n"}, 5000),
    ],
)
def test_port_of_a_program_is_kept(tmp_path: Path, files: dict[str, str], port: int) -> None:
    """The port that the application's own program listens on, in whatever form, is the one in the image."""
    assert plan_of(application(tmp_path, **files)).server.port == port


def test_paths_of_a_configuration_are_followed(tmp_path: Path) -> None:
    """`config.update`, `config.from_mapping`: what they set is written elsewhere."""
    code = """
        import os
        import sqlite3

        from flask import Flask

        here = os.path.dirname(os.path.abspath(__file__))
        app = Flask(__name__)
        app.config.from_mapping(DATABASE=os.path.join(here, "data", "shop.db"))
        app.config.update({"PICTURES": os.path.join(here, "pictures")})


        def connect():
            os.makedirs(app.config["PICTURES"])
            return sqlite3.connect(app.config["DATABASE"])
    """
    plan = plan_of(application(tmp_path, app__py=textwrap.dedent(code)))
    assert {each.path for each in plan.around.writable} == {"data", "pictures"}


def test_name_of_requirements_in_any_case(tmp_path: Path) -> None:
    """Windows takes Requirements.txt for requirements.txt: so does this, and writes no second one."""
    root = write_application("one-file", tmp_path)
    (root / "requirements.txt").rename(root / "Requirements.txt")
    plan = plan_of(root)
    assert plan.requirements.files == ("Requirements.txt",)
    assert "source=Requirements.txt,target=Requirements.txt" in plan.files["Dockerfile"]
    assert "requirements.txt" not in plan.files


def test_sources_without_requirements(tmp_path: Path) -> None:
    """Where nothing is declared, the directory above src is the application's; conda's file is pointed out."""
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights.json").write_text("[]", encoding="utf-8")
    (tmp_path / "environment.yml").write_text("dependencies: [flask]\n", encoding="utf-8")
    (tmp_path / "src" / "shop" / "__init__.py").touch()
    code = "from flask import Flask\n\nfrom shop import words\n\napp = Flask(__name__)\n"
    (tmp_path / "src" / "shop" / "web.py").write_text(code, encoding="utf-8")
    (tmp_path / "src" / "shop" / "words.py").touch()
    plan = plan_of(tmp_path)
    assert (plan.home, plan.pythonpath, plan.copied) == (".", "src", ("models/", "src/"))
    assert any(note.startswith("environment.yml is conda's") for note in plan.notes)


def test_tests_never_get_the_database(tmp_path: Path) -> None:
    """A setting of tests is not led to the database, which tests would empty."""
    code = 'os.environ.get("DATABASE_URL")\nos.environ.get("TEST_DATABASE_URL")\nos.environ.get("DB_HOST_TESTING")\n'
    assert connections_of(tmp_path, "flask\npsycopg2-binary\n", code).keys() == {"DATABASE_URL"}


def test_other_engines_are_left_alone(tmp_path: Path) -> None:
    """A setting whose name or default is of another engine is not led to this one."""
    code = "\n".join(
        f"os.environ.get({name!r}, {default!r})"
        for name, default in {
            "DATABASE_URL": "postgresql://localhost/shop",
            "MYSQL_PORT": "3306",
            "MYSQL_URL": "",
            "LEGACY_DB_URL": "mysql://localhost/old",
            "SCRATCH_DB_URL": "sqlite:///scratch.db",
        }.items()
    )
    found = connections_of(tmp_path, "flask\npsycopg2-binary\n", code)
    assert found.keys() == {"DATABASE_URL", "SCRATCH_DB_URL"}


def test_computed_settings_are_left_to_their_parts(tmp_path: Path) -> None:
    """A setting whose default is put together from others, or that gets a prefix, is not set: its parts are."""
    code = (
        'host = os.environ.get("DB_HOST", "localhost")\n'
        'os.environ.get("DATABASE_URL", f"postgresql://{host}/shop")\n'
        'url = "postgresql://" + os.environ.get("SHORT_DB_URL", "")\n'
    )
    assert connections_of(tmp_path, "flask\npsycopg2-binary\n", code) == {"DB_HOST": "db"}


def test_local_defaults_are_led_to_services(tmp_path: Path) -> None:
    """Defaults on this machine that fit a service are set; a note names those that fit none."""
    code = (
        'os.environ.get("REDIS_QUEUE_HOST", "localhost")\n'
        'os.environ.get("REDIS_CACHE_PORT", "6379")\n'
        'os.environ.get("CELERY_BACKEND", "redis://:password@localhost:6379/2")\n'
        'os.environ.get("SEARCH_HOST", "localhost")\n'
        "import redis\n"
    )
    found = connections_of(tmp_path, "flask\nredis\n", code)
    assert found == {
        "REDIS_QUEUE_HOST": "redis",
        "REDIS_CACHE_PORT": "6379",
        "CELERY_BACKEND": "redis://redis:6379/2",
    }
    assert any("SEARCH_HOST" in note for note in plan_of(tmp_path).notes)


def test_read_only_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written, the sentence names only flags that the command has."""

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryDirectory", fail)
    with pytest.raises(GeneratorError, match="Permission denied") as caught:
        write({"a": "ours"}, tmp_path, force=False)
    assert "--output-dir" not in str(caught.value)


def test_examples_fit_their_types(tmp_path: Path) -> None:
    """What .env.example has is valid for each annotated type."""
    code = (
        "from typing import Literal\n\nfrom pydantic import EmailStr, HttpUrl\n"
        "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
        "    OWNER: EmailStr\n    LANDING: HttpUrl\n    STAGE: Literal['local', 'live']\n    LIMIT: int\n"
        "    HOSTS: list[str]\n"
    )
    found = {each.name: each.example for each in plan_of(application(tmp_path, config__py=code)).around.settings}
    assert found == {
        "OWNER": "user@example.com",
        "LANDING": "http://localhost",
        "STAGE": "local",
        "LIMIT": "60",
        "HOSTS": "[]",
    }


def test_gunicorn_options_stay(tmp_path: Path) -> None:
    """The options of the application's own command are kept, but not where it binds, its logs and its reload."""
    (tmp_path / "Procfile").write_text(
        "web: gunicorn --workers 4 --timeout=120 -b :$PORT --preload --reload --access-logfile log.txt -D app:app\n",
        encoding="utf-8",
    )
    command = plan_of(application(tmp_path, "flask\ngunicorn\n")).server.command
    assert " ".join(command) == (
        "gunicorn --bind 0.0.0.0:5000 --workers 4 --timeout=120 --preload --worker-tmp-dir /dev/shm "
        "--access-logfile - app:app"
    )


def test_nothing_is_written_without_a_terminal(tmp_path: Path, dockerize: Run) -> None:
    """Without a terminal to ask in, and without --no-input, it ends as `new` does: status 2, nothing written."""
    root = write_application("one-file", tmp_path)
    before = read_tree(root)
    for done in (dockerize(str(root)), dockerize(str(root), "--prove")):
        assert done.returncode == 2
        assert "pass --no-input to write them, or --dry-run" in " ".join(done.stderr.split())
    assert read_tree(root) == before


def test_what_exists_is_kept(dockerize: Run, tmp_path: Path) -> None:
    """An existing Dockerfile and .env.example stay, the rest is written, and the findings are printed."""
    root = write_application("settings", tmp_path)
    (root / "Dockerfile").write_text("FROM python\nCMD python main.py\n", encoding="utf-8")
    (root / ".env.example").write_text("SECRET_KEY=\n", encoding="utf-8")
    before = read_tree(root)
    done = dockerize(str(root), "--no-input")
    assert done.returncode == 0, done.stderr
    after = read_tree(root)
    assert {name: after[name] for name in before} == before
    assert {"compose.yaml", "compose.prod.yaml", ".dockerignore"} <= after.keys()
    # What their Dockerfile copies is not known: only what no image may contain is kept out.
    assert not {b"*", b"**"} & set(after[".dockerignore"][1].split())
    assert b"**/.env" in after[".dockerignore"][1].split()
    again = dockerize(str(root), "--no-input").stdout
    assert "Nothing was written.\nKept: Dockerfile" in again
    assert "Everything is there already" not in again
    printed = " ".join(done.stdout.split())
    assert "Kept: Dockerfile, .env.example" in printed
    assert "Dockerfile:1: " in printed
    assert "expect the code in /app, and a server on port 8000" in printed


def test_latin_1(tmp_path: Path) -> None:
    """Source in another encoding, which its first line names, is read."""
    root = application(tmp_path)
    code = "# -*- coding: latin-1 -*-\nfrom flask import Flask\n\napp = Flask('Caf\xe9')\n"
    (root / "app.py").write_bytes(code.encode("latin-1"))
    assert plan_of(root).application.target == "app:app"


def test_names_of_subfolders(tmp_path: Path) -> None:
    """A project in a subfolder has the repository's name, too."""
    root = write_application("monorepo", tmp_path)
    assert plan_of(commit(root)).name.endswith("-backend")
    view = look(root / "backend")
    candidate = choose_application(view, "")
    assert candidate
    assert make_plan(view, candidate, Wishes()).name == f"{root.name}-backend".replace("_", "-").lower()[:50]


def test_chained_assignment(tmp_path: Path) -> None:
    """Each name of `application = app = …` is the application, for a command that names one of them."""
    code = "from flask import Flask\n\napplication = app = Flask(__name__)\n"
    (tmp_path / "deploy.sh").write_text("gunicorn app\n", encoding="utf-8")
    found = plan_of(application(tmp_path, app__py=code)).application
    assert (found.target, found.evidence[-1]) == ("app:application", "deploy.sh starts it")


def test_workers_of_a_procfile(tmp_path: Path) -> None:
    """A worker's own command in a Procfile wins over what is guessed."""
    (tmp_path / "Procfile").write_text(
        "web: gunicorn app:app\nworker: python -u manage.py run_worker\n", encoding="utf-8"
    )
    code = "from rq import Worker\n\nif __name__ == '__main__':\n    Worker(['default']).work()\n"
    plan = plan_of(application(tmp_path, "flask\nrq\nredis\n", manage__py=code))
    assert [worker.command for worker in plan.around.workers] == [("python", "-u", "manage.py", "run_worker")]


def test_infrastructure_stays_out(tmp_path: Path) -> None:
    """Directories for other containers, and requirements of tests, are not copied."""
    root = application(tmp_path)
    for name in ("infra", "postgres", "docker", "nginx", "shop"):
        (root / name).mkdir()
        (root / name / "file").write_text("", encoding="utf-8")
    (root / "requirements-test.txt").write_text("pytest\n", encoding="utf-8")
    (root / "build.sh").write_text("pip install -r requirements-test.txt\n", encoding="utf-8")
    assert plan_of(root).copied == ("*.py", "shop/")


def test_errors_end_at_a_word() -> None:
    """A long error of uv is shortened between words."""
    assert shorten_error("error: " + "word " * 100).endswith(" word …")


def test_header_of_pip_compile(tmp_path: Path) -> None:
    """The Python that pip-compile resolved for is taken."""
    header = "#\n# This file is autogenerated by pip-compile with Python 3.12\n#\n"
    assert plan_of(application(tmp_path, f"{header}flask==3.1.2\n")).python.version == "3.12"


def test_only_404_is_no_proof() -> None:
    """Where every path answers 404, the right application may not be the one that runs."""
    assert verdict((("/", 404), ("/docs", 404)), 3).startswith("Warning: it answers, but with 404 only (/, /docs)")
    assert verdict((("/", 404), ("/docs", 200)), 3) == "It answers, 3 s after the first step: / 404, /docs 200."


@pytest.mark.parametrize(
    ("changed", "version", "expected"),
    [("2022-03-01", "3.11", "2023-01-22"), ("2024-03-01", "3.12", "2024-03-01"), ("", "3.11", "")],
)
def test_lock_fits_its_python(changed: str, version: str, expected: str) -> None:
    """Old versions are those of a day on which packages already had wheels for the chosen Python."""
    assert lock_date(changed, version) == expected


def test_workspace_lock_is_told(tmp_path: Path) -> None:
    """A uv.lock of a workspace above the application is not used, and that is said."""
    root = write_application("monorepo", tmp_path)
    (root / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    assert any(note.startswith("uv.lock is not used") for note in plan_of(root).notes)


BARE = "from flask import Flask\nfrom flask_cors import CORS\n\napp = Flask(__name__)\nCORS(app)\n"
PACKAGE: dict[str, str] = {
    "requirements.txt": "flask\n",
    "shop/__init__.py": BARE,
    "shop/views.py": "from flask import Blueprint\n\npages = Blueprint('pages', __name__)\n",
    "shop/routes.py": "from shop import app\n\n\ndef register():\n    from shop.views import pages\n\n"
    "    app.register_blueprint(pages)\n",
}


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write files into a directory."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"serve.py": "from shop import app\nfrom shop.routes import register\n\nregister()\n"}, "serve:app"),
        (
            {"start.py": "import shop.routes\nfrom shop import app as service\n\nshop.routes.register()\n"},
            "start:service",
        ),
        (
            {"shop/routes.py": "from shop import app\n\ndef build():\n    app.add_url_rule('/')\n    return app\n"},
            "shop.routes:build()",
        ),
        # It has routes: a module that defines them is imported.
        ({"shop/__init__.py": f"{BARE}from shop.routes import register\n\nregister()\n"}, "shop:app"),
        ({"shop/__init__.py": f"{BARE}for page in ():\n    app.register_blueprint(page)\n"}, "shop:app"),
        ({"shop/__init__.py": f"{BARE}Api(app)\n"}, "shop:app"),
        # A factory gives it its routes, under a name of its own
        (
            {
                "shop/__init__.py": "from flask import Flask\nfrom shop.routes import add\n\n\ndef build():\n"
                "    service = Flask(__name__)\n    add(to=service)\n    return service\n\n\napp = build()\n",
                "shop/routes.py": "def add(to):\n    to.add_url_rule('/')\n",
            },
            "shop:app",
        ),
        # None anywhere
        ({"shop/routes.py": ""}, "shop:app"),
        # A server's own command
        ({"Procfile": "web: gunicorn shop:app\n"}, "shop:app"),
    ],
)  # fmt: skip
def test_application_with_routes(tmp_path: Path, files: dict[str, str], target: str) -> None:
    """The entry is taken that has its routes once it is imported."""
    assert plan_of(write_files(tmp_path, PACKAGE | files)).application.target == target


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "register in shop/routes.py adds them, and no module calls it when it is imported"),
        (
            {"shop/routes.py": "def register(app):\n    @app.route('/')\n    def index():\n        return ''\n"},
            "register in shop/routes.py adds them",
        ),
        (
            {"shop/routes.py": "from shop import app\n\nif __name__ == '__main__':\n    app.route('/')(str)\n"},
            "shop/routes.py adds them only when it is run as a program",
        ),
    ],
)  # fmt: skip
def test_application_without_routes(dockerize: Run, tmp_path: Path, files: dict[str, str], reason: str) -> None:
    """Where nothing gives an application its routes at import, it is said, and nothing is written."""
    write_files(tmp_path, PACKAGE | files)
    done = dockerize(str(tmp_path), "--no-input")
    assert done.returncode == 2
    assert "shop:app has no routes when it is imported" in done.stderr
    assert reason in done.stderr
    assert not (tmp_path / "Dockerfile").exists()
    assert dockerize(str(tmp_path), "--app", "shop:app", "--dry-run").returncode == 0


class FakeIndex(Index):
    """An index that has wheels of everything but what is named, as package and version of Python."""

    def __init__(self, *missing: tuple[str, str]) -> None:
        """Say what has no wheel."""
        super().__init__(is_offline=True)
        self._uv, self.missing = "uv", missing

    def _compile(self, lines: Iterable[str], python: str, arguments: list[str]) -> tuple[str | None, str]:
        names = [re.split("[<>=~ ]", line)[0] for line in lines]
        if "pylock.toml" not in arguments:
            return "".join(f"{name}==1.0\n" for name in names), ""
        minors = range(int(python.partition(".")[2]), 16)
        packages = []
        for name in names:
            versions = [f"3.{minor}" for minor in minors if not {(name, ""), (name, f"3.{minor}")} & {*self.missing}]
            tags = ("cp" + version.replace(".", "") for version in versions)
            wheels = ", ".join(f'{{name = "{name}-1.0-{tag}-{tag}-manylinux_2_17_x86_64.whl"}}' for tag in tags)
            packages.append(f'[[packages]]\nname = "{name}"\nwheels = [{wheels}]\n')
        return "".join(packages), ""


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that puts an index in place of the real one."""
    return lambda *missing: monkeypatch.setattr("dockwright.dockerize.plan.Index", lambda **_: FakeIndex(*missing))


PIPFILE_LOCK = (
    '{"default": {"flask": {"version": "==3.1.2"}, "tools": {"version": "==1.0"}, "mail": {"version": "==1.0"}}}'
)
POETRY_LOCK = "".join(f'[[package]]\nname = "{name}"\nversion = "1.0"\n' for name in ("flask", "tools", "mail"))


@pytest.mark.parametrize(
    ("missing", "version", "compiles"),
    [
        # A package in pure Python without any wheel
        ([("mail", "")], "3.14", False),
        ([("mail", ""), ("tools", "3.14")], "3.13", False),
        # Some package lacks one for each: the fewest, and that one is compiled
        (
            [(name, f"3.{minor}") for name in ("flask", "tools") for minor in (11, 14)]
            + [("mail", f"3.{minor}") for minor in (9, 10, 12, 13, 14, 15)],
            "3.13",
            True,
        ),
        ([("tools", f"3.{minor}") for minor in range(10, 16)], "3.9", False),
    ],
)
@pytest.mark.parametrize("tool", ["requirements", "pipenv", "poetry"])
def test_fewest_missing_wheels(  # noqa: PLR0913, PLR0917 # the table's columns
    tmp_path: Path,
    index: Callable[..., None],
    tool: str,
    missing: list[tuple[str, str]],
    version: str,
    compiles: bool,  # noqa: FBT001
) -> None:
    """The version of Python is taken for which the fewest packages have to be compiled, for each kind of lock."""
    index(*missing)
    files = {
        "requirements": {"requirements.txt": "flask==3.1.2\ntools==1.0\nmail==1.0\n"},
        "pipenv": {"Pipfile": "[packages]\nflask = '*'\n", "Pipfile.lock": PIPFILE_LOCK},
        "poetry": {"pyproject.toml": "[tool.poetry.dependencies]\nflask = '*'\n", "poetry.lock": POETRY_LOCK},
    }
    root = write_files(tmp_path, files[tool] | {"app.py": "from flask import Flask\napp = Flask(__name__)\n"})
    plan = plan_of(root)
    assert (plan.python.version, bool(plan.python.compiled)) == (version, compiles), plan.python.reason


def test_wheels_of_old_poetry_locks(tmp_path: Path) -> None:
    """Poetry's locks of 2022 and before have the wheels in a table of their own."""
    root = write_application("poetry", tmp_path)
    files = '\n[metadata.files]\ntools = [{file = "tools-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"}]\n'
    (root / "poetry.lock").write_text(POETRY_LOCK + files, encoding="utf-8")
    assert plan_of(root).python.version == "3.12"


def test_unanswered_question_is_told(tmp_path: Path) -> None:
    """Where nobody can be asked about wheels, that is said."""
    note = "nobody was asked whether everything has a wheel for Python 3.14"
    assert note in plan_of(application(tmp_path, "flask==3.1.2\n")).notes
    assert note not in plan_of(application(tmp_path)).notes


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3.1"\ntools = {git = "…"}\n'),
        ("Pipfile", '[packages]\nflask = "*"\n'),
    ],
)
def test_unlocked_tools(tmp_path: Path, index: Callable[..., None], file: str, content: str) -> None:
    """Where Poetry or Pipenv has no lock, one is written beside the manifest, and installed."""
    index()
    root = write_files(tmp_path, {file: content, "app.py": "from flask import Flask\napp = Flask(__name__)\n"})
    plan = plan_of(root)
    assert plan.files["constraints.txt"].endswith("flask==1.0\ngunicorn==1.0\n")
    assert f"After an edit of {file}" in plan.files["constraints.txt"]
    assert "uv pip install --requirement constraints.txt" in plan.files["Dockerfile"]
    assert "poetry" not in plan.files["Dockerfile"]


@pytest.mark.parametrize(
    ("poetry", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2.3", "==1.2.3"),
        ("1.2.*", "==1.2.*"),
        (">=1.2, !=1.3", ">=1.2,!=1.3"),
        ("~=1.2", "~=1.2"),
        ("^1.2 || ^2", ""),
        ("*", ""),
    ],
)
def test_poetry_versions(poetry: str, expected: str) -> None:
    """Poetry's own ways to write versions are understood."""
    assert _caret(poetry) == expected


BASED = """import os
from pathlib import Path

basedir = os.path.abspath(os.path.dirname(__file__))
BASE = Path(__file__).resolve().parent.parent
"""


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("open(os.path.join(basedir, 'visits.txt'), 'a')\n", ["shop/visits.txt"]),
        ("(BASE / 'reports' / 'pdf').mkdir(exist_ok=True)\n", ["reports/pdf"]),
        ("handler = RotatingFileHandler(os.path.join(BASE, 'logs/shop.log'))\n", ["logs"]),
        ("handler = FileHandler(f'{BASE}/logs/shop.log')\n", ["logs"]),
        ("URI = 'sqlite:///' + os.path.join(basedir, 'data', 'shop.db')\n", ["shop/data"]),
        ("URI = f'sqlite:///{BASE}/shop.db'\n", ["shop.db"]),
        ("URI = os.environ.get('DATABASE_URL') or 'sqlite:///' + os.path.join(basedir, 'shop.db')\n", ["shop/shop.db"]),
        ("class TestConfig:\n    URI = 'sqlite:///' + os.path.join(basedir, 'test.db')\n", []),
        ("os.makedirs(os.getenv('UPLOADS', 'uploads'), exist_ok=True)\n", ["uploads"]),
        ("os.makedirs(os.path.join(os.path.dirname(BASE), 'beside'))\n", []),
        ("open('/var/log/shop.log', 'a')\n", []),
        ("URI = 'sqlite:///data/shop.db?mode=ro'\n", ["data"]),
        ("raise ValueError('DATABASE_URL is invalid: it must be sqlite:///data/file')\n", []),
        ("raise ValueError('sqlite:///shop.db')\n", []),
        ("raise ValueError('sqlite:///' + os.path.join(basedir, 'shop.db'))\n", []),
        ("text = f'{BASE}: it must be sqlite:///data/file'\n", []),
        ("add_argument('--database', help='sqlite:///shop.db')\n", []),
        ("add_argument('--database', default='sqlite:///shop.db')\n", ["shop.db"]),
        ("def connect():\n    'sqlite:///shop.db'\n", []),
        ("URI = 'sqlite:///path/to/shop.db'\n", []),
    ],
)
def test_paths_from_the_code(tmp_path: Path, code: str, written: list[str]) -> None:
    """Paths that begin at the code's own file are found, from the working directory."""
    files = {"shop/__init__.py": "from flask import Flask\napp = Flask(__name__)\n", "shop/files.py": BASED + code}
    plan = plan_of(write_files(tmp_path, {"requirements.txt": "flask\n"} | files))
    assert [each.path for each in plan.around.writable] == written


def test_path_of_another_module(tmp_path: Path) -> None:
    """A constant that is imported, and a key of the configuration, lead to a directory."""
    code = (
        "import os\nfrom config import LOGS\nfrom flask import Flask\napp = Flask(__name__)\n"
        "os.makedirs(LOGS)\nos.makedirs(app.config['UPLOADS'])\n"
    )
    config = (
        f"{BASED}LOGS = os.path.join(basedir, 'logs')\n\n\nclass Config:\n    UPLOADS = os.path.join(basedir, 'up')\n"
    )
    assert [each.path for each in plan_of(application(tmp_path, app__py=code, config__py=config)).around.writable] == [
        "logs",
        "up",
    ]


def test_stand_in_is_not_written(tmp_path: Path) -> None:
    """A SQLite file that stands in for a database service is no volume."""
    uri = "os.getenv('DATABASE_URL', 'sqlite:///' + os.path.join(basedir, 'a.db'))"
    code = f"{BASED}from flask import Flask\napp = Flask(__name__)\nURI = {uri}\n"
    plan = plan_of(application(tmp_path, "flask\npsycopg2-binary\n", app__py=code))
    assert not plan.around.writable
    assert dict(plan.around.connections)["DATABASE_URL"] == "postgresql://app:{password}@db/app"


@pytest.mark.parametrize(
    ("code", "address"),
    [
        ("store = Redis.from_url('redis://localhost:6379')", "redis://localhost"),
        ("raise ValueError('redis://localhost is not allowed')", ""),
        ("add_argument('--store', help='redis://localhost:6379')", ""),
    ],
)
def test_address_in_a_message_leads_nowhere(tmp_path: Path, code: str, address: str) -> None:
    """An address that the code tells its user is not one that it connects to."""
    code = f"from flask import Flask\nfrom redis import Redis\napp = Flask(__name__)\n{code}\n"
    assert plan_of(application(tmp_path, "flask\nredis\n", app__py=code)).around.local_address == address


def test_newer_syntax_is_explained(tmp_path: Path) -> None:
    """Files that are newer than the tool's own Python are one note, with what to do."""
    broken = "from flask import Flask\nFlask(\n"
    root = application(tmp_path, other__py=broken, more__py=broken)
    (root / ".python-version").write_text("3.99\n", encoding="utf-8")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    notes = [note for note in plan_of(root).notes if "can't read" in note]
    assert len(notes) == 1
    assert notes[0].startswith(f"2 files have syntax that this tool's Python {own} can't read (more.py line 2")
    assert notes[0].endswith("run it with Python 3.99")


def test_only_some_broken_files_are_named(tmp_path: Path) -> None:
    """A few of many files that can't be read are named."""
    root = application(tmp_path)
    for number in range(9):
        (root / f"old{number}.py").write_text("from flask import Flask\nFlask(\n", encoding="utf-8")
    (root / ".python-version").write_text("3.11\n", encoding="utf-8")
    assert [note for note in plan_of(root).notes if "not read" in note][3:] == ["not read: 6 more files"]


@pytest.mark.parametrize(
    ("requirements", "code", "connections"),
    [
        ("pymongo", "os.environ['DATABASE_URL']", {"DATABASE_URL": "mongodb://mongo:27017/app"}),
        ("pymongo", "os.environ['MONGODB_HOST']", {"MONGODB_HOST": "mongo"}),
        ("pymongo\npsycopg2-binary", "os.environ['MONGO_URI']", {"MONGO_URI": "mongodb://mongo:27017/app"}),
    ],
)
def test_mongodb_is_led_to(tmp_path: Path, requirements: str, code: str, connections: dict[str, str]) -> None:
    """A setting leads to MongoDB by its name, or because there is no other database."""
    code = f"import os\nimport pymongo\nfrom flask import Flask\napp = Flask(__name__)\nvalue = {code}\n"
    plan = plan_of(application(tmp_path, f"flask\n{requirements}\n", app__py=code))
    assert dict(plan.around.connections) == connections


def test_service_that_nothing_leads_to_is_told(tmp_path: Path) -> None:
    """Where no setting leads to a service, there is a note; where the code names its host, there is none."""
    code = "import redis\nfrom flask import Flask\napp = Flask(__name__)\nstore = redis.Redis('{}')\n"
    notes = plan_of(application(tmp_path, "flask\nredis\n", app__py=code.format("10.0.0.7"))).notes
    assert any(note.startswith("no setting leads to redis (requirements.txt has redis)") for note in notes)
    notes = plan_of(application(tmp_path, "flask\nredis\n", app__py=code.format("redis"))).notes
    assert not any("no setting leads to" in note for note in notes)


def test_latin_1_requirements_are_explained(tmp_path: Path) -> None:
    """A file in another encoding is refused in one sentence that doesn't speak of UTF-16."""
    (application(tmp_path) / "requirements.txt").write_bytes("flask  # für alle\n".encode("latin-1"))
    with pytest.raises(GeneratorError, match=r"^requirements\.txt is not UTF-8, and uv reads UTF-8: save it as UTF-8$"):
        plan_of(tmp_path)


DYNACONF = """
from dynaconf import Dynaconf, Validator
from fastapi import FastAPI

settings = Dynaconf(
    envvar_prefix="SHOP",
    environments=True,
    preload=[os.path.join(HERE, "base.toml")],
    settings_files=["settings.toml", ".secrets.toml"],
    validators=[Validator("mail.sender", must_exist=True), Validator("PAGE", must_exist=True, default=10)],
)
app = FastAPI()
"""


def test_dynaconf(tmp_path: Path) -> None:
    """Dynaconf's secrets and required values are settings under its prefix; its other files are copied."""
    files = {
        "requirements.txt": "fastapi\ndynaconf\nasyncpg\n",
        "main.py": DYNACONF,
        "settings.toml": "[default]\npage = 20\n",
        "base.toml": "[default.db]\nuri = 'postgresql://shop@localhost/shop'\n",
        ".secrets.toml": "[default]\ntoken = 'x'\n[production.mail]\npassword = 'y'\n",
    }
    plan = plan_of(commit(write_files(tmp_path, files)))
    assert plan.required == ["SHOP_MAIL__sender", "SHOP_TOKEN", "SHOP_MAIL__password"]
    assert dict(plan.around.connections) == {"SHOP_DB__uri": "postgresql://app:{password}@db/app"}
    assert plan.copied == ("*.py", "base.toml", "settings.toml")
    assert plan.secrets == (".secrets.toml",)
    assert any(note.startswith(".secrets.toml never reaches the image (main.py line 5)") for note in plan.notes)
    assert any("set ENV_FOR_DYNACONF=production" in note for note in plan.notes)
    assert "'x'" not in "".join(plan.files.values())


@pytest.mark.parametrize(
    ("call", "files", "written"),
    [
        ("StaticFiles(directory='static')", {}, ["static"]),
        ("StaticFiles(directory='static')", {"static/.gitkeep": ""}, ["static"]),
        ("StaticFiles(directory='static')", {"static/style.css": ""}, []),
        ("StaticFiles(directory='static', check_dir=False)", {}, []),
        ("StaticFiles(directory=Path(__file__).parent / 'web')", {}, ["web"]),
    ],
)
def test_directory_that_is_served_exists(tmp_path: Path, call: str, files: dict[str, str], written: list[str]) -> None:
    """A directory that StaticFiles needs is made if the repository has no file of it."""
    code = f"from pathlib import Path\nfrom fastapi import FastAPI\napp = FastAPI()\napp.mount('/static', {call})\n"
    plan = plan_of(write_files(tmp_path, {"requirements.txt": "fastapi\n", "main.py": code} | files))
    assert [each.path for each in plan.around.writable] == written
    assert ("install -d -m 1777 " in plan.files["Dockerfile"]) == bool(written)


def test_written_versions_decide_on_python(tmp_path: Path, index: Callable[..., None]) -> None:
    """Where versions are only known once they are locked, the Python is taken that they have wheels for."""
    index(("tools", "3.14"), ("mail", ""))
    plan = plan_of(application(tmp_path, "flask\ntools\nmail\n"))
    assert (plan.python.version, plan.python.reason) == ("3.13", "the first for which tools has a wheel")
    assert not plan.has_build_stage


WORKSPACE = {
    "pyproject.toml": '[project]\nname = "shop"\n[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    "uv.lock": "".join(
        f'[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {{ {source} }}\n{more}'
        for name, source, more in (
            ("shop", 'virtual = "."', ""),
            ("api", 'editable = "packages/api"', 'dependencies = [{ name = "fastapi" }, { name = "shared" }]\n'),
            ("shared", 'editable = "packages/shared"', 'dependencies = [{ name = "redis" }]\n'),
            ("web", 'virtual = "packages/web"', 'dependencies = [{ name = "flask" }]\n'),
            *((name, 'registry = "…"', "") for name in ("fastapi", "flask", "redis")),
        )
    ),
    **{f"packages/{name}/pyproject.toml": f'[project]\nname = "{name}"\n' for name in ("api", "shared", "web")},
    "packages/api/src/api/__init__.py": "",
    "packages/api/src/api/main.py": "from fastapi import FastAPI\nfrom shared import URL\n\napp = FastAPI()\n",
    "packages/shared/src/shared/__init__.py": "import os\nimport redis\n\nURL = os.environ['REDIS_URL']\n",
    "packages/web/app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
}


def test_workspace(dockerize: Run, tmp_path: Path) -> None:
    """A member of a uv workspace is built at the root, from its lock, with the members that it needs."""
    write_files(tmp_path / "shop", WORKSPACE)
    done = dockerize(str(tmp_path / "shop"), "--dry-run")
    assert done.returncode == 2
    assert "--app packages.api.src.api.main:app" in done.stderr
    plan = plan_of(tmp_path / "shop", Wishes(app="packages.api.src.api.main:app"))
    assert (plan.home, plan.workdir, plan.pythonpath) == (".", "packages/api", "packages/api/src")
    assert plan.application.target == "api.main:app"
    assert set(plan.requirements.names) == {"fastapi", "shared", "redis"}
    assert plan.copied == ("packages/api/src/", "packages/shared/")
    assert [name for name, _ in plan.around.services] == ["redis"]
    text = plan.files["Dockerfile"]
    assert "uv sync --active --locked --package api --no-dev --no-editable --no-install-package api" in text
    # The other member is installed from its code.
    assert text.index("COPY --chmod=755 . .") < text.index("uv sync")


def test_workspace_member_alone(tmp_path: Path) -> None:
    """A member that needs no other is installed before the code is copied, so that an edit installs nothing."""
    plan = plan_of(write_files(tmp_path / "shop", WORKSPACE), Wishes(app="packages.web.app:app"))
    text = plan.files["Dockerfile"]
    assert text.index("uv sync") < text.index("COPY --chmod=755 . .")
    assert "source=packages/web/pyproject.toml,target=packages/web/pyproject.toml" in text
    assert plan.name.endswith("packages-web")
    assert plan.copied == ("packages/web/*.py",)


@pytest.mark.parametrize(
    ("shape", "lock", "content"),
    [
        ("poetry", "poetry.lock", f'{POETRY_LOCK}[package.source]\ntype = "git"\n'),
        ("pipenv", "Pipfile.lock", '{"default": {"mail": {"git": "https://example.com/mail"}}}'),
        ("uv", "uv.lock", '[[package]]\nname = "fastapi"\nversion = "1.0"\nsource = { git = "https://example.com" }\n'),
    ],
)
def test_git_dependencies_of_locks(tmp_path: Path, shape: str, lock: str, content: str) -> None:
    """What a lock has from a git repository is fetched in a stage with git."""
    root = write_application(shape, tmp_path)
    (root / lock).write_text(content, encoding="utf-8")
    plan = plan_of(root)
    assert plan.has_build_stage
    assert set(plan.system.compiled) <= {"mail", "fastapi"}
