"""Your own domain: the generated README's section, followed to the letter, leads from the sample to a service."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockwright.template import load
from tests.docker.stack import Project, free_port, running, wait_for

pytestmark = [
    pytest.mark.only_where(base_image=["slim"], sample=["products"]),
    pytest.mark.one_for_each("framework", "database"),
]
SECTION = "Your own domain"
DELETE, ADD, CHANGE = "Delete the sample", "Add your own", "Change it later"


class UnclearError(Exception):
    """A part of the section that says something to do, in a form that nobody can follow to the letter."""


@dataclass(frozen=True)
class Run:
    """Type the commands of a block."""

    commands: str

    def follow(self, project: Project) -> None:
        """Run them in one shell; stop at the first that fails."""
        # The page's port may be in use on this machine. The README says to choose another.
        commands = self.commands.replace(f"localhost:{project.answers['port']}", f"localhost:{project.port}")
        project.run("bash", "-euc", commands)


@dataclass(frozen=True)
class Write:
    """Write a new file."""

    path: str
    text: str

    def follow(self, project: Project) -> None:
        """Write it, into a new directory if need be."""
        path = project.directory / self.path
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(self.text)


@dataclass(frozen=True)
class Delete:
    """Delete the lines of a file that have a word."""

    path: str
    word: str

    def follow(self, project: Project) -> None:
        """Delete them; there is at least one."""
        lines = read_lines(project, self.path)
        kept = [line for line in lines if self.word not in line]
        assert kept != lines, self
        write_lines(project, self.path, kept)


@dataclass(frozen=True)
class Add:
    """Add a line to a file, after another."""

    path: str
    line: str
    after: str

    def follow(self, project: Project) -> None:
        """Add it, as far indented as the line that it follows."""
        lines = read_lines(project, self.path)
        (number,) = (number for number, line in enumerate(lines) if line.strip() == self.after)
        indentation = lines[number].partition(self.after)[0]
        write_lines(project, self.path, [*lines[: number + 1], indentation + self.line, *lines[number + 1 :]])


Step = Run | Write | Delete | Add
EDITS = {
    r"- In `(\S+)`, delete the lines? with `(\w+)`\.": Delete,
    r"- In `(\S+)`, add `([^`]+)` after `([^`]+)`\.": Add,
}
# In prose, names and directories only: a file or a command there would be something to do.
HARMLESS = re.compile(r"[a-z_]+/?")
# The one alternative that is offered in prose, and has a test of its own.
DROP = re.compile(r"leave out the first two commands, and drop the table with a migration: `(make migration [^`]+)`\.$")


def read_lines(project: Project, path: str) -> list[str]:
    """Return the lines of one of the project's files."""
    return (project.directory / path).read_text(encoding="utf-8").splitlines()


def write_lines(project: Project, path: str, lines: Sequence[str]) -> None:
    """Replace the lines of one of the project's files."""
    (project.directory / path).write_text("\n".join([*lines, ""]), encoding="utf-8")


def read_page(project: Project) -> dict[str, list[Step]]:
    """Return the steps below each heading of the section; raise UnclearError for what nobody can follow."""
    _, _, text = (project.directory / "README.md").read_text(encoding="utf-8").partition(f"\n## {SECTION}\n")
    introduction, *parts = re.split(r"^### (.*)\n", text.partition("\n## ")[0], flags=re.MULTILINE)
    assert not list(read_steps(introduction))
    return {title: list(read_steps(body)) for title, body in zip(parts[::2], parts[1::2], strict=True)}


def read_steps(text: str) -> Iterator[Step]:
    """Yield the steps of a text: sentences that edit a file, files to write, and commands to run."""
    *parts, end = re.split(r"^```(\w*)\n(.*?)^```\n", text, flags=re.MULTILINE | re.DOTALL)
    for prose, language, code in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if language == "sh":
            yield from read_prose(prose)
            yield Run(code)
        elif language == "python" and (named := re.search(r"`(\S+)`:\s*$", prose)):
            yield from read_prose(prose[: named.start()])
            yield Write(named[1], code)
        else:
            raise UnclearError(prose[-200:], language)
    yield from read_prose(end)


def read_prose(text: str) -> Iterator[Step]:
    """Yield the edits that a text describes; the rest of it has nothing to do."""
    for line in filter(None, text.splitlines()):
        for pattern, edit in EDITS.items():
            if match := re.fullmatch(pattern, line):
                yield edit(*match.groups())
                break
        else:
            codes = re.findall(r"`([^`]*)`", DROP.sub("", line))
            if line.startswith(("- ", "    ")) or not all(map(HARMLESS.fullmatch, codes)):
                raise UnclearError(line)


@pytest.fixture
def mine(project: Project, tmp_path: Path) -> Iterator[Project]:
    """Return a project for one test, which edits it; its images have layers in common with those of its cell."""
    answers = {**project.answers, "project_slug": f"{project.slug}-own"}
    mine = Project(load().render(answers, tmp_path), answers, free_port())
    (mine.directory / ".env").write_text(f"PORT={mine.port}\n", encoding="utf-8")
    yield mine
    mine.remove_images()


def test_page_leads_to_a_service(mine: Project) -> None:
    """Delete the sample, add tasks, change them while there are rows: lint and tests pass, and production serves."""
    page = read_page(mine)
    assert list(page) == ([DELETE, ADD, CHANGE] if mine.has_database else [DELETE, ADD])
    with running(mine, "compose.yaml", mine.slug, "up --build --detach --wait") as stack:
        for step in page[DELETE] + page[ADD]:
            step.follow(mine)
        with stack.client() as client:
            if mine.has_database:
                assert client.post("/tasks", json={"title": "Ship it"}).status_code == 201
            rows = client.get("/tasks").json()
            assert [row["id"] for row in rows] == ([1, 2] if mine.has_database else [1])
            for step in page.get(CHANGE, []):
                step.follow(mine)
            expected = [row | {"note": ""} for row in rows] if mine.has_database else rows
            wait_for(lambda: client.get("/tasks").json() == expected)
    if mine.needs_secrets:
        mine.run("make", "secrets")
    mine.run("make", "build")
    with running(mine, "compose.prod.yaml", f"{mine.slug}-prod", "up --detach --wait") as stack:
        with stack.client() as client:
            if mine.has_database:
                assert client.get("/tasks").json() == []
                created = client.post("/tasks", json={"title": "Rest", "note": "Well"})
                assert created.status_code == 201
                expected = [created.json()]
            assert client.get("/tasks").json() == expected
            paths = client.get("/openapi.json").json()["paths"]
        assert {path for path in paths if not path.startswith(("/health", "/up", "/ready", "/docs"))} == {"/tasks"}


@pytest.mark.only_where(base_image=["slim"], sample=["products"], database=["mariadb"])
@pytest.mark.one_for_each("database")
def test_table_of_the_sample_is_dropped(mine: Project) -> None:
    """Where production has the sample's table, its migration is kept, and one that drops the table follows."""
    text = (mine.directory / "README.md").read_text(encoding="utf-8")
    drop = re.search(DROP.pattern, text, re.MULTILINE)
    assert drop
    first, *others = read_page(mine)[DELETE]
    assert isinstance(first, Run)
    kept = "".join(first.commands.splitlines(keepends=True)[2:])
    with running(mine, "compose.yaml", mine.slug, "up --build --detach --wait") as stack:
        for step in (Run(kept), *others[:-1], Run(drop[1]), Run("make migrate test")):
            step.follow(mine)
        (written,) = (mine.directory / "migrations" / "versions").glob("*drop_products.py")
        assert "# WARNING: " in written.read_text(encoding="utf-8")
        # No table without a model is left
        stack.execute("alembic", "check")
