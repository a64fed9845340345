"""The tables and plots of what was measured: benchmarks/README.md, and the pictures that the README shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.measure import OURS, Comparison, read_results

HERE = Path(__file__).parent
# As GitHub draws them: text and lines, then ours, then the contenders
COLOURS = {
    "light": ("#1f2328", "#d1d9e0", "#0969da", ("#818b98", "#b35900", "#8250df", "#1a7f37", "#cf222e")),
    "dark": ("#f0f6fc", "#3d444d", "#4493f8", ("#9198a1", "#db6d28", "#ab7df8", "#3fb950", "#f85149")),
}
COLUMNS = 2
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
    if not comparisons:
        return
    for mode, (text, line, ours, theirs) in COLOURS.items():
        count = -(-len(comparisons) // COLUMNS)
        with mpl.rc_context(style(text, line)):
            figure, axes = plt.subplots(count, COLUMNS, figsize=(10, 1.5 * count), squeeze=False)
            for axis, one in zip(axes.flat, comparisons, strict=False):
                names = list(one.figures)[::-1]
                colours = [ours if name == OURS else theirs[0] for name in names]
                drawn = axis.barh(names, [one.figures[name] for name in names], color=colours, height=0.7)
                axis.bar_label(drawn, [told(one.figures[name], one.unit) for name in names], padding=4, fontsize=8)
                axis.set_title(one.what, loc="left", fontsize=10)
                axis.set_xlim(right=max(one.figures.values()) * 1.25)
                axis.xaxis.set_visible(False)
                axis.tick_params(length=0)
            save(figure, len(comparisons), f"{file}-{mode}.svg")


def lines(growth: dict[str, list[Comparison]], file: str) -> None:
    """Draw a plot for each thing that grows, a line for each contender."""
    if not growth:
        return
    for mode, (text, line, ours, theirs) in COLOURS.items():
        count = -(-len(growth) // COLUMNS)
        with mpl.rc_context(style(text, line)):
            figure, axes = plt.subplots(count, COLUMNS, figsize=(10, 2.8 * count), squeeze=False)
            for axis, (what, points) in zip(axes.flat, growth.items(), strict=False):
                for number, name in enumerate(points[0].figures):
                    colour = ours if name == OURS else theirs[number - 1]
                    axis.plot(
                        [f"{one.at:,}" for one in points],
                        [one.figures[name] for one in points],
                        color=colour,
                        marker="o",
                        markersize=4,
                        label=name,
                    )
                axis.set_title(f"{what} ({points[0].unit})", loc="left", fontsize=10)
                axis.set_xlabel(points[0].along)
                axis.set_ylim(bottom=0)
                axis.legend(frameon=False, fontsize=8)
            save(figure, len(growth), f"{file}-{mode}.svg")


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


def save(figure: Figure, used: int, name: str) -> None:
    """Write a picture, without the places that nothing was drawn in."""
    for axis in figure.axes[used:]:
        axis.remove()
    figure.tight_layout()
    figure.savefig(HERE / "plots" / name, transparent=True, metadata={"Date": None})
    plt.close(figure)


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
        text += ["", f"## {name.capitalize()}", ""]
        text += [f"{section['date']}, {section['machine']}, Docker Engine {section['docker']}.", ""]
        text += rows(section["comparisons"])
    (HERE / "README.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    every = [one for section in sections.values() for one in section["comparisons"]]
    plain = [one for one in every if not one.along]
    bars([one for one in plain if one.what.endswith(BUILDS)], "builds")
    bars([one for one in plain if one.unit == "requests/s"], "servers")
    growth: dict[str, list[Comparison]] = {}
    for one in every:
        if one.along:
            growth.setdefault(one.what, []).append(one)
    lines({what: points for what, points in growth.items() if len(points) > 1}, "growth")
