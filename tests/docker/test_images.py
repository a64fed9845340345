"""Images, every combination: what is in them, what is not, and what a new build does again."""

import json
import re
import tarfile
from pathlib import Path
from uuid import uuid4

import pytest

from tests.docker.stack import Project

SECRET = "never-in-an-image"  # noqa: S105 # what the tests look for
# What lies around in a checkout, in its root and among the source.
PLANTED = (".git/config", ".env", ".env.local", ".env.production", "id_rsa", "dev.sqlite3", ".venv/pyvenv.cfg")
LITTER = ("app/.env", "app/.env.local", "app/dev.sqlite3", "app/__pycache__/main.cpython-314.pyc", "tests/id_rsa")
COMPILERS = ("cc", "gcc", "g++", "clang", "make")

# What hangs on the framework and the base image alone.
each_base = pytest.mark.only_where(database=("sqlite",), redis=("none",))

LIST_FILES = """
import os
for directory, _, files in os.walk("/"):
    if not directory.startswith(("/proc", "/sys", "/dev")):
        print(directory, *(os.path.join(directory, name) for name in files), sep="\\n")
"""

ANSWER_AND_CHECK = """
import json, subprocess, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status)
        self.end_headers()
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for status in (200, 500, 503):
    print(status, subprocess.run(sys.argv[2:]).returncode)
server.shutdown()
server.server_close()
print("nobody", subprocess.run(sys.argv[2:], stderr=subprocess.DEVNULL).returncode)
"""

IMPORTED = "import app.main, sys; print(*{name.partition('.')[0] for name in sys.modules})"

DEBUGGABLE = """
import pathlib, struct
for file in pathlib.Path("/opt/venv").rglob("*.so*"):
    if struct.unpack_from("<Q", file.read_bytes(), 40)[0]:
        print(file)
"""

UNCOMPILED = """
import importlib, os, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
specs = [module.__spec__ for module in list(sys.modules.values()) if getattr(module, "__spec__", None)]
specs = [spec for spec in specs if spec.cached and not spec.origin.startswith("/app/")]
print(*(spec.name for spec in specs if not os.path.exists(spec.cached)))
"""


@pytest.fixture(scope="module")
def image(project: Project) -> str:
    """Build the production image in a checkout full of what must not reach it, and return its tag."""
    for name in PLANTED + LITTER:
        path = project.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET, encoding="utf-8")
    tag = f"{project.slug}:check"
    project.build(tag=tag)
    return tag


def rerun(log: str) -> list[str]:
    """Return the instructions that a build ran again, from its plain log."""
    steps = dict(re.findall(r"^#(\d+) \[(?:\w+ )?\d+/\d+\] (.+)$", log, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", log, re.MULTILINE))
    return [step for number, step in steps.items() if number not in cached and not step.startswith("FROM ")]


# Each change is one that no build has seen before: the engine remembers for longer than a test runs.
def test_edit_reruns_the_copy_alone(project: Project, image: str) -> None:
    """After an edit of application code nothing runs again but the copy of that code."""
    source = project.directory / "app" / "main.py"
    source.write_text(source.read_text(encoding="utf-8") + f"# {uuid4()}\n", encoding="utf-8")
    assert rerun(project.build(tag=f"{image}-edited")) == ["COPY --chmod=755 app app"]


@pytest.mark.only_where(redis=("cache-and-queue",))
def test_added_dependency_downloads_itself_alone(project: Project, image: str) -> None:
    """After one dependency was added, none of the others is downloaded again."""
    requirements = project.directory / "requirements.txt"
    before = requirements.read_text(encoding="utf-8")
    tools = (project.directory / "requirements-dev.txt").read_text(encoding="utf-8")
    added = re.search(r"^pluggy==.+?(?=^\S)", tools, re.MULTILINE | re.DOTALL)
    assert added is not None
    # The engine may have dropped the download cache and kept the layers: this build fills it.
    requirements.write_text(f"{before}# {uuid4()}\n", encoding="utf-8")
    project.build(tag=f"{image}-filled")
    requirements.write_text(f"{before}{added[0]}# {uuid4()}\n", encoding="utf-8")
    log = project.build(tag=f"{image}-added")
    requirements.write_text(before, encoding="utf-8")
    assert "+ pluggy==" in log
    downloaded = re.search(r"Prepared (\d+) package", log)
    assert downloaded is None or downloaded[1] == "1", log


def test_image_holds_what_it_runs_and_nothing_else(project: Project, image: str) -> None:
    """Nothing that lay around in the checkout is in the image, nor tests, uv, caches or compilers."""
    files = set(project.run("docker", "run", "--rm", "--user", "0", image, "python", "-c", LIST_FILES).splitlines())
    assert {f"/app/{name}" for name in PLANTED + LITTER}.isdisjoint(files)
    top = {Path(path).relative_to("/app").parts[0] for path in files if path.startswith("/app/")}
    assert top == {"app", "migrations"} if project.stores else {"app"}
    names = {Path(path).name for path in files if "/bin/" in path}
    assert "uv" not in names
    assert not [path for path in files if re.match(r"/root/\.cache/.+|.*/pip/cache|/var/cache/apk/.+", path)]
    assert not [path for path in files if path.endswith("/test_products.py")]
    if project.answers["base_image"] != "full":
        assert names.isdisjoint(COMPILERS)


def test_image_tells_no_secret(project: Project, image: str) -> None:
    """Neither its history nor its settings nor its own files hold anything secret, and it does not run as root."""
    history = project.run("docker", "history", "--no-trunc", image)
    text = project.run("docker", "image", "inspect", image)
    for told in (history, text):
        assert SECRET not in told
        assert not re.search(r"password|secret|token|://[^/\s]*:[^/\s]*@", told, re.IGNORECASE)
    config = json.loads(text)[0]["Config"]
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", "app.serve"]
    assert config["Labels"]["org.opencontainers.image.title"] == project.answers["project_name"]


@each_base
def test_health_check_fails_on_a_server_error(project: Project, image: str) -> None:
    """The image's health check passes on a 200, and fails on a 5xx and where nobody answers."""
    config = json.loads(project.run("docker", "image", "inspect", image))[0]["Config"]
    kind, *check = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    command = ("docker", "run", "--rm", image, "python", "-c", ANSWER_AND_CHECK, project.answers["port"], *check)
    assert project.run(*command).split("\n")[:4] == ["200 0", "500 1", "503 1", "nobody 1"]


def test_what_the_server_imports_is_compiled(project: Project, image: str) -> None:
    """No module outside the application is compiled anew whenever a container starts."""
    modules = ["app.main", "app.serve"]
    modules += ["app.worker"] if project.queues else []
    modules += ["alembic.command"] if project.stores else []
    command = ("docker", "run", "--rm", image, "python", "-c", UNCOMPILED, *modules)
    assert project.run(*command).split() == []


def test_start_imports_what_serves_alone(project: Project, image: str) -> None:
    """What only migrations, tests or other answers need is not imported when the server starts."""
    idle = {"alembic", "mako", "pytest", "unittest"}
    idle |= set() if project.stores else {"sqlalchemy"}
    idle |= set() if project.caches or project.queues else {"redis"}
    idle |= set() if project.queues else {"rq"}
    command = ("docker", "run", "--rm", image, "python", "-c", IMPORTED)
    assert idle.isdisjoint(project.run(*command).split())


def test_layers_are_few_and_small(project: Project, image: str) -> None:
    """On its base the image has a layer for each thing that changes by itself, and an edit sends a few kilobytes."""
    base = project.run("sed", "-n", "s/^FROM \\(.*\\) AS base$/\\1/p", "Dockerfile").strip()
    count = "{{len .RootFS.Layers}}"
    mine, theirs = (int(project.run("docker", "image", "inspect", "--format", count, name)) for name in (image, base))
    # The directory, the packages and the application; the migrations; the directory of the embedded database
    assert mine - theirs == 3 + project.stores + (project.answers["database"] == "sqlite")
    history = project.run("docker", "history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", image)
    sizes = [int(line.split()[0]) for line in history.splitlines() if " COPY " in line]
    assert len(sizes) == 1 + project.stores
    assert all(size < 100_000 for size in sizes)


def test_extension_modules_carry_no_debug_information(project: Project, image: str) -> None:
    """Extension modules end where what is loaded of them ends."""
    assert project.run("docker", "run", "--rm", image, "python", "-c", DEBUGGABLE).split() == []


@pytest.mark.only_where(base_image=("slim",))
def test_settings_are_checked_at_the_start(project: Project, image: str) -> None:
    """A missing or malformed setting stops the container with one sentence that names it."""
    wrong = {"LOG_LEVEL": "loud"}
    said = project.run("docker", "run", "--rm", "--env", "LOG_LEVEL=loud", image, expect=1)
    assert wrong.keys() <= set(re.findall(r"[A-Z_]{4,}", said))
    assert "Traceback" not in said
    if project.needs_secrets:
        assert "DATABASE_URL" in project.run("docker", "run", "--rm", image, expect=1)


@pytest.mark.only_where(database=("postgresql",), redis=("cache-and-queue",))
def test_no_layer_holds_what_a_later_one_removes(project: Project, image: str) -> None:
    """What must not be in the image is not hidden in one of its layers either."""
    archive = project.directory.parent / "image.tar"
    project.run("docker", "save", "--output", str(archive), image)
    names: set[str] = set()
    with tarfile.open(archive) as layers:
        for member in layers.getmembers():
            content = layers.extractfile(member)
            if content is None or not member.name.startswith("blobs/") or member.size < 10_000:
                continue
            with tarfile.open(fileobj=content) as layer:
                names.update(f"/{name}" for name in layer.getnames())
    archive.unlink()
    assert "/app/app/main.py" in names
    assert {f"/app/{name}" for name in PLANTED + LITTER}.isdisjoint(names)
    assert not [name for name in names if name.endswith(("/bin/uv", "/id_rsa")) or name.startswith("/root/.cache/uv/")]
