"""The tables and plots of the results: benchmarks/README.md, and what the README shows of it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.measure import OURS, Comparison, read_results
from benchmarks.targets import TARGETS, is_met, limits

HERE = Path(__file__).parent
# As GitHub draws them: text and lines, then ours, then the contenders
COLOURS = {
    "light": ("#1f2328", "#d1d9e0", "#0969da", ("#818b98", "#b35900", "#8250df", "#1a7f37", "#cf222e")),
    "dark": ("#f0f6fc", "#3d444d", "#4493f8", ("#9198a1", "#db6d28", "#ab7df8", "#3fb950", "#f85149")),
}
COLUMNS = 2
README = HERE.parent / "README.md"
PICTURE = """<picture>
  <source media="(prefers-color-scheme: dark)" srcset="plots/{file}-dark.svg">
  <img alt="{alt}" src="plots/{file}-light.svg">
</picture>"""
BUILDS = ("cold build", "after an edit", "added dependency", "all services", "first 200", "save to new answer")
HEADER = ("| | Dockwright | beside |", "|---|---|---|")


def told(figure: float, unit: str) -> str:
    """Format a figure with its unit."""
    digits = 0 if unit == "requests/s" else 2 if unit in ("s", "ms") and figure < 10 else 1  # noqa: PLR2004 # readable
    return f"{figure:,.{digits}f} {unit}"


def row(one: Comparison) -> str:
    """Return a row of a Markdown table: our figure, and each contender's with ours as a multiple of it."""
    others = [f"{beside(one, name)}{target(one, name)}" for name in one.ratios()]
    others += [f"{name}: {reason}" for name, reason in one.failures.items()]
    what = f"{one.what}, {one.at:,} {one.along}" if one.along else one.what
    ours = told(one.figures[OURS], one.unit) if OURS in one.figures else ""
    return f"| {what} | {ours} | {' · '.join(others)} |"


def beside(one: Comparison, contender: str) -> str:
    """Return a contender's figure, and ours as a multiple of it."""
    return f"{contender} {told(one.figures[contender], one.unit)} (**{one.ratios()[contender]:.2f} x**)"


def target(one: Comparison, contender: str) -> str:
    """Return the contender's limit, and whether it is missed."""
    if contender not in limits(one):
        return ""
    least = "at least" if one.unit == "requests/s" else "at most"
    return f" {'' if is_met(one, contender) else '**not** '}{least} {limits(one)[contender]:.2f} x"


def headlines(comparisons: list[Comparison]) -> Iterator[str]:
    """Yield the README's table: each figure that has a target, beside the contenders of the target."""
    known = {one.what: one for one in comparisons if not one.along and OURS in one.figures}
    yield from HEADER
    for what, limit in TARGETS.items():
        if what in known:
            one = known[what]
            others = [beside(one, name) for name in limit if name in one.figures]
            yield f"| {what} | {told(one.figures[OURS], one.unit)} | {' · '.join(others)} |"


def bars(comparisons: list[Comparison], file: str) -> None:
    """Plot each comparison, with a bar for each contender."""
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
    """Plot each figure that was measured at several sizes, with a line for each contender."""
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
    """Yield axes, our colour and the contenders', for light and for dark mode; save each picture when it is drawn."""
    for mode, (text, line, ours, theirs) in COLOURS.items() if count else ():
        deep = -(-count // COLUMNS)
        with mpl.rc_context(style(text, line)):
            figure = plt.figure(figsize=(10, height * deep))
            yield [figure.add_subplot(deep, COLUMNS, number + 1) for number in range(count)], ours, theirs
            figure.tight_layout()
            figure.savefig(HERE / "plots" / f"{file}-{mode}.svg", transparent=True, metadata={"Date": None})
            plt.close(figure)


def style(text: str, line: str) -> dict[Any, Any]:
    """Return matplotlib's settings: colours, no background, no frame, and text as text."""
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
    """Write the tables and plots of the saved results."""
    (HERE / "plots").mkdir(exist_ok=True)
    sections = read_results()["sections"]
    text = [
        "# Benchmarks",
        "",
        "Written by `make bench`. A ratio is Dockwright's figure as a multiple of the contender's: lower is better for",
        "seconds, milliseconds and sizes, higher for requests per second. Targets are in `targets.py`.",
    ]
    for name, section in sections.items():
        text += ["", f"## {name.capitalize()}", "", place(section), "", *HEADER, *map(row, section["comparisons"])]
    every = [one for section in sections.values() for one in section["comparisons"]]
    plain = [one for one in every if not one.along]
    built = [one for one in plain if one.what.endswith(BUILDS)]
    served = [one for one in plain if one.unit == "requests/s"]
    text += ["", PICTURE.format(file="builds", alt="Builds and starts")] if built else []
    text += ["", PICTURE.format(file="servers", alt="Requests per second")] if served else []
    text += ["", PICTURE.format(file="growth", alt="The same, as they grow")] if plain != every else []
    (HERE / "README.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    places = sorted({place(section) for section in sections.values()})
    table = [*headlines(every), "", *places] if places else ["Not measured yet: `make bench` writes this table."]
    between = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)
    readme = between.sub(lambda _: "\n".join(["", *table, "", ""]), README.read_text(encoding="utf-8"))
    README.write_text(readme, encoding="utf-8")
    bars(built, "builds")
    bars(served, "servers")
    growth: dict[str, list[Comparison]] = {}
    for one in every:
        if one.along:
            growth.setdefault(one.what, []).append(one)
    lines({what: points for what, points in growth.items() if len(points) > 1}, "growth")
