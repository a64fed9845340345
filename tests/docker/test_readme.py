"""The generated README's advice, taken word for word."""

import re
from concurrent.futures import ThreadPoolExecutor

import pexpect
import pytest

from tests.docker.stack import Project, Stack, wait_for

MIGRATION = '''"""A migration of a branch."""

revision = "{name}"
down_revision = "0001"


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing."""
'''
ONE_OFF = "label=com.docker.compose.oneoff=True"


def read(project: Project) -> str:
    """Return the project's README."""
    return (project.directory / "README.md").read_text(encoding="utf-8")


def block(project: Project, introduction: str) -> str:
    """Return the commands that follow a sentence of the README."""
    _, _, rest = read(project).partition(f"\n{introduction}")
    commands = re.match(r"[^\n]*\n\n```sh\n(.*?)^```$", rest, re.DOTALL | re.MULTILINE)
    assert commands, introduction
    return commands[1]


@pytest.mark.only_where(database=["sqlite", "postgresql", "mariadb"], sample=["products"])
@pytest.mark.one_for_each("framework")
def test_migrations_of_two_branches(project: Project, development: Stack) -> None:
    """Two heads and an unknown revision are told in the words of the README, and its commands lead on."""
    assert development.name == project.slug
    heads, unknown = re.findall(r'^- \*\*"(.*)":\*\* .*?`(docker compose .*?)`', read(project), re.MULTILINE)
    versions = project.directory / "migrations" / "versions"
    before = set(versions.iterdir())
    for name in ("left", "right"):
        (versions / f"{name}.py").write_text(MIGRATION.format(name=name), encoding="utf-8")
    project.run("docker", "compose", "up", "--detach", expect=1)
    assert heads[0] in project.run("docker", "compose", "logs", "migrate")
    project.type(heads[1])
    project.run("make", "migrate")
    added = {path: path.read_text(encoding="utf-8") for path in set(versions.iterdir()) - before}
    assert len(added) == 3
    for path in added:
        path.unlink()
    assert unknown[0] in project.run("make", "migrate", expect=2)
    for path, text in added.items():
        path.write_text(text, encoding="utf-8")
    project.type(unknown[1].replace("REVISION", "0001"))
    for path in added:
        path.unlink()
    project.run("docker", "compose", "up", "--detach", "--wait")


# Python warns of forking with threads: pexpect forks, and pytest-xdist has threads.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.only_where(sample=["products"])
@pytest.mark.one_for_each("framework")
def test_breakpoint(project: Project, development: Stack) -> None:
    """A breakpoint in an endpoint leads to a prompt in the terminal, and the request goes on from there."""
    routes = project.directory / "app" / "products" / "routes.py"
    before = routes.read_text(encoding="utf-8")
    docstring = '    """List products, page by page."""\n'
    assert docstring in before
    stop, _, start = block(project, "To stop at a `breakpoint()`").partition("\n")
    project.type(stop)
    routes.write_text(before.replace(docstring, f"{docstring}    breakpoint()\n"), encoding="utf-8")
    terminal = pexpect.spawn("bash", ["-euc", start], cwd=str(project.directory), encoding="utf-8", timeout=120)
    statuses: list[int] = []

    def asked() -> bool:
        """Ask for products, once the service listens."""
        with development.client() as client:
            statuses.append(client.get("/products", timeout=120).status_code)
        return True

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for, asked, seconds=120)
        terminal.expect_exact("(Pdb)")
        terminal.sendline("p 'the prompt', 'answers'")
        terminal.expect_exact("('the prompt', 'answers')")
        terminal.sendline("continue")
        waiting.result()
    assert statuses == [200]
    # Where the debugger has interrupted the main thread, Ctrl-C leads to its prompt once more.
    mine = ("--filter", f"label=com.docker.compose.project={project.slug}")
    project.run("docker", "rm", "--force", *project.run("docker", "ps", "--quiet", *mine, "--filter", ONE_OFF).split())
    terminal.expect(pexpect.EOF)
    terminal.close()
    routes.write_text(before, encoding="utf-8")
    project.run("docker", "compose", "up", "--detach", "--wait")


@pytest.mark.only_where(framework=["fastapi"], sample=["products"])
@pytest.mark.one_for_each("framework")
def test_cors(project: Project, development: Stack) -> None:
    """With the lines of the README, pages of the other origin may send every request, and read every answer."""
    (recipe,) = re.findall(r"^- \*\*CORS\*\*.*$", read(project), re.MULTILINE)
    imported, path, _, neighbour, added = re.findall(r"`([^`]+)`", recipe)
    main = project.directory / path
    before = main.read_text(encoding="utf-8")
    (line,) = re.findall(rf"^    app.*\({neighbour},.*\n", before, re.MULTILINE)
    (origin,) = re.findall(r'allow_origins=\["(.*?)"\]', added)
    preflight = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    main.write_text(before.replace(line, f"{line}    {added}\n") + f"\n\n{imported}\n", encoding="utf-8")

    def allowed() -> bool:
        """Tell whether a page may send and read."""
        with development.client() as client:
            asked = client.options("/products/1", headers=preflight).status_code
            return asked == 200 and "Access-Control-Allow-Origin" in client.get("/nowhere", headers=preflight).headers

    wait_for(allowed)
    main.write_text(before, encoding="utf-8")
    wait_for(lambda: not allowed())
