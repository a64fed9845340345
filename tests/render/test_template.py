"""The template reads like the generated files: Jinja tags are simple and on their own lines."""

import re
from pathlib import Path

from dockwright.template import RECORD, SOURCE, load

ROOT = load().root / SOURCE


def test_block_tags_stand_alone() -> None:
    """A block tag is alone on its line, not indented, and has no whitespace control."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        tags = [line for line in text.splitlines() if re.search(r"\{%|%\}", line)]
        assert [line for line in tags if not re.fullmatch(r"\{% [^%]*[^-+%] %\}", line)] == [], path


def test_conditions_alone() -> None:
    """The only block tags are conditions and names for them: no macros or comments, and a loop in the record only."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        kinds = set(re.findall(r"\{% ?(\w+)", text))
        # The record loops over the answers, so that a new option doesn't edit it.
        loop = {"for", "endfor"} if path.name == RECORD else set()
        assert kinds <= {"if", "elif", "else", "endif", "set", *loop}, path
        assert "{#" not in text, path


def sources() -> list[Path]:
    """Return the files of the template."""
    return [path for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_environments_of_alembic_are_twins() -> None:
    """What both frameworks do to find and compare models is the same, so a test of one is a test of the other."""
    texts = [path.read_text(encoding="utf-8") for path in sources() if path.match("_framework/*/migrations/env.py")]
    shared = {
        re.sub(r".*(?=^def import_models)|^def begin.*", "", text, flags=re.DOTALL | re.MULTILINE) for text in texts
    }
    assert (len(texts), len(shared)) == (2, 1)
    assert all("def migrate(" in text for text in shared)
