"""The generated guide, followed by a reader who types every command: it works, and shows what it says it shows."""

import re
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import pytest

from dockwright.template import load
from tests.docker.conftest import RUN
from tests.docker.stack import Project, wait_for
from tests.docker.test_images import rerun

ALL = range(1, 12)
# Answers, and which chapters to follow: of the default project, whose outputs the guide shows, all; of one that shares
# as little as possible with it, those whose commands depend on the answers.
PROJECTS: dict[str, tuple[dict[str, str], Collection[int]]] = {
    "default": ({}, ALL),
    "different": (
        {
            "project_name": "Book Shop",
            "framework": "fastapi",
            "base_image": "alpine",
            "database": "postgresql",
            "redis": "cache-and-queue",
            "sample": "none",
            "proxy": "caddy",
            "port": "5080",
        },
        (1, 2, 7, 8, 9),
    ),
}
# Blocks of commands with the paragraph before them, blocks of output, and edits, as they follow each other
STEP = re.compile(
    r"^- In `(?P<changed>\S+)`, change `(?P<old>[^`]+)` to `(?P<new>[^`]+)`\.$"
    r"|^- In `(?P<grown>\S+)`, add the line `(?P<line>[^`]+)` after `(?P<after>[^`]+)`\.$"
    r"|^```text\n(?P<output>.*?)^```$"
    r"|(?P<before>[^\n]*)\n\n```sh\n(?P<commands>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
AGO = re.compile(r"(?:about |less than )?(?:an?|\d+) (?:second|minute|hour)s?(?: ago)?", re.IGNORECASE)


@dataclass
class Reader:
    """Somebody who follows a guide in the directory of its project."""

    project: Project
    typed: list[tuple[str, str]] = field(default_factory=list)  # each command with its output
    shown: list[tuple[str, str]] = field(default_factory=list)  # each output of the guide with that of the block above

    def follow(self, guide: str) -> None:
        """Take all steps of a guide, in order."""
        block, expected = "", ""
        for step in STEP.finditer(guide):
            if step["commands"]:
                fails = step["before"].endswith("This fails:")
                block = "".join(self.type(line, expected, fails=fails) for line in step["commands"].splitlines())
                expected = ""
            elif step["output"]:
                self.shown.append((step["output"], block))
            elif step["changed"]:
                self.edit(step["changed"], step["old"], step["new"])
                expected = step["new"]
            else:
                self.edit(step["grown"], step["after"], f"{step['after']}\n{step['line']}")

    def type(self, command: str, expected: str, *, fails: bool) -> str:
        """Type a command and return its output; a request until it is answered, with what is expected."""
        outputs: list[str] = []

        def done() -> bool:
            """Type it, and say whether it has shown what is expected."""
            outputs.append(self.project.run("bash", "-c", command, expect=None if repeated else int(fails)))
            return not repeated or ("curl: (" not in outputs[-1] and expected in outputs[-1])

        repeated = command.startswith("curl ")
        if repeated:
            command = command.replace("curl ", "curl --silent --show-error --max-time 5 ")
        elif command == "docker image prune":
            # Answer the question, and spare the images of others on this machine.
            mine = f"label=org.opencontainers.image.description={self.project.answers['description']}"
            command += f" --force --filter '{mine}'"
        wait_for(done, seconds=120)
        self.typed.append((command, outputs[-1]))
        return outputs[-1]

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place in a file that has this text."""
        path = self.project.directory / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def outputs(self, pattern: str) -> list[str]:
        """Return the outputs of the commands that a pattern matches, in order."""
        return [output for command, output in self.typed if re.search(pattern, command)]


@pytest.fixture(scope="module")
def reader(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Return somebody who has followed the guide of a project."""
    assert engine
    given, chapters = PROJECTS[request.param]
    answers = load().complete({**given, "guide": "student", "description": f"Explained by its guide, {RUN}"})
    for port in (answers["port"], "5001"):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(port))), f"port {port} is taken: stop what listens there"
    project = Project(load().render(answers, tmp_path_factory.mktemp("guide")), answers, int(answers["port"]))
    before = {path: path.read_bytes() for path in project.directory.rglob("*") if path.is_file()}
    reader = Reader(project)
    try:
        _, *parts = (project.directory / "GUIDE.md").read_text(encoding="utf-8").split("\n## ")
        assert [int(part.partition(".")[0]) for part in parts] == list(ALL)
        for number in chapters:
            reader.follow(parts[number - 1])
        assert {path: path.read_bytes() for path in before} == before, "an edit was not undone"
        yield reader
    finally:
        project.run("docker", "rm", "--force", "--volumes", f"{project.slug}-1", "registry", expect=None)
        for file in ("compose.yaml", "compose.prod.yaml"):
            project.run("docker", "compose", "-f", file, "down", "--volumes", "--rmi", "local", expect=None)
        project.remove_images()
        project.run("docker", "rmi", "--force", "spoiled", "other", expect=None)


@pytest.mark.parametrize("reader", ["default"], indirect=True)
def test_images(reader: Reader) -> None:
    """Each experiment with builds, base images and the registry shows what the guide says that it shows."""
    again, edited, _, spoiled, righted, undone = map(rerun, reader.outputs("^docker build --progress"))
    assert (again, undone) == ([], [])
    assert [instruction.split()[-2:] for instruction in (*edited, *righted)] == [["app", "app"]] * 2
    assert any("uv pip install" in instruction for instruction in spoiled)
    assert re.search(r"Installed \d+ packages", reader.outputs("-t spoiled")[1])

    assert [output.count("Alpine Linux v") for output in reader.outputs("cat /etc/os-release")] == [0, 1]
    (kernel,) = reader.outputs("uname -r")
    assert f"Kernel Version: {kernel}" in reader.outputs("^docker info$")[0]
    assert reader.outputs("os.getpid")[0].startswith("1 ['app'")

    assert "digest: sha256:" in reader.outputs("^docker push")[0]
    assert "Status: Downloaded newer image" in reader.outputs("^docker pull")[0]
    assert reader.outputs("python --version")[0].startswith(f"Python {reader.project.answers['python_version']}.")


@pytest.mark.parametrize("reader", ["default"], indirect=True)
def test_outputs(reader: Reader) -> None:
    """What the guide shows of a command is what the command prints, but for ids, sizes and times."""
    assert len(reader.shown) > 5
    for shown, printed in reader.shown:
        lines = [mask(line) for line in printed.splitlines()]
        for line in map(mask, shown.splitlines()):
            start, cut, _ = line.partition("…")
            assert line in lines or (cut and any(each.startswith(start) for each in lines)), f"{line}\n\n{printed}"


@pytest.mark.parametrize("reader", PROJECTS, indirect=True)
def test_stacks(reader: Reader) -> None:
    """An edit shows without a build, a volume outlives its containers, and production is as protected as it is said."""
    assert reader.outputs("^docker exec .* ls /app$")[0].startswith("app\n")
    assert '"edited"' in reader.outputs("^curl")[3]
    volume_before, volume_after = reader.outputs("compose exec .* ls /(?:data|var).*")
    assert "note.txt" in volume_before
    assert "note.txt" in volume_after
    other_before, other_after = reader.outputs("compose exec .* ls /tmp$")
    assert "note.txt" in other_before
    assert "note.txt" not in other_after

    assert reader.outputs("exec web id$")[0].startswith("uid=10001 gid=10001")
    # BusyBox on Alpine names the other of the two reasons.
    assert re.search("Permission denied|Read-only file system", reader.outputs("exec web touch")[0])
    assert "Read-only file system" in reader.outputs("exec --user root web touch")[0]


def mask(line: str) -> str:
    """Return a line without what is different in every run."""
    line = AGO.sub("T", line)
    line = re.sub(r"\b(?:sha256:)?[0-9a-f]{12,}\b", "ID", line)
    line = re.sub(r"[\d.]+\s?(?:B|kB|MB|GB|ms|s)\b", "N", line)
    return re.sub(r"\d+", "0", re.sub(r"\s+", " ", line)).strip()
