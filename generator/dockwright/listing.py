"""The commands that list what there is: combinations of answers, and presets."""

import json
import shlex
from argparse import Namespace

from dockwright.commands import Command, Flag
from dockwright.errors import UselessOptionError
from dockwright.matrix import combination_id, combinations
from dockwright.options import Choice
from dockwright.template import Template

FORMATS = (
    Choice("text", "text: an id per line"),
    Choice("json", "json: ids and answers"),
    Choice("github", "github: the matrix of a workflow of GitHub Actions, on one line"),
)
JSON = Flag(("--json",), "print JSON")


def list_combinations(template: Template, arguments: Namespace) -> int:
    """Print the combinations of answers that lead to different images or stacks."""
    fixed = {name: answer for name, answer in arguments.values.items() if name in template.options}
    template.check(fixed, {option.name: option.flag for option in template.options.values()} | arguments.typed)
    if "json" in arguments.switches and "format" in arguments.values:
        raise UselessOptionError(arguments.typed["format"], "--json is one")
    by_id = {combination_id(answers, template): answers for answers in combinations(template, **fixed)}
    match "json" if "json" in arguments.switches else arguments.values.get("format"):
        case "json":
            print(json.dumps([{"id": name, "answers": answers} for name, answers in by_id.items()], indent=2))
        case "github":
            print(json.dumps({"include": [{"id": name, **answers} for name, answers in by_id.items()]}))
        case _:
            print(*by_id, sep="\n")
    return 0


def list_presets(template: Template, arguments: Namespace) -> int:
    """Print the presets, with the answers that each has."""
    presets = template.presets.values()
    if "json" in arguments.switches:
        listed = [{"name": preset.name, "why": preset.why, "answers": dict(preset.answers)} for preset in presets]
        print(json.dumps(listed, indent=2))
        return 0
    for preset in presets:
        words = [word for name, answer in preset.answers.items() for word in (template.options[name].flag, answer)]
        print(f"{preset.name}: {preset.why}", f"  {shlex.join(words)}", "", sep="\n")
    print("`dockwright new --preset NAME` starts from one; flags and questions change its answers.")
    return 0


MATRIX = Command(
    "matrix",
    "list the combinations of answers that tests and CI go through",
    list_combinations,
    lambda _: (Flag(("--format",), "The form of the list", "FORMAT", FORMATS), JSON),
    lambda template: tuple(option for option in template.options.values() if option.choices),
)
PRESETS = Command("presets", "list the sets of answers to start from", list_presets, lambda _: (JSON,))
