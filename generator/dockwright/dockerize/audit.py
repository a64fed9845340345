"""The command `check`, and what a good Dockerfile has and doesn't have.

Each rule names the line that breaks it, why that matters, and what to write.
"""

import json
import re
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dockwright.commands import Command, Flag
from dockwright.dockerize.findings import RELOADS, SECRET, Finding
from dockwright.errors import UsageError
from dockwright.template import Template

EXIT_FINDINGS = 1
BASES = ("compose", "docker-compose")
STACKS = tuple(
    f"{base}{part}.{ending}"
    for base in BASES
    for part in ("", ".override", ".prod", ".production", ".observability")
    for ending in ("yaml", "yml")
)
DEPENDENCIES = re.compile(r"\b(pip3?|uv|poetry|pipenv|pdm)\b.*\b(install|sync)\b")
MANIFESTS = re.compile(r"requirements|pyproject|poetry\.lock|uv\.lock|pdm\.lock|pylock|Pipfile|setup\.(py|cfg)")


@dataclass(frozen=True)
class Instruction:
    """An instruction with its line, its words and its stage."""

    line: int
    name: str
    text: str
    stage: int


Rule = Callable[[list[Instruction]], Iterator[Finding]]


def parse(content: str) -> list[Instruction]:
    """Return a Dockerfile's instructions, with continued lines put together and heredocs passed over."""
    found: list[Instruction] = []
    stage, start, text, heredoc = -1, 0, "", ""
    for number, line in enumerate(content.splitlines(), 1):
        if heredoc:
            heredoc = "" if line.strip() == heredoc else heredoc
            continue
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        start = start or number
        text += stripped.removesuffix("\\") + " "
        if stripped.endswith("\\"):
            continue
        name, _, rest = text.strip().partition(" ")
        stage += name.upper() == "FROM"
        found.append(Instruction(start, name.upper(), rest.strip(), stage))
        if match := re.search(r"<<-?[\"']?(\w+)", rest):
            heredoc = match[1]
        start, text = 0, ""
    return found


def audit(content: str) -> list[Finding]:
    """Return what is wrong with a Dockerfile, by line."""
    instructions = parse(content)
    findings = [finding for rule in RULES for finding in rule(instructions)]
    return sorted(findings, key=lambda finding: finding.line)


def _last(instructions: list[Instruction], *names: str) -> Instruction | None:
    """Return the last of these instructions in the stage that is built by default."""
    stage = max((each.stage for each in instructions), default=-1)
    return next((each for each in reversed(instructions) if each.stage == stage and each.name in names), None)


def _chain(instructions: list[Instruction]) -> list[Instruction]:
    """Return the instructions of the last stage, and of the stages that it is based on."""
    named: dict[str, int] = {}
    bases: dict[int, int] = {}
    for each in instructions:
        if each.name == "FROM":
            words = [word for word in each.text.split() if not word.startswith("--")]
            if words and words[0].lower() in named:
                bases[each.stage] = named[words[0].lower()]
            if len(words) > 2:  # noqa: PLR2004 # FROM image AS name
                named[words[2].lower()] = each.stage
    stage = max((each.stage for each in instructions), default=-1)
    stages = {stage}
    while stage in bases:
        stage = bases[stage]
        stages.add(stage)
    return [each for each in instructions if each.stage in stages]


def _base(instructions: list[Instruction]) -> Iterator[Finding]:
    if not any(each.name == "FROM" for each in instructions):
        yield Finding("base", 1, "there is nothing to build on: docker build refuses it", "FROM IMAGE:VERSION")


def _tags(instructions: list[Instruction]) -> Iterator[Finding]:
    names = {"scratch"}
    for each in instructions:
        if each.name != "FROM":
            continue
        words = [word for word in each.text.split() if not word.startswith("--")]
        image = words[0] if words else ""
        unpinned = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
        if image.lower() not in names and "$" not in image and "@" not in image and unpinned:
            why = "the image changes without a change of yours: a build that worked fails another day"
            yield Finding("tag", each.line, why, f"FROM {image.partition(':')[0]}:VERSION")
        names |= {words[2].lower()} if len(words) > 2 else set()  # noqa: PLR2004 # FROM image AS name


def _order(instructions: list[Instruction]) -> Iterator[Finding]:
    copied: dict[int, Instruction] = {}
    installed: set[int] = set()
    for each in instructions:
        sources = [word for word in each.text.split() if not word.startswith("--")][:-1]
        if (
            each.name in {"COPY", "ADD"}
            and "--from" not in each.text
            and any(source in {".", "./"} for source in sources)
        ):
            copied.setdefault(each.stage, each)
        elif each.name == "RUN" and DEPENDENCIES.search(each.text):
            # A second installation, after the code, is that of the project itself.
            if each.stage not in copied or each.stage in installed:
                installed.add(each.stage)
                continue
            line = copied.pop(each.stage).line
            why = f"each edit of the code installs all dependencies again (line {each.line})"
            yield Finding("order", line, why, "copy the file of dependencies, install, and only then COPY . .")


def _root(instructions: list[Instruction]) -> Iterator[Finding]:
    chain = _chain(instructions)
    users = [each for each in chain if each.name == "USER"]
    if not chain:
        return
    user = users[-1].text.partition(":")[0] if users else "root"
    if user in {"root", "0"}:
        why = "who breaks into the application is root in its container"
        yield Finding("root", users[-1].line if users else chain[-1].line, why, "USER 10001:10001, before CMD")


def _shell(instructions: list[Instruction]) -> Iterator[Finding]:
    command = _last(_chain(instructions), "CMD")
    entry = _last(_chain(instructions), "ENTRYPOINT")
    for each in filter(None, (command, entry)):
        is_list = False
        with suppress(ValueError):
            is_list = isinstance(json.loads(each.text), list)
        if not is_list and not each.text.startswith("exec "):
            why = "a shell is the first process and passes no signal on: a stop takes ten seconds and kills"
            if re.search(r"[&|;$]", each.text):
                words = json.dumps(["sh", "-c", "… && exec THE SERVER"], ensure_ascii=False)
            else:
                words = json.dumps(each.text.split())
            yield Finding("shell-form", each.line, why, f"{each.name} {words}")


def _secrets(instructions: list[Instruction]) -> Iterator[Finding]:
    for each in instructions:
        if each.name in {"ENV", "ARG"} and SECRET.search(f" {each.text}"):
            why = "who has the image has the secret: it is in its history"
            yield Finding("secret", each.line, why, "set it when the container starts, or use RUN --mount=type=secret")
        elif each.name in {"COPY", "ADD"} and re.search(
            r"(^|[\s/])(\.env(\.\w+)?|id_rsa|[\w.-]+\.pem)(\s|$)", each.text
        ):
            why = "who has the image has the secrets of this file"
            yield Finding("secret", each.line, why, "leave it out, and name it in .dockerignore")


def _health(instructions: list[Instruction]) -> Iterator[Finding]:
    chain = _chain(instructions)
    if chain and not any(each.name == "HEALTHCHECK" for each in chain):
        why = "nobody notices an application that hangs, and nothing can wait until it is up"
        write = "HEALTHCHECK CMD with a request to the application"
        yield Finding("health", chain[-1].line, why, write)


def _reload(instructions: list[Instruction]) -> Iterator[Finding]:
    chain = _chain(instructions)
    for each in filter(None, (_last(chain, "CMD"), _last(chain, "ENTRYPOINT"))):
        text = re.sub(r"[\[\]\",']", " ", each.text)
        if RELOADS.search(text):
            why = "this is a development server: it is slow, and its debugger runs code for anyone who asks"
            yield Finding("development", each.line, why, "gunicorn for Flask, uvicorn without --reload for FastAPI")


def _size(instructions: list[Instruction]) -> Iterator[Finding]:
    for each in _chain(instructions):
        if each.name != "RUN":
            continue
        if "apt-get" in each.text and " install" in each.text and "/var/lib/apt/lists" not in each.text:
            why = "the lists of packages stay in the image"
            yield Finding("size", each.line, why, "… && rm -rf /var/lib/apt/lists/*, in the same RUN")
        is_pip = re.search(r"\bpip3? install\b", each.text) and "uv pip" not in each.text
        if is_pip and "--no-cache-dir" not in each.text and "type=cache" not in each.text:
            why = "pip's downloads stay in the image"
            yield Finding("size", each.line, why, "RUN --mount=type=cache,target=/root/.cache/pip pip install …")


RULES: tuple[Rule, ...] = (_base, _tags, _order, _root, _shell, _secrets, _health, _reload, _size)


def check(_: Template, arguments: Namespace) -> int:
    """Print what is wrong with a Dockerfile and the compose files beside it; return 1 if something is."""
    path = Path(arguments.operand or ".")
    names = ("Dockerfile", *STACKS)
    try:
        files = [file for name in names if (file := path / name).is_file()] if path.is_dir() else [path]
    except OSError as error:
        raise _unreadable(path, error.strerror) from None
    if not files:
        message = f"{path / 'Dockerfile'} does not exist: `dockwright dockerize` writes one"
        raise UsageError(message)
    if not files[0].exists():
        message = f"{path} does not exist"
        raise UsageError(message)
    findings = {file: _audit_file(file) for file in files}
    if "json" in arguments.switches:
        rows = [{"file": str(file), **asdict(finding)} for file in files for finding in findings[file]]
        print(json.dumps(rows, indent=2))
    else:
        for file in files:
            print(*report(file, findings[file]), sep="\n")
    return EXIT_FINDINGS if any(findings.values()) else 0


def _audit_file(file: Path) -> list[Finding]:
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, error.strerror if isinstance(error, OSError) else "it is no text") from None
    if file.suffix not in {".yaml", ".yml"}:
        return audit(content)

    # Slow to import
    import yaml

    from dockwright.dockerize.stacks import audit_stack

    try:
        return audit_stack(content, file.name)
    except yaml.YAMLError:
        raise _unreadable(file, "it is no compose file") from None


def _unreadable(file: Path, reason: str | None) -> UsageError:
    return UsageError(f"{file} can't be read ({reason})")


def report(file: Path, findings: list[Finding]) -> Iterator[str]:
    """Yield findings as lines of text."""
    for finding in findings:
        yield f"{file}:{finding.line}: {finding.rule}: {finding.why}"
        yield f"  write: {finding.write}"
    if not findings:
        yield f"{file}: nothing to object to."


COMMAND = Command(
    "check",
    "say what is wrong with a Dockerfile and compose files, and why",
    check,
    lambda _: (Flag(("--json",), "print JSON"),),
    operand="PATH",
)
