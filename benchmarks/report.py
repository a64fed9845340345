"""The tables and plots of what was measured: benchmarks/README.md, and the pictures that the README shows."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.measure import OURS, Comparison, read_results

HERE = Path(__file__).parent
# As GitHub draws them: text and lines, then ours, then the contenders
COLOURS = {
    "light": ("#1f2328", "#d1d9e0", "#0969da", ("#818b98", "#b35900", "#8250df", "#1a7f37", "#cf222e")),
    "dark": ("#f0f6fc", "#3d444d", "#4493f8", ("#9198a1", "#db6d28", "#ab7df8", "#3fb950", "#f85149")),
}
COLUMNS = 2
README = HERE.parent / "README.md"
# What the README's table has of all that was measured.
HEADLINES = (
    "a project without questions",
    "cold build",
    "after an edit",
    "added dependency",
    "slim, all services",
    "first 200",
    "with PostgreSQL",
    "save to new answer",
    "trivial",
    "one product",
    "write",
)
GROWTH = """<picture>
  <source media="(prefers-color-scheme: dark)" srcset="plots/growth-dark.svg">
  <img alt="Builds, servers and the tests of all combinations, as they grow" src="plots/growth-light.svg">
</picture>"""
BUILDS = ("cold build", "after an edit", "added dependency", "all services", "first 200", "with PostgreSQL")


def told(figure: float, unit: str) -> str:
    """Return a figure for a person."""
    digits = 0 if unit == "requests/s" else 2 if unit == "s" and figure < 10 else 1  # noqa: PLR2004 # as one reads it
    return f"{figure:,.{digits}f} {unit}"


def rows(comparisons: list[Comparison]) -> Iterator[str]:
    """Yield a table in Markdown: a row for each comparison, with our figure as a multiple of each contender's."""
    yield "| | Dockwright | beside |"
    yield "|---|---|---|"
    for one in comparisons:
        others = [
            f"{name} {told(one.figures[name], one.unit)} (**{ratio:.2f} x**)" for name, ratio in one.ratios().items()
        ]
        others += [f"{name}: {reason}" for name, reason in one.failures.items()]
        what = f"{one.what}, {one.at:,} {one.along}" if one.along else one.what
        yield f"| {what} | {told(one.figures[OURS], one.unit)} | {' · '.join(others)} |"


def bars(comparisons: list[Comparison], file: str) -> None:
    """Draw a plot for each comparison, a bar for each contender."""
    for axes, ours, theirs in pictures(len(comparisons), 1.5, file):
        for axis, one in zip(axes, comparisons, strict=True):
            names = list(one.figures)[::-1]
            colours = [ours if name == OURS else theirs[0] for name in names]
            drawn = axis.barh(names, [one.figures[name] for name in names], color=colours, height=0.7)
            axis.bar_label(drawn, [told(one.figures[name], one.unit) for name in names], padding=4, fontsize=8)
            axis.set_title(one.what, loc="left", fontsize=10)
            axis.set_xlim(right=max(one.figures.values()) * 1.25)
            axis.xaxis.set_visible(False)
            axis.tick_params(length=0)


def lines(growth: dict[str, list[Comparison]], file: str) -> None:
    """Draw a plot for each thing that grows, a line for each contender."""
    for axes, ours, theirs in pictures(len(growth), 2.8, file):
        for axis, (what, points) in zip(axes, growth.items(), strict=True):
            along = [f"{one.at:,}" for one in points]
            for number, name in enumerate(points[0].figures):
                colour = ours if name == OURS else theirs[number - 1]
                figures = [one.figures[name] for one in points]
                axis.plot(along, figures, color=colour, marker="o", markersize=4, label=name)
            axis.set_title(f"{what} ({points[0].unit})", loc="left", fontsize=10)
            axis.set_xlabel(points[0].along)
            axis.set_ylim(bottom=0)
            axis.legend(frameon=False, fontsize=8)


def pictures(count: int, height: float, file: str) -> Iterator[tuple[list[Axes], str, tuple[str, ...]]]:
    """Give so many plots to draw in, with our colour and the others', light and then dark; write them when drawn."""
    for mode, (text, line, ours, theirs) in COLOURS.items() if count else ():
        deep = -(-count // COLUMNS)
        with mpl.rc_context(style(text, line)):
            figure = plt.figure(figsize=(10, height * deep))
            yield [figure.add_subplot(deep, COLUMNS, number + 1) for number in range(count)], ours, theirs
            figure.tight_layout()
            figure.savefig(HERE / "plots" / f"{file}-{mode}.svg", transparent=True, metadata={"Date": None})
            plt.close(figure)


def style(text: str, line: str) -> dict[Any, Any]:
    """Return what matplotlib is told: colours, no background, no frame, and text that stays text."""
    coloured = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), text)
    return {
        **coloured,
        "axes.edgecolor": line,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "dockwright",
        "font.family": "sans-serif",
        "font.size": 9,
    }


def place(section: Mapping[str, str]) -> str:
    """Return when and where a section was measured."""
    return f"{section['date']}, {section['machine']}, Docker Engine {section['docker']}."


def write() -> None:
    """Write the tables and the plots of all that was kept."""
    (HERE / "plots").mkdir(exist_ok=True)
    sections = read_results()["sections"]
    text = [
        "# What was measured",
        "",
        "Written by `make bench`. A ratio is Dockwright's figure as a multiple of the other's: of seconds,",
        "milliseconds and sizes less is better, of requests a second more.",
    ]
    for name, section in sections.items():
        text += ["", f"## {name.capitalize()}", "", place(section), "", *rows(section["comparisons"])]
    text += ["", "## How it grows", "", GROWTH]
    (HERE / "README.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    every = [one for section in sections.values() for one in section["comparisons"]]
    plain = [one for one in every if not one.along]
    table = [*rows([one for one in plain if one.what.endswith(HEADLINES)]), "", place(sections["builds"])]
    between = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)
    readme = between.sub(lambda _: "\n".join(["", *table, "", ""]), README.read_text(encoding="utf-8"))
    README.write_text(readme, encoding="utf-8")
    bars([one for one in plain if one.what.endswith(BUILDS)], "builds")
    bars([one for one in plain if one.unit == "requests/s"], "servers")
    growth: dict[str, list[Comparison]] = {}
    for one in every:
        if one.along:
            growth.setdefault(one.what, []).append(one)
    lines({what: points for what, points in growth.items() if len(points) > 1}, "growth")
