"""The wheel has the whole template and nothing else, and works without the checkout."""

import ast
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dockwright import __version__
from dockwright.template import SOURCE, render
from tests.unit.checkout import IGNORED, PACKAGE, ROOT, read_tree

UV = str(Path(sys.executable).with_name("uv"))
METADATA = f"dockwright-{__version__}.dist-info/"
# Untracked files of a working checkout, besides those in the template's .gitignore
UNTRACKED = ["__pycache__/app.cpython-311.pyc", "app.pyc", ".env", ".env.production", ".mypy_cache/x", "local.db", "a~"]


@pytest.fixture(scope="module")
def dirty_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout with untracked files in every directory that is packaged."""
    copy = tmp_path_factory.mktemp("checkout")
    clean = shutil.ignore_patterns(".git", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, dirs_exist_ok=True, symlinks=True, ignore=clean)
    ignored = (copy / SOURCE / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip("/").replace("*", "x") for line in ignored if line and line[0] not in "#!"]
    for directory in (copy / "generator" / "dockwright", copy / "hooks", copy / SOURCE, copy / SOURCE / "app"):
        for name in {*UNTRACKED, *patterns}:
            path = directory / name
            # A pattern can match files or directories: create a directory with a file in it.
            path = path / "file" if name in patterns and not path.suffix else path
            if not path.parent.exists() or path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    return copy


@pytest.fixture(scope="module")
def wheel(dirty_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel built directly from the dirty checkout."""
    return build(dirty_checkout, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(dirty_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution built from the dirty checkout."""
    return build(dirty_checkout, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `dockwright` command of a new environment, with bytecode, as pip installs it."""
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
    """Return the files of a directory of the checkout, without bytecode and caches."""
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not IGNORED(str(root), [*path.relative_to(root).parts])
    }


def test_wheel_has_the_template_and_nothing_else(wheel: Path) -> None:
    """A wheel built from a dirty checkout has the package, every file of the template, and nothing else."""
    expected = {f"dockwright/{name}" for name in files_below(PACKAGE)}
    expected |= {f"dockwright/_template/hooks/{name}" for name in files_below(ROOT / "hooks")}
    expected |= {f"dockwright/_template/{SOURCE}/{name}" for name in files_below(ROOT / SOURCE)}
    expected |= {"dockwright/_template/cookiecutter.json"}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if not name.startswith(METADATA)} == expected


def test_wheel_keeps_executable_bits(wheel: Path) -> None:
    """Files of the template are executable in the wheel if they are in the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            source = ROOT / entry.filename.removeprefix("dockwright/_template/")
            if source != ROOT / entry.filename:
                assert bool(entry.external_attr >> 16 & 0o100) == bool(source.stat().st_mode & 0o100), entry.filename


def test_sdist_makes_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    """A wheel built from the source distribution equals one built from the checkout."""
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    # Not with tarfile: Debian 12's Python 3.11.2 lacks the `filter` argument that later versions require.
    subprocess.run(["tar", "-xzf", str(sdist), "-C", str(unpacked)], check=True)
    (source,) = unpacked.iterdir()
    again = build(source, "wheel", tmp_path / "again")
    assert again.read_bytes() == wheel.read_bytes()


def test_sdist_has_no_untracked_files(sdist: Path) -> None:
    """The source distribution has the template once, and no untracked files."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not [name for name in names if name.startswith("template/")]
    assert {name.removeprefix(f"{SOURCE}/") for name in names if name.startswith(SOURCE)} == files_below(ROOT / SOURCE)


def test_installed_command_needs_no_checkout(installed: Path, tmp_path: Path) -> None:
    """The installed command generates the same project as the checkout, without bytecode."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(installed), "--no-input", "--framework", "fastapi", "--redis", "queue", "--output-dir", "ours"]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
    answers = {"framework": "fastapi", "redis": "queue"}
    assert read_tree(tmp_path / "ours") == read_tree(render(answers, tmp_path / "theirs").parent)
    compiled = next(installed.parents[1].rglob(f"_template/{SOURCE}")).rglob("*.pyc")
    assert list(compiled), "the installed template has no bytecode, so this test proves nothing"


def test_installed_command_is_the_version_built(installed: Path) -> None:
    """The command has the version of the wheel."""
    done = subprocess.run([str(installed), "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"dockwright {__version__}\n"


@pytest.mark.parametrize(
    ("directories", "extras"),
    [(["generator"], []), (["hooks", "stand-ins", "tests", "tools"], ["test"])],
    ids=["package", "tests"],
)
def test_imports_are_declared(directories: list[str], extras: list[str]) -> None:
    """Every library that is imported is a declared dependency, not one that another library happens to bring."""
    declared = {canonicalize_name(Requirement(text).name) for text in requirements(*extras)}
    imported = {
        name for directory in directories for path in (ROOT / directory).rglob("*.py") for name in imports_of(path)
    }
    libraries = imported - sys.stdlib_module_names - {"__future__", "dockwright", "hooks", "tests", "tools"}
    sources = packages_distributions()
    assert {name for name in libraries if not declared & {canonicalize_name(found) for found in sources[name]}} == set()


def test_every_requirement_is_imported(wheel: Path) -> None:
    """Installing the wheel brings what the package imports, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{METADATA}METADATA").decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    names = {Requirement(line.partition(": ")[2]).name for line in required}
    imported = {name for path in PACKAGE.rglob("*.py") for name in imports_of(path)}
    assert names <= {
        found for name in imported for found in map(canonicalize_name, packages_distributions().get(name, []))
    }
    assert len(names) == len(requirements())


def requirements(*extras: str) -> list[str]:
    """Return the dependencies that pyproject.toml declares, with those of extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]


def imports_of(path: Path) -> set[str]:
    """Return the top-level names that a Python file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name.partition(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str(module)):
                names.add(module.partition(".")[0])
    return names
