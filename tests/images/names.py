"""Print the name of every base image that the template's Dockerfile and compose files can name."""

import re
from collections.abc import Iterator

from jinja2 import Environment

from dockwright.matrix import combinations
from dockwright.template import SOURCE, Template, load

# The lines of a Dockerfile and of a compose file that name an image, and in them the name of a published one.
LINE = re.compile(r"^(?:FROM |RUN --mount=from=| +image: ).+", re.MULTILINE)
NAME = re.compile(r"(?<=[ =])[a-z][a-z0-9./-]*:[\w][\w.-]*")


def tried(template: Template) -> Iterator[dict[str, str]]:
    """Yield the answers that are tried: every combination, and each choice of a sampled option beside the defaults."""
    yield from combinations(template)
    usual = {option.name: option.default for option in template.options.values() if option.choices}
    for name in template.sampled:
        for choice in template.options[name].values:
            yield {**usual, name: choice}


def names(template: Template) -> list[str]:
    """Return the names, in order."""
    source = template.root / SOURCE
    files = [source / "Dockerfile", *source.glob("compose*.yaml")]
    lines = {line for file in files for line in LINE.findall(file.read_text(encoding="utf-8"))}
    rendered = (
        Environment(autoescape=False).from_string(line).render(cookiecutter=answers)  # noqa: S701 # no HTML
        for answers in tried(template)
        for line in lines
    )
    return sorted({name for line in rendered for name in NAME.findall(line)})


if __name__ == "__main__":
    print(*names(load()), sep="\n")
