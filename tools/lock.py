"""Lock the dependencies of every combination in the template's requirements files.

uv resolves the rendered `pyproject.toml` of each combination. Each package is written to the template once, inside
a Jinja condition for the combinations that have it, so that a generated project is locked without a network.
Run it with `make locks`.
"""

import itertools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from dockwright.template import SOURCE, Template, load

Combination = tuple[str, ...]
Locks = Mapping[Combination, list[str]]

# requirements file -> options for uv: which dependencies of pyproject.toml it locks
FILES = {"requirements.txt": [], "requirements-dev.txt": ["--group", "dev"]}
PACKAGE = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)")


def axes(template: Template) -> dict[str, tuple[str, ...]]:
    """Return the options that the dependencies depend on, with their choices."""
    text = (template.root / SOURCE / "pyproject.toml").read_text(encoding="utf-8")
    used = set(re.findall(r"cookiecutter\.(\w+)", text))
    options = (option for option in template.options.values() if option.choices and option.name in used)
    return {option.name: option.values for option in options}


def resolve(project: Path, selection: list[str]) -> list[str]:
    """Return a block of lines for each locked package of a project, after the block of header comments."""
    options = ["--quiet", "--no-python-downloads", "--only-binary", ":all:", *selection]
    command = ["uv", "pip", "compile", *options, "pyproject.toml"]
    lines = subprocess.run(command, cwd=project, check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.split(r"^(?=[^\s#])", lines, flags=re.MULTILINE)


def condition(wanted: set[Combination], options: Mapping[str, tuple[str, ...]]) -> str:
    """Return a short Jinja condition that is true for exactly the wanted combinations; empty if they are all."""
    boxes = [
        box
        for box in itertools.product(*(list(subsets(choices)) for choices in options.values()))
        if set(itertools.product(*box)) <= wanted
    ]
    chosen, covered = [], set[Combination]()
    while covered != wanted:
        best = max(boxes, key=lambda box: len(set(itertools.product(*box)) - covered))
        chosen.append(best)
        covered |= set(itertools.product(*best))
    return " or ".join(filter(None, (test(box, options) for box in chosen)))


def subsets(choices: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield every non-empty selection of choices, the largest first."""
    for size in range(len(choices), 0, -1):
        yield from itertools.combinations(choices, size)


def test(box: tuple[tuple[str, ...], ...], options: Mapping[str, tuple[str, ...]]) -> str:
    """Return the Jinja condition that every option's answer is among its selected choices."""
    tests = []
    for selected, (name, choices) in zip(box, options.items(), strict=True):
        if len(selected) == 1:
            tests.append(f'cookiecutter.{name} == "{selected[0]}"')
        elif len(selected) == len(choices) - 1:
            (other,) = set(choices) - set(selected)
            tests.append(f'cookiecutter.{name} != "{other}"')
        elif len(selected) < len(choices):
            tests.append(f"cookiecutter.{name} in ({', '.join(map(json.dumps, selected))})")
    return " and ".join(tests)


def merge(locks: Locks, options: Mapping[str, tuple[str, ...]]) -> str:
    """Return the requirements file for all combinations, each package in its condition."""
    blocks: dict[str, set[Combination]] = {}
    for combination, lock in locks.items():
        for block in lock:
            blocks.setdefault(block, set()).add(combination)
    conditions = {block: condition(wanted, options) for block, wanted in sorted(blocks.items(), key=by_name)}
    parts = []
    for test_text, group in itertools.groupby(conditions.items(), key=lambda item: item[1]):
        text = "".join(block for block, _ in group)
        parts.append(f"{{% if {test_text} %}}\n{text}{{% endif %}}\n" if test_text else text)
    return "".join(parts)


def by_name(item: tuple[str, object]) -> tuple[str, str]:
    """Return uv's sort key: the package's name, then the rest of its line."""
    name, _, rest = item[0].partition("==")
    return name, rest


def check(locks: Iterable[Locks]) -> None:
    """Exit if two combinations lock different versions of a package: a release came out during the run."""
    versions: dict[str, set[str]] = {}
    for block in itertools.chain.from_iterable(lock for file in locks for lock in file.values()):
        if found := PACKAGE.match(block):
            versions.setdefault(found["name"], set()).add(found["version"])
    if conflicts := {name: sorted(found) for name, found in versions.items() if len(found) > 1}:
        sys.exit(f"error: some packages are locked at more than one version, run it again: {conflicts}")


def main() -> None:
    """Write the template's requirements files."""
    template = load()
    options = axes(template)
    combinations = list(itertools.product(*options.values()))
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor() as pool:
        projects = [
            template.render(dict(zip(options, combination, strict=True)), Path(directory, str(number)))
            for number, combination in enumerate(combinations)
        ]
        files = {
            file: dict(zip(combinations, pool.map(partial(resolve, selection=selection), projects), strict=True))
            for file, selection in FILES.items()
        }
    check(files.values())
    for file, locks in files.items():
        (template.root / SOURCE / file).write_text(merge(locks, options), encoding="utf-8")
        print(f"{file}: {len(locks)} combinations")


if __name__ == "__main__":
    main()
