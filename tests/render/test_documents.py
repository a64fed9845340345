"""What a project's README says of its files, commands and settings is true."""

import re
from fnmatch import fnmatch

import pytest

from tests.render.test_containers import Services, read_stack

TIMES = {"once": 1, "twice": 2}


@pytest.fixture
def readme(texts: dict[str, str]) -> str:
    """Return the README."""
    return texts["README.md"]


@pytest.fixture
def development(texts: dict[str, str]) -> Services:
    """Return the services of the development stack."""
    services: Services = read_stack(texts["compose.yaml"])["services"]
    return services


def test_settings_have_one_default(readme: str, texts: dict[str, str]) -> None:
    """A setting has the default of the README's table in .env.example and in production too, and Compose reads it."""
    table = readme.partition("\n## Settings\n")[2].partition("\n## ")[0]
    documented = dict(re.findall(r"^\| `([A-Z_]+)` \| ?`?([^`|]*?)`? \|", table, re.MULTILINE))
    assert documented["WORKERS"].isdigit()
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", texts[".env.example"], re.MULTILINE))
    stacks = "".join(text for name, text in texts.items() if name.startswith("compose."))
    read = re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", stacks)
    assert example.keys() <= {name for name, _ in read}
    for name, default in read:
        # Where .env.example has nothing, Compose takes the default that it has itself.
        assert default == documented.get(name, example.get(name) or default), name
        assert example.get(name, default) in ("", default), name


def test_files_are_listed(readme: str, texts: dict[str, str]) -> None:
    """The list of files has each module of the service, and nothing that isn't there."""
    block = re.search(r"^## Files\n\n```\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert block
    entries = re.findall(r"^(  )?([^\s,]+(?:, [^\s,]+)*)", block[1], re.MULTILINE)
    listed = {("app/" if indented else "") + name for indented, names in entries for name in names.split(", ")}
    for name in listed:
        assert any(fnmatch(path, f"{name}*" if name.endswith("/") else name) for path in texts), name
    modules = {re.sub(r"(?<=app/)(\w+/).*", r"\1", path) for path in texts if re.match(r"app/.*\.py$", path)}
    assert modules - {"app/__init__.py"} <= listed


def test_targets_exist(texts: dict[str, str]) -> None:
    """Each target that a document names is in the Makefile, and each of the Makefile's is declared as phony."""
    makefile = texts["Makefile"]
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    documents = "\n".join(text for name, text in texts.items() if name.endswith(".md"))
    named = {word for words in re.findall(r"(?:^|`)make ([a-z ]+)", documents, re.MULTILINE) for word in words.split()}
    assert {"lint", "test"} <= named
    assert named - {"m"} <= targets
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(phony.split()) == targets


def test_figures(readme: str, texts: dict[str, str], development: Services) -> None:
    """Ports of the data services, and the limits of jobs, are those of the files that have them."""
    for name, port in re.findall(r"`docker compose port (\w+) (\d+)`", readme):
        assert [published.rpartition(":")[2] for published in development[name]["ports"]] == [port]
    for seconds in re.findall(r"the `worker` has (\d+)", readme):
        assert development["worker"]["environment"]["STATEMENT_SECONDS"] == int(seconds)
    if "worker" in development:
        (seconds, times), *others = re.findall(r"It may take (\d+) seconds\. It runs again, (\w+) at most", readme)
        assert others == []
        assert re.findall(r"^TIMEOUT_SECONDS = (\d+)$", texts["app/queue.py"], re.MULTILINE) == [seconds]
        assert re.findall(r"Retry\(max=(\d+)\)", texts["app/queue.py"]) == [str(TIMES[times])]
