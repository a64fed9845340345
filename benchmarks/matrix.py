"""How long the Docker tests take: as the Docker tier runs them, and one combination after the other.

`python -m benchmarks.matrix` measures the whole Docker tier: half an hour on two cores.
"""

import os
import sys

from benchmarks.measure import (
    CHECKOUT,
    OURS,
    CommandFailedError,
    Comparison,
    Depth,
    progress,
    run,
    timed,
    write_results,
)
from dockwright.matrix import combination_id, combinations


def measure(_depth: Depth) -> list[Comparison]:
    """Measure both with more and more combinations, spread over all of them."""
    every = combinations()
    found = []
    for count in (2, 4, 8):
        progress(f"matrix: {count} combinations")
        chosen = every[len(every) // count // 2 :: len(every) // count]
        wanted = " or ".join(f"[{combination_id(one)}]" for one in chosen)
        # Not measured: afterwards the engine has the layers of these combinations' dependencies.
        prove("auto", wanted)
        figures = {OURS: prove("auto", wanted), "one by one": prove("0", wanted)}
        found.append(Comparison("the Docker tier", "s", figures, {}, "combinations", count))
    return found


def prove(workers: str, wanted: str = "") -> float:
    """Run the Docker tests of some combinations; return the seconds that they took."""
    chosen = (f'ARGS=-k "{wanted}"',) if wanted else ()
    return timed(lambda: run("make", "test-docker", f"WORKERS={workers}", *chosen, cwd=CHECKOUT, env={"CI": "true"}))


def main() -> None:
    """Measure the whole tier and save the result."""
    try:
        took = prove("auto")
    except CommandFailedError as error:
        sys.exit(f"error: {error}")
    cells = len(combinations())
    write_results("whole matrix", [Comparison("the Docker tier", "s", {OURS: took}, {}, "combinations", cells)])
    print(f"{cells} combinations and the sample on another Python, {os.cpu_count()} cores: {took:.0f} s")


if __name__ == "__main__":
    main()
