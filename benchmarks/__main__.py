"""Measure Dockwright beside what people use today: `make bench`, or `make bench-quick` for the ratios alone."""

import argparse
import sys

from benchmarks import builds, generation, matrix, report, servers, stacks
from benchmarks.measure import CommandFailedError, Comparison, Depth, read_results, write_results

SECTIONS = {
    "generation": generation.measure,
    "builds": builds.measure,
    "stacks": stacks.measure,
    "servers": servers.measure,
    "matrix": matrix.measure,
}
QUICK = ("generation", "builds", "stacks")


def main() -> None:
    """Measure, print what was found, and keep it; in its quick form print it beside what was kept before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"what to measure: {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="fewer contenders and rounds; nothing is kept")
    parser.add_argument("--rounds", type=int, help="how often each contender is measured")
    parser.add_argument("--report", action="store_true", help="only write the tables and plots of what was kept")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}: choose from {', '.join(SECTIONS)}")
    depth = Depth(rounds=arguments.rounds or (3 if arguments.quick else 5), seconds=3, quick=arguments.quick)
    for section in () if arguments.report else arguments.sections or (QUICK if arguments.quick else SECTIONS):
        try:
            comparisons = SECTIONS[section](depth)
        except CommandFailedError as error:
            sys.exit(f"error: {error}")
        if arguments.quick:
            beside(section, comparisons)
        else:
            write_results(section, comparisons)
            print("\n".join(report.rows(comparisons)))
    if not arguments.quick:
        report.write()


def beside(section: str, comparisons: list[Comparison]) -> None:
    """Print each ratio beside the one that was kept."""
    kept = read_results()["sections"].get(section, {"comparisons": []})["comparisons"]
    known = {(one.what, one.at): one.ratios() for one in kept}
    for one in comparisons:
        for name, ratio in one.ratios().items():
            before = known.get((one.what, one.at), {}).get(name)
            print(f"{one.what:45} {ratio:5.2f} x {name:35} kept: {f'{before:.2f} x' if before else 'nothing'}")
        for name, reason in one.failures.items():
            print(f"{one.what:45} {name} could not be measured: {reason}")


if __name__ == "__main__":
    main()
