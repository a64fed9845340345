"""Refuse invalid answers before anything is written.

The rules and conflicts are in `cookiecutter.json`; the wizard uses the same function.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any


def objections(context: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each rule or conflict of the template that the answers violate.

    `names` has what the sentences call an option, where that is not its name.
    """
    for option, rule in context["_rules"].items():
        if not re.fullmatch(rule["matches"], context[option]):
            yield f"{names.get(option, option)} {context[option]!r} can't be used: {rule['why']}"
    for conflict in context["_conflicts"]:
        if all(context[option] == choice for option, choice in conflict["when"].items()):
            chosen = sorted(conflict["when"].items())
            answers = " with ".join(f"{names.get(option, option)}={choice}" for option, choice in chosen)
            yield f"{answers} can't be used: {conflict['why']}"


if __name__ == "__main__":
    refusals = list(objections(json.loads(r"""{{ cookiecutter | tojson }}"""), {}))
    for refusal in refusals:
        print(f"error: {refusal}", file=sys.stderr)
    sys.exit(bool(refusals))
