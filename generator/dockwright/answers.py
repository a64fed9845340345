"""Files of answers: TOML, JSON, or the record that each project has."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from dockwright.errors import AnswersFileError, AnswersNotWrittenError, UnknownOptionError
from dockwright.template import Answers, Template

WRITTEN = (".json", ".toml")


def read_answers(template: Template, path: Path) -> dict[str, str]:
    """Return the answers in a file; raise AnswersFileError if they are not text for options that exist."""
    try:
        content = _parse(path)
    except OSError as error:
        raise AnswersFileError(path, error.strerror or "it can't be read") from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise AnswersFileError(path, f"it is not what its name says ({reason})") from error
    # A record is a user configuration of cookiecutter.
    answers = content.get("default_context", content) if isinstance(content, dict) else content
    if not isinstance(answers, dict):
        raise AnswersFileError(path, 'write an answer to each option, such as framework = "…" in TOML')
    for name, answer in answers.items():
        if name not in template.options:
            raise AnswersFileError(path, str(UnknownOptionError(str(name), template.options)))
        # 3.10 would be 3.1 as a number, and yes is true in YAML.
        if not isinstance(answer, str) and type(answer) is not int:
            raise AnswersFileError(path, f"the answer to {name} has to be text, in quotes")
    return {name: str(answer) for name, answer in answers.items()}


def check_new_file(path: Path) -> None:
    """Raise AnswersFileError if answers can't be written to this path."""
    if path.suffix not in WRITTEN:
        raise AnswersFileError(path, f"let its name end with {' or '.join(WRITTEN)}")
    if path.exists():
        raise AnswersFileError(path, "it exists already: choose another name")
    if not path.parent.is_dir():
        raise AnswersFileError(path, os.strerror(errno.ENOENT))
    if not os.access(path.parent, os.W_OK):
        raise AnswersFileError(path, os.strerror(errno.EACCES))


def write_answers(path: Path, answers: Answers) -> None:
    """Write answers to a new file; raise AnswersNotWrittenError, and leave nothing half-written."""
    # The rules of the answers exclude the characters in which strings of JSON and of TOML differ.
    lines = [f"{name} = {json.dumps(answer, ensure_ascii=False)}\n" for name, answer in answers.items()]
    text = "".join(lines) if path.suffix == ".toml" else json.dumps(answers, ensure_ascii=False, indent=2) + "\n"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        if not isinstance(error, FileExistsError):
            path.unlink(missing_ok=True)
        raise AnswersNotWrittenError(path, error) from error


def _parse(path: Path) -> Any:  # noqa: ANN401 # any content
    text = path.read_text(encoding="utf-8-sig")
    match path.suffix:
        case ".toml":
            import tomllib

            return tomllib.loads(text)
        case ".json":
            return json.loads(text)
        case ".yaml" | ".yml":
            import yaml

            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ValueError(error) from error
    message = "let its name end with .toml, .json or .yaml"
    raise AnswersFileError(path, message)
