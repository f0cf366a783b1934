"""The two pictures of docs/benchmarks.md, drawn by pygal: dots beside ours, and lines of growth."""

import re
import sys
from collections.abc import Mapping, Sequence
from math import log10

import pygal
from pygal.style import Style

# pygal hooks itself into every later import, in a form that Python warns of; nothing here needs its plugins.
sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != "PluginImportFixer"]

# The first eight can be told apart without seeing red or green (Okabe and Ito); black is the one to be compared with.
COLOURS = (
    *("#000000", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#999999"),
    *("#7A5195", "#8C510A", "#F0E442", "#1B4F3A"),
)
# Over so many times as much, only tens are labelled.
WIDE = 200
STYLE = Style(
    background="white",
    plot_background="white",
    foreground="#333333",
    foreground_strong="#000000",
    foreground_subtle="#cccccc",
    guide_stroke_color="#dddddd",
    major_guide_stroke_color="#dddddd",
    font_family="sans-serif",
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    title_font_size=15,
    opacity="1",
    colors=COLOURS,
)
Points = Sequence[tuple[float, float]]


def beside_ours(ratios: Mapping[str, Mapping[str, float]], ours: str) -> bytes:
    """A row a measure, a dot a server at how many times as much as ours it takes."""
    rows = list(ratios)
    chart = _chart(f"How many times as much as {ours}: right of 1× is worse", 60 + 46 * len(rows), stroke=False)
    chart.dots_size = 6
    chart.y_labels = [{"label": row, "value": len(rows) - place} for place, row in enumerate(rows)]
    chart.range = (0.5, len(rows) + 0.5)
    values = [value for row in ratios.values() for value in row.values()]
    steps = (1, 2, 5) if max(values) / min(values) < WIDE else (1,)
    chart.x_labels = [{"label": f"{tick:g}×", "value": log10(tick)} for tick in ticks(min(values), max(values), steps)]
    for server in dict.fromkeys(server for row in ratios.values() for server in row):
        at = [(log10(row[server]), len(rows) - place) for place, row in enumerate(ratios.values()) if server in row]
        chart.add(server, at)
    return _drawn(chart)


def growth(lines: Mapping[str, Points]) -> bytes:
    """Cost against size, both as multiples of the least size; a line above the dashed one grows faster than its input."""
    scaled = {
        name: [(size / points[0][0], cost / points[0][1]) for size, cost in points] for name, points in lines.items()
    }
    widest = max(point[0] for points in scaled.values() for point in points)
    chart = _chart(
        "Cost against size, as multiples of the smallest: above the dashed line is faster than the input", 560
    )
    chart.dots_size = 4
    costs = [point[1] for points in scaled.values() for point in points]
    for axis, values in (("x_labels", [1, widest]), ("y_labels", [*costs, widest])):
        setattr(
            chart,
            axis,
            [{"label": f"{tick:,g}×", "value": log10(tick)} for tick in ticks(min(values), max(values), steps=(1,))],
        )
    chart.x_title, chart.y_title = "size", "cost"
    chart.add(
        "as its input", [(0, 0), (log10(widest), log10(widest))], stroke_style={"dasharray": "6, 4", "width": 1.5}
    )
    for name, points in scaled.items():
        chart.add(
            name.replace("`", ""), [(log10(size), log10(cost)) for size, cost in points], stroke_style={"width": 2}
        )
    return _drawn(chart)


def ticks(low: float, high: float, steps: Sequence[float] = (1, 2, 5)) -> list[float]:
    """Round figures from just below *low* to just above *high*."""
    scale = [step * 10.0**power for power in range(-6, 10) for step in steps]
    first = max((tick for tick in scale if tick <= low), default=scale[0])
    last = min((tick for tick in scale if tick >= high), default=scale[-1])
    return [tick for tick in scale if first <= tick <= last]


def _chart(title: str, height: int, *, stroke: bool = True) -> pygal.XY:
    return pygal.XY(
        title=title,
        width=960,
        height=height,
        style=STYLE,
        stroke=stroke,
        show_x_guides=True,
        show_y_guides=True,
        explicit_size=True,
        truncate_legend=-1,
        truncate_label=-1,
        js=(),
        no_prefix=True,
    )


def _drawn(chart: pygal.XY) -> bytes:
    """The picture without its script, which a page that shows pictures does not run."""
    return re.sub(rb"<script.*?</script>", b"", chart.render(), flags=re.S)
