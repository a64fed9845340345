"""Print the name of every public image that the template's files can name, and of those that tests need beside them."""

import re

from jinja2 import Environment

from dockwright.dockerize.frontend import NODE
from dockwright.dockerize.plan import TAGS
from dockwright.dockerize.services import RABBITMQ
from dockwright.matrix import combinations, sample
from dockwright.template import SOURCE, Template, load

# Lines of a Dockerfile, compose file or guide that name an image, and the name of a published image within such a line.
LINE = re.compile(r"^(?:FROM |COPY --from=|RUN --mount=from=| +image: |docker run (?=.* registry:)).+", re.MULTILINE)
NAME = re.compile(r"(?<=[ =])[a-z][a-z0-9./-]*:[\w][\w.-]*")


def base_images(template: Template) -> list[str]:
    """Return the names, sorted, that all combinations and the sample of the other answers lead to."""
    source = template.root / SOURCE
    files = [source / "Dockerfile", source / "GUIDE.md", *source.glob("compose*.yaml")]
    lines = {line for file in files for line in LINE.findall(file.read_text(encoding="utf-8"))}
    rendered = (
        Environment(autoescape=False).from_string(line).render(cookiecutter=answers)  # noqa: S701 # not HTML
        for answers in [*combinations(template), *sample(template)]
        for line in lines
    )
    return sorted({name for line in rendered for name in NAME.findall(line)})


if __name__ == "__main__":
    # Dockerized applications are built on the same images, their front ends on Node's; Celery may have its own broker.
    print(*base_images(load()), f"node:{NODE}-slim", TAGS[RABBITMQ], sep="\n")
