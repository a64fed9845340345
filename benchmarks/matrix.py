"""How long the proof of the combinations takes: a few of them one after the other, and as the Docker tier runs them.

`python -m benchmarks.matrix` measures all of them, as the Docker tier runs them: half an hour on two cores.
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
    """Measure how both ways grow with the number of combinations, spread over all of them."""
    every = combinations()
    found = []
    for count in (2, 4, 8):
        progress(f"matrix: {count} combinations")
        chosen = every[len(every) // count // 2 :: len(every) // count]
        wanted = " or ".join(f"[{combination_id(one)}]" for one in chosen)
        # Not measured: afterwards the engine knows the layers of these combinations' dependencies.
        prove("auto", wanted)
        figures = {OURS: prove("auto", wanted), "one by one": prove("0", wanted)}
        found.append(Comparison("the Docker tier", "s", figures, {}, "combinations", count))
    return found


def prove(workers: str, wanted: str = "") -> float:
    """Run the tests of these combinations with so many workers, and return the seconds that they took."""
    chosen = (f'ARGS=-k "{wanted}"',) if wanted else ()
    return timed(lambda: run("make", "test-docker", f"WORKERS={workers}", *chosen, cwd=CHECKOUT, env={"CI": "true"}))


def main() -> None:
    """Measure the whole tier, and keep what was found."""
    try:
        took = prove("auto")
    except CommandFailedError as error:
        sys.exit(f"error: {error}")
    cells = len(combinations())
    write_results("whole matrix", [Comparison("the Docker tier", "s", {OURS: took}, {}, "combinations", cells)])
    print(f"{cells} combinations and the sample on another Python, {os.cpu_count()} cores: {took:.0f} s")


if __name__ == "__main__":
    main()
