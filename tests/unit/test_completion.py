"""Completion in the shells themselves: commands, flags and choices."""

import shutil
from pathlib import Path

import pytest

from dockwright.commands import COMMANDS, find_command
from dockwright.completion import SHELLS
from dockwright.template import Template
from tests.render.conftest import refuse
from tests.unit.conftest import Run

# Source the script, and complete the words of the last lines.
COMPLETE = {
    "bash": 'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dockwright; printf "%s\\n" "${COMPREPLY[@]}"',
    "fish": "source script; complete --do-complete (string join ' ' -- $argv)",
    # Show what would be offered, instead of offering it.
    "zsh": """
        compdef() { }
        source ./script
        _describe() { print -l ${${(P)2}%%:*} }
        _arguments() {
            local name=${words[CURRENT-1]} specification
            for specification in "$@"; do
                case $specification in
                    $name=*\\(*) print -l ${=${${specification##*\\(}%\\)}} ;;
                    1:*\\(*) [[ $name == -* ]] || print -l ${=${${specification##*\\(}%\\)}} ;;
                    --*) [[ $name == -* ]] || print -- ${specification%%[=\\[]*} ;;
                esac
            done
        }
        words=("$@") CURRENT=$#
        _dockwright
    """,
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """Return the name of a shell that is installed."""
    name: str = request.param
    if not shutil.which(name):
        refuse(f"NOT TESTED: completion for {name}: it is not installed")
    return name


def complete(run: Run, shell: str, directory: Path, *words: str) -> list[str]:
    """Return what the shell offers for the last of these words."""
    arguments = ["-c", COMPLETE[shell], *([shell] if shell != "fish" else []), "dockwright", *words]
    done = run(shell, *arguments, cwd=directory)
    assert done.stderr == ""
    # fish shows descriptions after a tab.
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_completion(dockwright: Run, run: Run, output_dir: Path, template: Template, shell: str) -> None:
    """Each shell offers the commands, the flags of a command, and the choices of a flag, also without a command."""
    done = dockwright("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    (output_dir / "script").write_text(done.stdout, encoding="utf-8")
    assert set(COMMANDS) <= set(complete(run, shell, output_dir, ""))
    assert set(SHELLS) <= set(complete(run, shell, output_dir, "completion", ""))
    for command in map(find_command, COMMANDS):
        flags = command.every_flag(template)
        offered = complete(run, shell, output_dir, command.name, "--" if shell != "zsh" else "")
        assert {flag.names[0] for flag in flags} == {flag for flag in offered if flag.startswith("--")} - {
            alias for flag in flags for alias in flag.names[1:]
        }
    for flag in find_command("new").every_flag(template):
        for words in ([], ["new"]):
            for alias in flag.names if flag.choices else ():
                assert set(complete(run, shell, output_dir, *words, alias, "")) == set(flag.values), alias
