"""What is shown of a few combinations is shown of each kind."""

from itertools import product

from dockwright.template import load
from tests.docker.conftest import SAMPLE


def test_sample_has_every_kind() -> None:
    """The sample has every framework on every base image, every database and every use of Redis."""
    choices = {name: option.choices for name, option in load().options.items() if option.choices}
    frameworks, bases = ([choice.value for choice in choices[name]] for name in ("framework", "base_image"))
    assert {(cell["framework"], cell["base_image"]) for cell in SAMPLE} == set(product(frameworks, bases))
    for name in ("database", "redis"):
        assert {cell[name] for cell in SAMPLE} == {choice.value for choice in choices[name]}
