"""Measure Dockwright beside what people use today: `make bench`, or `make bench-quick` for fewer rounds."""

import argparse
import sys

from benchmarks import builds, generation, matrix, report, servers, stacks
from benchmarks.measure import OURS, CommandFailedError, Comparison, Depth, read_results, write_results

SECTIONS = {
    "generation": generation.measure,
    "builds": builds.measure,
    "stacks": stacks.measure,
    "memory": servers.measure_memory,
    "servers": servers.measure,
    "matrix": matrix.measure,
}
QUICK = ("generation", "builds", "stacks", "memory")


def main() -> None:
    """Measure, print the results and save them; with --quick, print them beside the saved ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"what to measure: {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="fewer contenders and rounds; nothing is saved")
    parser.add_argument("--rounds", type=int, help="how often each contender is measured")
    parser.add_argument("--report", action="store_true", help="only write the tables and plots of the saved results")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}: choose from {', '.join(SECTIONS)}")
    depth = Depth(rounds=arguments.rounds or (2 if arguments.quick else 5), seconds=3, quick=arguments.quick)
    for section in () if arguments.report else arguments.sections or (QUICK if arguments.quick else SECTIONS):
        try:
            comparisons = SECTIONS[section](depth)
        except CommandFailedError as error:
            sys.exit(f"error: {error}")
        if arguments.quick:
            print_beside(section, comparisons)
        else:
            write_results(section, comparisons)
            print("\n".join([*report.HEADER, *map(report.row, comparisons)]))
    if not arguments.quick:
        report.write()


def print_beside(section: str, comparisons: list[Comparison]) -> None:
    """Print each ratio beside its target and the saved one."""
    saved = read_results()["sections"].get(section, {"comparisons": []})["comparisons"]
    known = {(one.what, one.at): one.ratios() for one in saved}
    for one in comparisons:
        if OURS in one.figures:
            print(f"{one.what:42} {report.told(one.figures[OURS], one.unit)}")
        for name, ratio in one.ratios().items():
            before = known.get((one.what, one.at), {}).get(name)
            last = f"{before:.2f} x" if before else "nothing"
            figure = report.told(one.figures[name], one.unit)
            print(f"    {name:28} {figure:>16} {ratio:6.2f} x   saved: {last:10}{report.target(one, name)}")
        for name, reason in one.failures.items():
            print(f"    {name} failed: {reason}")


if __name__ == "__main__":
    main()
