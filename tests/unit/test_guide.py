"""The guide of a dockerized application explains what was written, all of it, and nothing else."""

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from dockwright.dockerize.plan import Plan, Wishes, choose_application, look, make_plan
from tests.applications import write_application
from tests.render.test_guide import chapters, code, compose_terms, dockerfile_terms, explained, instructions, section
from tests.unit.conftest import Run
from tests.unit.test_dockerize import PLANNED

# Words -> whether an application has something to do with them
FOREIGN: dict[str, Callable[[Plan], bool]] = {
    "flask": lambda plan: plan.application.entry.framework == "flask",
    "fastapi|uvicorn": lambda plan: (
        plan.application.entry.framework == "fastapi" or "uvicorn" in plan.files["Dockerfile"]
    ),
    "postgres(ql)?": lambda plan: "postgres:" in plan.files["compose.yaml"],
    "mariadb": lambda plan: "mariadb:" in plan.files["compose.yaml"],
    "mongo(db)?": lambda plan: "mongo:" in plan.files["compose.yaml"],
    "redis": lambda plan: "redis:" in plan.files["compose.yaml"],
    "rabbitmq": lambda plan: "rabbitmq:" in plan.files["compose.yaml"],
    "database": lambda plan: re.search("postgres:|mariadb:", plan.files["compose.yaml"]) is not None,
    "worker": lambda plan: bool(plan.around.workers or re.search(r"gunicorn|--worker", plan.files["Dockerfile"])),
    "migrate|migrations|tables": lambda plan: bool(plan.around.migrate),
    r"jobs?|queues?": lambda plan: bool(plan.around.workers),
    r"\.env\.example": lambda plan: ".env.example" in plan.files,
    "constraint": lambda plan: bool(plan.constraints),
    "apt-get|Debian's program": lambda plan: "apt-get" in plan.files["Dockerfile"],
    "apk": lambda plan: "apk" in plan.files["Dockerfile"],
    "stages?": lambda plan: " AS " in plan.files["Dockerfile"],
    r"node(\.js)?|npm|front end": lambda plan: plan.front_end is not None,
    "your own command": lambda plan: plan.name == "own-options",
    "poetry|pdm|pipenv": lambda plan: bool(plan.installation.tool),
    "cookiecutter": lambda _: False,
}


def plan(directory: Path, shape: str, base: str = "slim") -> Plan:
    """Plan the files of an application, and a guide to them."""
    view = look(write_application(shape, directory))
    application = choose_application(view, "")
    assert application
    return make_plan(view, application, Wishes(base=base, guide=True))


@pytest.mark.parametrize(
    ("shape", "base"), [*product(PLANNED, ("slim", "alpine")), ("one-file", "full"), ("postgresql", "full")]
)
def test_guide_explains_what_is_written(tmp_path: Path, shape: str, base: str) -> None:
    """Each instruction is quoted, and its flags and variables are explained; so are keys, anchors and variables."""
    planned = plan(tmp_path, shape, base)
    guide, dockerfile = planned.files["GUIDE.md"], planned.files["Dockerfile"]
    assert set(code(guide, "dockerfile")) == set(instructions(dockerfile))
    text = "\n".join(instructions(dockerfile))
    chapter = chapters(guide)["3. The Dockerfile"]
    assert set(re.findall(r"^### `([A-Z]+)", chapter, re.MULTILINE)) == set(re.findall(r"^[A-Z]+", text, re.MULTILINE))
    assert explained(chapter) == set(dockerfile_terms(text))
    development, production = (compose_terms(planned.files[name]) for name in ("compose.yaml", "compose.prod.yaml"))
    assert explained(section(guide, "compose.yaml")) == development
    assert production - development <= explained(section(guide, "compose.prod.yaml")) <= production


@pytest.mark.parametrize("shape", PLANNED)
def test_guide_has_nothing_foreign(tmp_path: Path, shape: str) -> None:
    """It speaks of what the application has, shows no outputs, and says nothing twice; commands are one line each."""
    planned = plan(tmp_path, shape)
    guide = planned.files["GUIDE.md"].replace(planned.name, "NAME")
    for words, belongs in FOREIGN.items():
        if not belongs(planned):
            assert re.findall(rf"^.*\b(?:{words})\b.*$", guide, re.MULTILINE | re.IGNORECASE) == [], words
    assert "```text" not in guide
    paragraphs = [each for each in re.split(r"\n{2,}", guide) if len(each) > 100]
    assert len(paragraphs) == len(set(paragraphs))
    assert "\n\n\n" not in guide
    commands = list(code(guide, "sh"))
    assert [line for line in commands if not line or line.endswith("\\")] == []
    assert_one_at_a_time(commands)


def assert_one_at_a_time(commands: list[str]) -> None:
    """Check that what is started is stopped before something else takes its port, and at the end."""
    running = ""
    for command in commands:
        if re.search(r" up -d|run -d --name NAME", command):
            assert not running, command
            running = command
        elif re.match(r"docker (compose.* down|rm NAME)", command):
            running = running if "compose" in running and "compose" not in command else ""
    assert not running


def test_guide_is_written(dockwright: Run, tmp_path: Path) -> None:
    """It is one of the files; a second run changes nothing."""
    root = write_application("one-file", tmp_path)
    arguments = ["dockerize", str(root), "--no-input", "--offline", "--guide", "student"]
    assert dockwright(*arguments).returncode == 0
    guide = (root / "GUIDE.md").read_text(encoding="utf-8")
    assert guide.startswith("# Guide")
    assert "nothing was changed" in dockwright(*arguments).stdout
    assert "GUIDE.md" not in dockwright("dockerize", str(root), "--dry-run", "--offline").stdout


def test_guide_explains_no_file_of_others(dockwright: Run, tmp_path: Path) -> None:
    """Where a Dockerfile stays as it is, a guide to ours would be wrong: it is left out, and that is said."""
    root = write_application("one-file", tmp_path)
    (root / "Dockerfile").write_text("FROM python:3.14-slim\n", encoding="utf-8")
    arguments = ["dockerize", str(root), "--no-input", "--offline", "--guide", "student"]
    told = dockwright(*arguments).stdout
    assert "GUIDE.md is not written: it would explain our Dockerfile" in " ".join(told.split())
    assert not (root / "GUIDE.md").exists()
    dockwright(*arguments, "--force")
    assert (root / "GUIDE.md").exists()
