"""The scripts that prepare a machine for the Docker tests."""

import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pexpect
import pytest

from dockwright.template import Template
from tests.unit.checkout import ROOT
from tools.base_images import base_images

# Python warns of forking with threads: pexpect forks, and pytest-xdist has threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

CONFIRM = ["bash", "-c", ". tools/debian.sh; if confirm 'do it'; then echo AGREED; else echo DECLINED; fi"]
ENTER = "\r"


@pytest.fixture
def root_on_debian(tmp_path: Path) -> dict[str, str]:
    """Return the environment of root on a Debian machine without Docker; apt-get fails the test."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname"):
        (programs / name).symlink_to(shutil.which(name) or name)
    stubs = {"apt-get": f"touch {tmp_path}/installed", "docker": "exit 1", "grep": "exit 0", "id": "echo 0"}
    for name, command in stubs.items():
        (programs / name).write_text(f"#!{shutil.which('bash')}\n{command}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    return {"PATH": str(programs)}


def test_base_images(template: Template) -> None:
    """Every version of Python is needed in every variant, and every base image has a recipe for a stand-in."""
    versions, variants = (template.options[name].values for name in ("python_version", "base_image"))
    expected = {f"python:{version}-{variant}".removesuffix("-full") for version in versions for variant in variants}
    names = base_images(template)
    assert {name for name in names if name.startswith("python:")} == expected
    script = (ROOT / "stand-ins" / "build.sh").read_text(encoding="utf-8")
    patterns = re.findall(r"^    (\S+)\) (?!refuse)", script, re.MULTILINE)
    assert [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize(
    ("install", "keys", "outcome"),
    [
        ("", "y" + ENTER, "AGREED"),
        ("", "n" + ENTER, "DECLINED"),
        ("", ENTER, "DECLINED"),
        ("", "\x04", "DECLINED"),
        ("yes", "", "AGREED"),
        ("no", "", "DECLINED"),
    ],
)
def test_confirm_in_a_terminal(install: str, keys: str, outcome: str) -> None:
    """In a terminal nothing is installed without a yes, unless INSTALL answers in advance."""
    environment = os.environ | {"INSTALL": install}
    terminal = pexpect.spawn(CONFIRM[0], CONFIRM[1:], cwd=str(ROOT), env=environment, encoding="utf-8", timeout=20)
    terminal.expect_exact("About to do it.")
    if keys:
        terminal.expect_exact("[y/N]")
        terminal.send(keys)
    terminal.expect(pexpect.EOF)
    assert outcome in (terminal.before or "")


@pytest.mark.parametrize(("install", "outcome"), [("", "AGREED"), ("yes", "AGREED"), ("no", "DECLINED")])
def test_confirm_without_a_terminal(install: str, outcome: str) -> None:
    """Without a terminal, as in CI, nobody is asked; what is about to be done is still reported."""
    environment = os.environ | {"INSTALL": install}
    done = subprocess.run(
        CONFIRM, check=True, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (f"{outcome}\n", "About to do it.\n")


def test_engine_is_not_installed_without_a_yes(root_on_debian: dict[str, str], tmp_path: Path) -> None:
    """The script names the packages before it asks, and a no installs nothing."""
    script = str(ROOT / "tools" / "engine.sh")
    terminal = pexpect.spawn(script, env=root_on_debian, encoding="utf-8", timeout=20, dimensions=(24, 300))
    terminal.expect_exact("About to install Docker Engine from Debian's forky suite (docker.io/forky ")
    terminal.expect_exact("[y/N]")
    terminal.send(ENTER)
    terminal.expect_exact("error: nothing was installed")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 1
    assert not (tmp_path / "installed").exists()


def test_engine_is_not_installed_by_other_users(root_on_debian: dict[str, str], tmp_path: Path) -> None:
    """Without root, the script says what to install."""
    (tmp_path / "bin" / "id").write_text(f"#!{shutil.which('bash')}\necho 1000\n", encoding="utf-8")
    done = subprocess.run(
        [str(ROOT / "tools" / "engine.sh")], check=False, env=root_on_debian, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Docker Engine with buildx and compose answers: install ")
    assert not (tmp_path / "installed").exists()
