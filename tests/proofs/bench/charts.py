"""Figures drawn: bars beside floors and targets, and growth curves on two logarithmic scales.

Colours and a transparent ground that can be read on light and on dark pages alike.
"""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from tests.proofs.bench.curves import Curve, curves_of
from tests.proofs.bench.figures import Figure, number

MANY = 1000
INK = "#6e7781"
OURS, FLOOR = "#3b82d6", "#8b949e"
COLOURS = (OURS, "#2f9e63", "#d9822b", "#b05fd0", "#cf4f57", "#1fa3a3")
_UNITS = {"ms": "Milliseconds", "turns/s": "Turns a second", "events/s": "Events a second"}
_UNITS |= {"posts/s": "Posts a second", "cores": "Cores"}
_FLOORS = {"replicas": "one server on SQLite"}
_ALL = "all"
_GROWS = {
    "clients": "clients",
    "history": "messages in the conversation",
    "conversations": "conversations of the user",
    "search": "messages and memories of the user",
    "replicas": "servers",
}
STYLE = {
    "background": "transparent",
    "plot_background": "transparent",
    "foreground": INK,
    "foreground_strong": INK,
    "foreground_subtle": INK,
    "guide_stroke_color": "#8b949e55",
    "major_guide_stroke_color": "#8b949e99",
    "font_family": "system-ui, sans-serif",
    "title_font_size": 20,
    "label_font_size": 13,
    "major_label_font_size": 13,
    "legend_font_size": 14,
    "opacity": "1",
    "opacity_hover": "1",
}
COMMON = {
    "js": (),
    "no_prefix": True,
    "margin_right": 30,
    "legend_at_bottom": True,
    "truncate_legend": -1,
    "truncate_label": -1,
    "disable_xml_declaration": True,
}


def draw(figures: Sequence[Figure], folder: Path) -> list[Path]:
    """Write every chart that these figures are enough for; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    charts = {"rows": _rows(figures), "layers": _layers(figures)}
    for group in _groups(curves_of(figures)):
        if group[0].unit.startswith("CPU"):
            charts |= {_file_name(parts): _parts(parts) for parts in _by_what(group)}
        else:
            charts[_file_name(group)] = _curves(group)
    written = []
    for name, chart in charts.items():
        if chart is not None:
            written.append(folder / f"{name}.svg")
            written[-1].write_text(plain(chart.render(is_unicode=True)) + "\n")
    return written


def _rows(figures: Iterable[Figure]) -> Any:
    """Each row's value and its target, in floors; less or more may be better."""
    shown = [it for it in figures if it.target and it.ratio and it.floor]
    if not shown:
        return None
    targets, ratios = [_target_in_floors(it) for it in shown], [it.ratio or 0 for it in shown]
    ends, marks = axis([*targets, *ratios], margin=1.2)
    chart = pygal.HorizontalBar(
        title="Measured and target, in multiples of the floor, a bare server (log scale)",
        style=Style(**STYLE, colors=(FLOOR, OURS)),
        logarithmic=True,
        range=ends,
        y_labels=marks,
        zero=1,
        height=110 + 44 * len(shown),
        width=1000,
        value_formatter=lambda value: f"{value:g}x",
        **COMMON,
    )
    # pygal draws from the bottom up.
    chart.x_labels = [_told(it) for it in reversed(shown)]
    chart.add("target", targets[::-1])
    chart.add("measured", ratios[::-1])
    return chart


def _told(figure: Figure) -> str:
    side = "at most" if figure.target and figure.target.at_most else "at least"
    mark = "met ✓" if figure.met else "missed ✗"
    target = _target_in_floors(figure)
    return f"{figure.name}: {number(figure.ratio)}x, {side} {number(target)}x: {mark}"


def axis(values: Sequence[float], margin: float = 1) -> tuple[tuple[float, float], list[float]]:
    """A logarithmic axis that holds the values: its ends, and its marks (1, 2, 5 or only 1)."""
    least, most = min(values) / margin, max(values)
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    marks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    first = max((mark for mark in marks if mark <= least), default=marks[0])
    last = min((mark for mark in marks if mark >= most), default=marks[-1])
    if last / first > MANY:
        marks = [10.0**decade for decade in decades]
    return (first, last), [mark for mark in marks if first <= mark <= last]


def _target_in_floors(figure: Figure) -> float:
    assert figure.target is not None
    assert figure.floor
    bound = figure.target.bound
    return bound if figure.target.of_floor else bound / figure.floor


def _layers(figures: Iterable[Figure]) -> Any:
    """What each interceptor adds, over the wire and over the local channel."""
    added: dict[str, dict[str, float]] = {"wire": {}, "local channel": {}}
    for figure in figures:
        where, _, name = figure.name.partition(": ")
        if where in added and name != "all of them":
            added[where][name] = max(figure.value, 0)
    names = list(added["wire"])
    if not names:
        return None
    chart = pygal.HorizontalBar(
        title="Processor time of a unary call: what each step adds to the line above (µs)",
        style=Style(**STYLE, colors=(OURS, COLOURS[1])),
        height=110 + 40 * len(names),
        width=1000,
        value_formatter=lambda value: f"{value:g}",
        **COMMON,
    )
    chart.x_labels = [_with_values(name, added) for name in reversed(names)]
    for where in added:
        chart.add(where, [added[where].get(name) for name in reversed(names)])
    return chart


def _with_values(name: str, added: dict[str, dict[str, float]]) -> str:
    values = [f"{where} {number(found[name])}" for where, found in added.items() if name in found]
    return f"{name}: {', '.join(values)}"


def _groups(curves: Iterable[Curve]) -> list[list[Curve]]:
    """Curves of one kind of growth and one unit share a chart."""
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve.of_what, curve.unit), []).append(curve)
    return list(groups.values())


def _file_name(group: Sequence[Curve]) -> str:
    first = group[0]
    name = first.measure.partition(", ")[2] if first.unit.startswith("CPU") else first.unit
    return f"{first.of_what}-{re.sub('[^a-z0-9]+', '-', name.lower())}"


def _curves(group: Sequence[Curve]) -> Any:
    first = group[0]
    ends, marks = axis(
        [v for curve in group for it in curve.points for v in (it.value, it.floor) if v]
    )
    chart = pygal.XY(
        title=f"{_UNITS.get(first.unit, first.unit)} by {_GROWS[first.of_what]} (log scales)",
        style=Style(**STYLE, colors=_colours(group)),
        logarithmic=True,
        height=420,
        width=800,
        dots_size=4,
        stroke_style={"width": 2},
        range=ends,
        y_labels=marks,
        x_labels=[it.at for it in first.points],
        x_value_formatter=lambda value: f"{value:,.0f}",
        value_formatter=lambda value: f"{value:,g}",
        **COMMON,
    )
    for curve in group:
        chart.add(curve.measure, [(it.at, it.value) for it in curve.points])
        if curve.has_floor:
            floors = [(it.at, it.floor) for it in curve.points]
            dashed = {"width": 2, "dasharray": "6, 4"}
            floor = _FLOORS.get(curve.of_what, "bare relay")
            chart.add(f"{curve.measure}, {floor} (dashed)", floors, stroke_style=dashed)
    return chart


def _by_what(group: Iterable[Curve]) -> list[list[Curve]]:
    """Processor time by what it was used for: ``CPU of PART, WHAT``."""
    found: dict[str, list[Curve]] = {}
    for curve in group:
        found.setdefault(curve.measure.partition(", ")[2], []).append(curve)
    return list(found.values())


def _parts(group: Sequence[Curve]) -> Any:
    """What each part uses, one upon another; first what the floor uses by itself."""
    of_part = {curve.measure.removeprefix("CPU of ").partition(", ")[0]: curve for curve in group}
    whole = of_part.pop(_ALL)
    what = whole.measure.partition(", ")[2]
    chart = pygal.StackedBar(
        title=f"Processor time of {what}, {whole.unit.removeprefix('CPU ')}",
        style=Style(**STYLE, colors=COLOURS),
        height=420,
        width=800,
        value_formatter=lambda value: f"{value:,.3g}",
        **COMMON,
    )
    counts = [f"{it.at:,.0f} {_GROWS[whole.of_what]}" for it in whole.points]
    chart.x_labels = [_FLOORS[whole.of_what], *counts]
    for at, (part, curve) in enumerate(of_part.items()):
        alone = whole.points[0].floor if at == 0 else 0
        chart.add(part, [alone, *(it.value for it in curve.points)])
    return chart


def _colours(group: Sequence[Curve]) -> tuple[str, ...]:
    """A curve and its floor have one colour; the floor is dashed."""
    found: list[str] = []
    for curve, colour in zip(group, COLOURS, strict=False):
        found += [colour] * (2 if curve.has_floor else 1)
    return tuple(found)


def plain(svg: str) -> str:
    """Without pygal's comment on where it lives, and without the settings of its script."""
    return re.sub(r"<!--.*?-->|<script.*?</script>", "", svg, flags=re.DOTALL)
