"""Where a project is written, what it is made from, and what is shown of it."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dockwright import preview
from dockwright.answers import read_answers, write_answers
from dockwright.cli import main
from dockwright.diff import differences
from dockwright.directory import check_contents
from dockwright.errors import ForeignFilesError, OutputDirectoryError
from dockwright.request import Place
from dockwright.template import RECORD, Template, load, render
from tests.unit.checkout import copy_checkout, read_tree
from tests.unit.conftest import Run
from tests.unit.test_names import ACCEPTED

# What a new repository may have, and whether a project has a file of this name
REPOSITORY = {".gitignore": True, "LICENSE": False, "README.md": True}


@pytest.fixture
def repository(output_dir: Path, run: Run) -> Path:
    """Return a new git repository with a few files."""
    directory = output_dir / "my-shop"
    directory.mkdir()
    for name in REPOSITORY:
        (directory / name).write_text("mine\n", encoding="utf-8")
    assert run("git", "init", "--quiet", cwd=directory).returncode == 0
    return directory


@pytest.mark.parametrize(
    ("name", "slug"), [("my-shop", "my-shop"), ("Crème & Café", "creme-cafe"), ("deep/er/shop", "deep/er/shop")]
)
def test_name_is_that_of_the_project_and_its_directory(
    dockwright: Run, output_dir: Path, template: Template, name: str, slug: str
) -> None:
    """The operand is the project's name, and leads to the name of its directory, which may have a path."""
    assert dockwright("new", name, "-y").returncode == 0
    answers = read_answers(template, output_dir / slug / RECORD)
    assert (answers["project_name"], answers["project_slug"]) == (Path(name).name, Path(slug).name)


def test_flags_win_over_the_name(dockwright: Run, output_dir: Path, template: Template) -> None:
    """A flag wins over the operand, which is then the directory's name alone; the operand wins over a file."""
    assert dockwright("new", "shop", "-y", "--project-name", "The Shop").returncode == 0
    record = output_dir / "shop" / RECORD
    answers = read_answers(template, record)
    assert (answers["project_name"], answers["project_slug"]) == ("The Shop", "shop")
    assert dockwright("new", "other", "-y", "--answers", str(record)).returncode == 0
    answers = read_answers(template, output_dir / "other" / RECORD)
    assert (answers["project_name"], answers["project_slug"]) == ("other", "other")


@pytest.mark.parametrize("operand", [".", "../my-shop", "absolute", "link"])
def test_repository_is_written_into(dockwright: Run, output_dir: Path, repository: Path, operand: str) -> None:
    """A repository with nothing but a README, a licence and a .gitignore gets the other files of the project."""
    if operand == "absolute":
        operand = str(repository)
    elif operand == "link":
        (output_dir / "link").symlink_to("my-shop")
        operand = "../link"
    before = read_tree(repository)
    done = dockwright("new", operand, "-y", "--project-name", "my-shop", "--project-slug", "my-shop", cwd=repository)
    assert (done.returncode, done.stderr) == (0, "")
    kept = sorted(name for name, generated in REPOSITORY.items() if generated)
    assert f"Kept as they were: {', '.join(kept)}." in done.stdout
    expected = read_tree(render({"project_name": "my-shop"}, output_dir / "other"))
    assert read_tree(repository) == expected | before


def test_file_in_the_way_is_refused(output_dir: Path, template: Template) -> None:
    """A directory that has any other file of a project is refused: the project would be written without it."""
    names = {path.partition("/")[0] for path in preview.files(template, template.complete({}))}
    for name in names - REPOSITORY.keys():
        directory = output_dir / f"with {name}"
        directory.mkdir()
        (directory / name).write_text("mine\n", encoding="utf-8")
        with pytest.raises(ForeignFilesError):
            check_contents(directory)


@pytest.mark.parametrize(
    ("theirs", "missing"),
    [
        ("*.log\n", ".env, secrets/, backups/"),
        ("/secrets\n.env\n", "backups/"),
        (".env\nsecrets/\nbackups/\n", ""),
    ],
)
def test_kept_gitignore_that_lets_secrets_in_is_said(
    dockwright: Run, repository: Path, theirs: str, missing: str
) -> None:
    """The lines that keep secrets out of git are named where a repository's own .gitignore lacks them."""
    (repository / ".gitignore").write_text(theirs, encoding="utf-8")
    for arguments in (["--dry-run"], ["-y"]):
        shown = dockwright("new", ".", *arguments, cwd=repository).stdout
        sentence = f"Your .gitignore lacks these lines; without them passwords can be committed: {missing}\n"
        assert (sentence in shown) is bool(missing)
        assert ("can be committed" in shown) is bool(missing)
    assert (repository / ".gitignore").read_text(encoding="utf-8") == theirs


def test_kept_readme_is_not_called_the_projects(dockwright: Run, repository: Path, output_dir: Path) -> None:
    """Where the README is the user's, the end says where Dockwright's can be seen."""
    shown = dockwright("new", ".", "-y", "--preset", "student", cwd=repository).stdout
    assert "README.md goes on from here" not in shown
    assert "GUIDE.md explains the project's files." in shown
    assert "Kept as they were: .gitignore, README.md. What Dockwright would write there, and how to go on:" in shown
    (output_dir / "new").mkdir()
    assert "The project's README.md goes on from here." in dockwright("new", "new", "-y").stdout


def test_empty_directory_gives_the_name(dockwright: Run, output_dir: Path, template: Template) -> None:
    """A project in an empty directory is named after it, unless a flag or a file of answers has a name."""
    (output_dir / "answers.toml").write_text('project_name = "Al"\n', encoding="utf-8")
    file = ["--answers", str(output_dir / "answers.toml")]
    for arguments, name in (([], "bob-s-shop"), (["--project-name", "Bob"], "Bob"), (file, "Al")):
        directory = output_dir / name / "bob-s-shop"
        directory.mkdir(parents=True)
        assert dockwright("new", ".", "-y", *arguments, cwd=directory).returncode == 0
        answers = read_answers(template, directory / RECORD)
        assert (answers["project_name"], answers["project_slug"]) == (name, "bob-s-shop")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send a signal to a single process")
@pytest.mark.parametrize("failure", ["interrupt", "clash", "full"])
def test_written_into_completely_or_not_at_all(
    tmp_path: Path, environment: dict[str, str], repository: Path, failure: str
) -> None:
    """An interrupt or an error in the middle of moving leaves the directory as it was."""
    package = copy_checkout(tmp_path / "copy").root / "generator" / "dockwright"
    module = package / "directory.py"
    fault = {
        "interrupt": "print('half', flush=True); __import__('time').sleep(60)",
        "clash": "raise FileExistsError(17, 'File exists')",
        "full": "raise OSError(28, 'No space left on device')",
    }[failure]
    text = module.read_text(encoding="utf-8")
    moving = "                path.rename(target / path.name)\n"
    assert moving in text
    at = "                if path.name == 'compose.yaml':\n                    "
    module.write_text(text.replace(moving, f"{moving}{at}{fault}\n"), encoding="utf-8")
    before = read_tree(repository)
    command = [sys.executable, "-m", "dockwright", "new", ".", "-y"]
    settings = {**environment, "PYTHONPATH": str(package.parent)}
    with subprocess.Popen(
        command, cwd=repository, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if failure == "interrupt":
            assert process.stdout
            assert process.stdout.readline() == "half\n"
            assert (repository / "compose.yaml").exists()
            process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=30)
    sentence = "stopped: nothing was written" if failure == "interrupt" else "error: can't write to . ("
    assert stderr.strip().startswith(sentence)
    assert process.returncode == (130 if failure == "interrupt" else 1)
    assert read_tree(repository) == before


def test_interrupt_after_writing_says_so(
    monkeypatch: pytest.MonkeyPatch, output_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupt between the project and the end of the command doesn't say that nothing was written."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dockwright.report.start", interrupt)
    monkeypatch.chdir(output_dir)
    assert main(["new", "shop", "-y"]) == 130
    assert capsys.readouterr().err == "error: stopped, but shop is written\n"
    assert (output_dir / "shop" / RECORD).is_file()


def test_answers_need_a_terminal_to_ask_in(
    monkeypatch: pytest.MonkeyPatch, output_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No question is asked where nobody sees it: where the output is piped to a file, for example."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.chdir(output_dir)
    assert main(["new", "shop"]) == 2
    assert "there is no terminal to ask the questions in" in capsys.readouterr().err


@pytest.mark.parametrize("preset", load().presets)
def test_preset_answers(dockwright: Run, template: Template, preset: str) -> None:
    """A preset's answers are taken, and flags win over them."""
    chosen = dict(template.presets[preset].answers)
    plan = json.loads(dockwright("--preset", preset.upper(), "--dry-run", "--json").stdout)
    assert plan["answers"] == template.complete(chosen)
    name = next(iter(chosen))
    other = next(value for value in template.options[name].values if value != chosen[name])
    plan = json.loads(dockwright("--preset", preset, template.options[name].flag, other, "--dry-run", "--json").stdout)
    assert plan["answers"] == template.complete(chosen | {name: other})


def test_presets_are_listed(dockwright: Run, template: Template) -> None:
    """Each preset is listed with its sentence and its answers, as text and as JSON."""
    text = dockwright("presets").stdout
    listed = {preset["name"]: preset for preset in json.loads(dockwright("presets", "--json").stdout)}
    assert list(listed) == list(template.presets)
    for name, preset in template.presets.items():
        assert f"{name}: {preset.why}\n" in text
        assert all(f"{template.options[option].flag} {answer}" in text for option, answer in preset.answers.items())
        assert (listed[name]["why"], listed[name]["answers"]) == (preset.why, preset.answers)


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_saved_answers_are_those_that_were_given(template: Template, tmp_path: Path, suffix: str) -> None:
    """What is written to a file is what is read from it, for every name that is accepted."""
    for number, name in enumerate(ACCEPTED.values()):
        answers = template.complete({"project_name": name, "project_slug": "own", "description": name})
        write_answers(tmp_path / f"{number}{suffix}", answers)
        assert read_answers(template, tmp_path / f"{number}{suffix}") == answers
        # In the file the name stands as it was typed, not as escapes.
        assert (tmp_path / f"{number}{suffix}").read_text(encoding="utf-8").count(name) == 2


def test_answers_are_replayed(dockwright: Run, output_dir: Path) -> None:
    """Saved answers and a project's record make the same project again; flags win."""
    given = ["--framework", "fastapi", "--redis", "queue", "--project-name", "Bob's shop: # 1"]
    assert dockwright("-y", *given, "--output-dir", "first", "--save-answers", "answers.toml").returncode == 0
    first = output_dir / "first" / "bob-s-shop-1"
    for number, file in enumerate(("answers.toml", str(first / RECORD))):
        assert dockwright("-y", "--answers", file, "--output-dir", str(number)).returncode == 0
        assert read_tree(output_dir / str(number)) == read_tree(first.parent)
    plan = json.loads(dockwright("--answers", "answers.toml", "--redis", "none", "--dry-run", "--json").stdout)
    assert (plan["answers"]["framework"], plan["answers"]["redis"]) == ("fastapi", "none")


def test_answers_that_other_programs_write(template: Template, tmp_path: Path) -> None:
    """A byte order mark, which Windows programs write, and whole numbers are taken."""
    file = tmp_path / "answers.toml"
    file.write_text('framework = "fastapi"\nport = 8080\n', encoding="utf-8-sig")
    assert read_answers(template, file) == {"framework": "fastapi", "port": "8080"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_answers_on_a_full_disk(run: Run, output_dir: Path) -> None:
    """Answers that can't be written leave no empty file, and the sentence says that the project is there."""
    code = "from dockwright.answers import *; write_answers(Path('a.toml'), {'port': '5000'})"
    done = run("sh", "-c", "ulimit -f 0 && exec " + shlex.join([sys.executable, "-c", code]))
    assert "the project is written, but a.toml is not (File too large)" in done.stderr
    assert not list(output_dir.iterdir())


def test_looking_needs_no_permission_to_write(output_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What writes nothing works in a directory that can't be written to."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    for place in (Place(output_dir), Place(output_dir, output_dir)):
        place.check({"project_slug": "shop"}, writes=False)
        with pytest.raises(OutputDirectoryError):
            place.check({"project_slug": "shop"})


def test_dry_run_shows_services_and_files(dockwright: Run, repository: Path, template: Template) -> None:
    """A dry run has each service and each file with its size, as text and as JSON, and says what would be kept."""
    answers = template.complete({"project_name": "my-shop", "redis": "queue"})
    files, services = preview.files(template, answers), preview.services(template, answers)
    assert {"web", "worker", "redis"} <= {service.name for service in services}
    before = read_tree(repository)
    text = dockwright("new", "my-shop", "--redis", "queue", "--dry-run").stdout
    plan = json.loads(dockwright("new", "my-shop", "--redis", "queue", "--dry-run", "--json").stdout)
    assert read_tree(repository) == before
    words = [line.split() for line in text.splitlines()]
    assert all([name, f"{size:,}"] in words for name, size in files.items())
    assert all([service.name, service.image] in (line[:2] for line in words) for service in services)
    kept = sorted(name for name, generated in REPOSITORY.items() if generated)
    assert f"Kept as they are: {', '.join(kept)}." in text
    assert (plan["answers"], plan["files"], plan["kept"]) == (answers, files, kept)
    assert [service["name"] for service in plan["services"]] == [service.name for service in services]
    assert plan["directory"] == str(repository)


def test_diff_leads_to_the_project(dockwright: Run, run: Run, output_dir: Path, template: Template) -> None:
    """The differences, applied by git, turn a changed project into the one that would be written; none are empty."""
    assert dockwright("new", "shop", "-y").returncode == 0
    project = output_dir / "shop"
    assert dockwright("new", "shop", "--diff").stdout == ""
    (project / "Dockerfile").unlink()
    (project / "README.md").write_bytes(b"line\nwithout an end")
    (project / "own.txt").write_text("mine\n", encoding="utf-8")
    done = dockwright("new", "shop", "--diff", "--port", "8123")
    assert done.returncode == 0
    assert dockwright("new", "shop", "--diff", "--port", "8123", "--json").stdout.count("Dockerfile")
    applied = run("git", "apply", "--whitespace=nowarn", "-", cwd=project, stdin=None, input=done.stdout)
    assert applied.returncode == 0, applied.stderr
    (project / "own.txt").unlink()
    assert read_tree(project) == read_tree(
        render(template.complete({"project_name": "shop", "port": "8123"}), output_dir / "x")
    )


def test_diff_says_what_it_cannot_read(tmp_path: Path) -> None:
    """A file that can't be compared is named, with the reason."""
    (tmp_path / "README.md").mkdir()
    assert list(differences({"README.md": b"text\n"}, tmp_path)) == ["README.md: Is a directory\n"]


def test_diff_drops_what_other_answers_need_no_longer(dockwright: Run, run: Run, output_dir: Path) -> None:
    """Applied by git, it also deletes the files of the recorded answers that the new answers don't lead to."""
    assert dockwright("new", "shop", "-y", "--redis", "queue").returncode == 0
    project = output_dir / "shop"
    (project / "own.txt").write_text("mine\n", encoding="utf-8")
    done = dockwright("new", "shop", "--diff", "--answers", "shop/.dockwright.yaml", "--redis", "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert run("git", "apply", "--whitespace=nowarn", "-", cwd=project, stdin=None, input=done.stdout).returncode == 0
    assert not (project / "app" / "worker.py").exists()
    expected = read_tree(render({"project_name": "shop"}, output_dir / "other"))
    assert {name for name in read_tree(project) if "reports" not in name} == {*expected, "own.txt"}
    (project / RECORD).write_text("default_context: {framework: x}\n", encoding="utf-8")
    done = dockwright("new", "shop", "--diff")
    assert done.returncode == 0
    assert "note: files that are no longer needed are not shown: " in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="commands are PowerShell's there: see test_report")
def test_diff_with_the_projects_answers_is_suggested(dockwright: Run, run: Run) -> None:
    """Where a project is in the way, or compared with other answers than its own, the command that helps is shown."""
    assert dockwright("new", "shop", "-y", "--redis", "queue").returncode == 0
    command = "dockwright new shop --answers shop/.dockwright.yaml --diff"
    assert command in dockwright("new", "shop", "-y").stderr
    assert command in dockwright("-y", "--project-slug", "shop").stderr
    assert command in dockwright("new", "shop", "--diff").stderr
    typed = shlex.join([sys.executable, "-m", "dockwright", "new", "shop", "--diff"])
    both = run("sh", "-c", f"{typed} 2>&1").stdout
    assert both.endswith(f"; for those:\n  {command}\n")
    done = dockwright(*command.split()[1:])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="commands are PowerShell's there: see test_report")
def test_result_says_what_comes_next(dockwright: Run, output_dir: Path) -> None:
    """The next commands are shown, quoted for the shell, and as JSON."""
    done = dockwright("new", "shop", "-y", "--output-dir", "my projects", "--port", str(unused_port()))
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    port = read_port(output_dir / "my projects" / "shop")
    assert commands == ["cd 'my projects/shop'", "docker compose up", f"curl http://localhost:{port}/products"]
    assert f"http://localhost:{port}/docs describes the API." in done.stdout
    result = json.loads(dockwright("new", "again", "-y", "--json", "--port", port).stdout)
    assert result["directory"] == str(output_dir / "again")
    assert result["next"] == ["cd again", *commands[1:]]
    assert result["repeat"] == f"dockwright new again --no-input --port {port}"


@pytest.mark.skipif(sys.platform == "win32", reason="commands are PowerShell's there: see test_report")
def test_port_that_is_taken_is_replaced(dockwright: Run) -> None:
    """If something answers at the port, the commands take the next one that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        shown = dockwright("new", "shop", "-y", "--port", str(port)).stdout
    free = re.search(r"PORT=(\d+) docker compose up\n", shown)
    assert free
    assert int(free[1]) > port
    assert f"Port {port} is in use on this machine" in shown
    assert f"curl http://localhost:{free[1]}/products\n" in shown
    assert f"http://localhost:{free[1]}/docs " in shown


def test_git_makes_a_repository_outside_of_any(
    dockwright: Run, run: Run, environment: dict[str, str], output_dir: Path
) -> None:
    """With --git a project becomes a repository without a commit, but not inside of another one."""
    # As in a hook of git
    done = dockwright("new", "shop", "-y", "--git", env={**environment, "GIT_DIR": str(output_dir / "other")})
    assert (done.returncode, done.stderr) == (0, "")
    repository = run("git", "rev-parse", "--show-toplevel", cwd=output_dir / "shop").stdout.strip()
    assert Path(repository) == output_dir / "shop"
    status = run("git", "status", "--porcelain", cwd=output_dir / "shop").stdout
    assert {line[:2] for line in status.splitlines()} == {"??"}
    done = dockwright("new", "shop/inner", "-y", "--git")
    assert done.returncode == 0
    assert f"No git repository was made: {output_dir / 'shop'} is one already.\n" in done.stdout
    assert not (output_dir / "shop" / "inner" / ".git").exists()


def test_git_is_missed_before_anything_is_written(
    dockwright: Run, environment: dict[str, str], output_dir: Path
) -> None:
    """Without git, --git is refused."""
    done = dockwright("new", "shop", "-y", "--git", env={**environment, "PATH": ""})
    assert (done.returncode, done.stderr) == (
        1,
        "error: --git can't be done: git is not installed: install it, or leave out the flag\n",
    )
    assert not list(output_dir.iterdir())


def unused_port() -> int:
    """Return a port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def read_port(project: Path) -> str:
    """Return the port that a project's record has."""
    return read_answers(load(), project / RECORD)["port"]
