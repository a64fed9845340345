"""Cells, the combinations of answers that the Docker tests build, and which of them a test runs on."""

from collections.abc import Collection, Mapping, Sequence

from dockwright.matrix import cells, combination_id, sample

Cell = Mapping[str, str]

CELLS: Sequence[Cell] = cells()
# Few cells, in which each pair of answers occurs.
SAMPLE: Sequence[Cell] = sample()
# Each cell listens on a port of its own, so that a service that ignores the answer is found.
FIRST_PORT = 8001
PORTS = {combination_id(cell): FIRST_PORT + number for number, cell in enumerate(CELLS)}


def matches(cell: Cell, only_where: Mapping[str, Collection[str]]) -> bool:
    """Tell whether a cell has one of the answers that are allowed for each option."""
    return all(cell[name] in answers for name, answers in only_where.items())


def select(
    only_where: Mapping[str, Collection[str]], *, every: bool = False, one_for_each: Sequence[str] | None = None
) -> list[Cell]:
    """Return the cells to run a test on.

    By default those of the sample that match, or if there is none any one cell that matches; with `every` all that
    match; with `one_for_each` one cell for each combination of answers to these options, of the sample if it has one.
    """
    matching = [cell for cell in CELLS if matches(cell, only_where)]
    if every:
        return matching
    sampled = [cell for cell in SAMPLE if matches(cell, only_where)]
    if one_for_each is None:
        return sampled or matching[:1]
    kinds: dict[tuple[str, ...], Cell] = {}
    for cell in (*sampled, *matching):
        kinds.setdefault(tuple(cell[name] for name in one_for_each), cell)
    return list(kinds.values())
