"""The sample covers each pair of answers, and every mark selects the cells that it says."""

from collections.abc import Collection, Iterable, Mapping
from itertools import combinations

import pytest

from dockwright.template import load
from tests.docker.cells import CELLS, PORTS, SAMPLE, Cell, matches, select

FRAMEWORKS = load().options["framework"].values


def pairs(cells: Iterable[Cell]) -> set[frozenset[tuple[str, str]]]:
    """Return each pair of answers that occurs in a cell."""
    return {frozenset(pair) for cell in cells for pair in combinations(cell.items(), 2)}


def test_sample_covers_each_pair_of_answers() -> None:
    """Each pair of answers that is allowed occurs in the sample, in twenty cells at most."""
    options = [option for option in load().options.values() if option.choices]
    possible = {
        frozenset(((one.name, this), (other.name, that)))
        for one, other in combinations(options, 2)
        for this in one.values
        for that in other.values
        if not load().objections({one.name: this, other.name: that})
    }
    assert pairs(SAMPLE) == possible
    assert len(SAMPLE) <= 20


def test_cells_have_ports_of_their_own() -> None:
    """No two cells listen on the same port, and none on the default one."""
    assert len(set(PORTS.values())) == len(CELLS)
    assert int(load().options["port"].default) not in PORTS.values()


@pytest.mark.parametrize(
    "only_where", [{}, {"framework": ["fastapi"]}, {"redis": ["queue", "cache-and-queue"], "sample": ["products"]}]
)
def test_default_selection(only_where: Mapping[str, Collection[str]]) -> None:
    """Without a mark for more, a test runs on the cells of the sample that match."""
    assert select(only_where) == [cell for cell in SAMPLE if matches(cell, only_where)] != []


def test_selection_of_what_the_sample_lacks() -> None:
    """Where no cell of the sample matches, a test runs on one that does."""
    lacking = next(cell for cell in CELLS if cell not in SAMPLE)
    assert select({name: [answer] for name, answer in lacking.items()}) == [lacking]


def test_selection_of_every_cell() -> None:
    """With `every`, or with `--full`, a test runs on all cells that match."""
    assert select({}, every=True) == CELLS
    assert select({"framework": FRAMEWORKS[:1]}, every=True, one_for_each=["database"]) == [
        cell for cell in CELLS if cell["framework"] == FRAMEWORKS[0]
    ]


def test_selection_of_one_for_each() -> None:
    """With `one_for_each` there is one cell for each combination of these answers."""
    chosen = select({"database": ["postgresql", "mariadb"], "sample": ["products"]}, one_for_each=["framework"])
    assert sorted(cell["framework"] for cell in chosen) == sorted(FRAMEWORKS)
