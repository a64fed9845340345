"""The wheel that is built is the one that works: the whole template, nothing else, and no checkout around it."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from dockwright import __version__
from dockwright.template import SOURCE, render
from tests.unit.checkout import JUNK, ROOT, read_tree

UV = str(Path(sys.executable).with_name("uv"))
METADATA = f"dockwright-{__version__}.dist-info/"
# What lies around in a checkout that is worked in, beside what the template's own .gitignore names.
LITTER = ["__pycache__/app.cpython-311.pyc", "app.pyc", ".env", ".env.production", ".mypy_cache/x", "local.db", "a~"]


@pytest.fixture(scope="module")
def dirty_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout with litter in every directory that is packaged."""
    copy = tmp_path_factory.mktemp("checkout")
    clean = shutil.ignore_patterns(".git", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, dirs_exist_ok=True, symlinks=True, ignore=clean)
    ignored = (copy / SOURCE / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip("/").replace("*", "x") for line in ignored if line and line[0] not in "#!"]
    for directory in (copy / "dockwright", copy / "hooks", copy / SOURCE, copy / SOURCE / "app"):
        for name in {*LITTER, *patterns}:
            path = directory / name
            # A pattern may stand for a file or for a directory: a directory with a file in it is both.
            path = path / "litter" if name in patterns and not path.suffix else path
            if not path.parent.exists() or path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    return copy


@pytest.fixture(scope="module")
def wheel(dirty_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel built straight from the littered checkout."""
    return build(dirty_checkout, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(dirty_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution built from the littered checkout."""
    return build(dirty_checkout, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `dockwright` command of a fresh environment, compiled as pip compiles what it installs."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([UV, "venv", "--quiet", str(environment)], check=True)
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(binaries / "python"), str(wheel)]
    subprocess.run(install, check=True)
    return binaries / "dockwright"


def build(source: Path, kind: str, directory: Path) -> Path:
    """Build a distribution from a directory."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(directory), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (distribution,) = directory.iterdir()
    return distribution


def files_below(root: Path) -> set[str]:
    """Return the files of a directory of the real checkout, without what Python left there."""
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not JUNK(str(root), [*path.relative_to(root).parts])
    }


def test_wheel_holds_the_template_and_nothing_else(wheel: Path) -> None:
    """A wheel built from a littered tree has the package, every file of the template, and no litter."""
    expected = {f"dockwright/{name}" for name in files_below(ROOT / "dockwright")}
    expected |= {f"dockwright/_template/hooks/{name}" for name in files_below(ROOT / "hooks")}
    expected |= {f"dockwright/_template/{SOURCE}/{name}" for name in files_below(ROOT / SOURCE)}
    expected |= {"dockwright/_template/cookiecutter.json"}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if not name.startswith(METADATA)} == expected


def test_wheel_keeps_what_is_executable(wheel: Path) -> None:
    """A script of the template is as executable in the wheel as in the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            source = ROOT / entry.filename.removeprefix("dockwright/_template/")
            if source != ROOT / entry.filename:
                assert bool(entry.external_attr >> 16 & 0o100) == bool(source.stat().st_mode & 0o100), entry.filename


def test_sdist_makes_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    """The source distribution is complete: what is built from it is what is built from the checkout."""
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    # Not with tarfile: Python 3.11.2, which Debian 12 has, doesn't know the filter that later ones ask for.
    subprocess.run(["tar", "-xzf", str(sdist), "-C", str(unpacked)], check=True)
    (source,) = unpacked.iterdir()
    again = build(source, "wheel", tmp_path / "again")
    assert again.read_bytes() == wheel.read_bytes()


def test_sdist_has_no_litter(sdist: Path) -> None:
    """The source distribution holds the template once, and nothing that merely lay around."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not [name for name in names if name.startswith("template/")]
    assert {name.removeprefix(f"{SOURCE}/") for name in names if name.startswith(SOURCE)} == files_below(ROOT / SOURCE)


def test_installed_command_needs_no_checkout(installed: Path, tmp_path: Path) -> None:
    """Installed alone, the command makes the project that the checkout makes, without any bytecode in it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(installed), "--no-input", "--framework", "fastapi", "--redis", "queue", "--output-dir", "ours"]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
    answers = {"framework": "fastapi", "redis": "queue"}
    assert read_tree(tmp_path / "ours") == read_tree(render(answers, tmp_path / "theirs").parent)
    compiled = next(installed.parents[1].rglob(f"_template/{SOURCE}")).rglob("*.pyc")
    assert list(compiled), "nothing was compiled, so nothing is proved"


def test_installed_command_is_the_version_built(installed: Path) -> None:
    """The version that the command states is that of the wheel."""
    done = subprocess.run([str(installed), "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"dockwright {__version__}\n"


def test_only_two_things_are_required(wheel: Path) -> None:
    """Installing takes cookiecutter and questionary along, and what they need."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{METADATA}METADATA").decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert required == ["Requires-Dist: cookiecutter<3,>=2.7", "Requires-Dist: questionary<3,>=2.1"]
