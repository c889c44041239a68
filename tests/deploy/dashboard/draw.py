"""Panels drawn as one picture, in the look of the benchmarks' charts.

Colours and a transparent ground that can be read on light and on dark pages alike.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.deploy.dashboard.board import Panel
from tests.deploy.dashboard.prometheus import SCRAPE_S, Series
from tests.deploy.dashboard.scale import in_words, marks_up_to
from tests.proofs.bench.charts import COLOURS, INK

COLUMN, ROW, GAP = 50, 30, 8
LEFT, RIGHT, TOP, LINE = 58, 12, 30, 15
GOOD, BAD = "#2f9e63", "#cf4f57"
MORE_COLOURS = (*COLOURS, "#8b949e", "#e0b000", "#7a6ff0", "#5f9ea0")
SMALL, CAPITAL = 6.4, 8.6
MOST_LEGENDS = 9
GUIDE = "#8b949e55"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel, and each of its series with the legend's template."""

    panel: Panel
    series: list[tuple[str, Series]]


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a plot is, and what its axes span."""

    x: float
    y: float
    w: float
    h: float
    start: float
    end: float
    top: float

    def at(self, moment: float, value: float) -> tuple[float, float]:
        """Where a point is."""
        across = (moment - self.start) / (self.end - self.start)
        return self.x + across * self.w, self.y + self.h * (1 - min(value / self.top, 1.0))


def drawing(drawn: Sequence[Drawn], start: float, end: float, mishaps: Mapping[str, float]) -> str:
    """All panels; ``mishaps`` are drawn into each, by seconds after the start."""
    ends = [it.panel.place.y + it.panel.place.h for it in drawn]
    height = max(ends) * ROW + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * COLUMN} {height}" '
        f'font-family="system-ui, sans-serif" font-size="11.5" fill="{INK}" role="img">',
        "<title>The dashboard of two servers behind Envoy, drawn from what they said</title>",
    ]
    for each in drawn:
        parts += _panel(each, start, end, mishaps)
    numbered = ", ".join(
        f"{number}: {name} ({at:.0f} s)" for number, (name, at) in enumerate(mishaps.items(), 1)
    )
    parts.append(_text(4, height - 10, f"Dashed lines are {numbered}."))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(drawn: Drawn, start: float, end: float, mishaps: Mapping[str, float]) -> Iterator[str]:
    place = drawn.panel.place
    x, y = float(place.x * COLUMN), float(place.y * ROW)
    w, h = place.w * COLUMN, place.h * ROW
    if drawn.panel.kind == "row":
        yield _text(x + 4, y + 21, drawn.panel.title, size=16, bold=True)
        return
    yield (
        f'<rect x="{x + 2}" y="{y + 2}" width="{w - GAP}" height="{h - GAP}" rx="4" '
        f'fill="none" stroke="{GUIDE}"/>'
    )
    yield _text(x + 12, y + 20, drawn.panel.title, size=13, bold=True)
    if not drawn.series:
        yield _text(x + 12, y + 60, drawn.panel.nothing or "no data", size=22, colour=GOOD)
    elif drawn.panel.kind == "stat":
        yield from _stat(drawn, x, y, w)
    else:
        yield from _lines(drawn, _Box(x, y, w, h, start, end, 1.0), mishaps)


def _stat(drawn: Drawn, x: float, y: float, w: float) -> Iterator[str]:
    """Each series as its last value in words, beside the others."""
    share = (w - 20) / len(drawn.series)
    for number, (legend, series) in enumerate(drawn.series):
        value = series[1][-1][1]
        word = drawn.panel.words.get(f"{value:g}", f"{value:g}")
        good = bool(value) == ("yes" in drawn.panel.words.values())
        at = x + 12 + number * share
        yield _text(at, y + 60, _legend(legend, series))
        yield _text(at, y + 98, word, size=30, bold=True, colour=GOOD if good else BAD)


def _lines(drawn: Drawn, outer: _Box, mishaps: Mapping[str, float]) -> Iterator[str]:
    names = [_legend(legend, series) for legend, series in drawn.series]
    places = list(_legend_places(names, outer.w - 24))
    below = 22 + LINE * (places[-1][1] + 1) + GAP
    stacked = _stacked(drawn) if drawn.panel.stacked else [it[1][1] for it in drawn.series]
    most = max((value for line in stacked for _, value in line if math.isfinite(value)), default=0)
    marks = marks_up_to(most, drawn.panel.unit)
    box = _Box(
        outer.x + LEFT,
        outer.y + TOP,
        outer.w - LEFT - RIGHT - GAP,
        outer.h - TOP - below,
        outer.start,
        outer.end,
        marks[-1],
    )
    yield from _axes(box, marks, drawn.panel.unit, mishaps)
    for number, line in enumerate(stacked):
        yield from _line(line, box, MORE_COLOURS[number % len(MORE_COLOURS)])
    for number, (name, (across, down)) in enumerate(zip(names, places, strict=False)):
        colour = MORE_COLOURS[number % len(MORE_COLOURS)]
        at_x, at_y = outer.x + 14 + across, box.y + box.h + 32 + down * LINE
        yield f'<rect x="{at_x:.0f}" y="{at_y - 5:.0f}" width="10" height="3" fill="{colour}"/>'
        yield _text(at_x + 14, at_y, name)


def _axes(
    box: _Box, marks: Sequence[float], unit: str, mishaps: Mapping[str, float]
) -> Iterator[str]:
    for mark in marks:
        _, y = box.at(box.start, mark)
        yield _stroke(box.x, y, box.x + box.w, y, GUIDE)
        yield _text(box.x - 5, y + 4, in_words(mark, unit), anchor="end")
    seconds = box.end - box.start
    for minute in range(int(seconds) // 60 + 1):
        x, _ = box.at(box.start + 60 * minute, 0)
        yield _text(x, box.y + box.h + 15, f"{minute} min" if minute else "0", anchor="middle")
    for number, at in enumerate(mishaps.values(), 1):
        x, _ = box.at(box.start + at, 0)
        yield _stroke(x, box.y, x, box.y + box.h, INK, dashed=True)
        yield _text(x + 3, box.y + 9, str(number), size=9)


def _line(line: Sequence[tuple[float, float]], box: _Box, colour: str) -> Iterator[str]:
    """As many strokes as there are pieces without a gap."""
    pieces: list[list[str]] = []
    before = -math.inf
    for moment, value in line:
        if not math.isfinite(value):
            continue
        if moment - before > 2.5 * SCRAPE_S:
            pieces.append([])
        x, y = box.at(moment, value)
        pieces[-1].append(f"{x:.1f},{y:.1f}")
        before = moment
    for piece in pieces:
        if len(piece) == 1:
            x_text, y_text = piece[0].split(",")
            yield f'<circle cx="{x_text}" cy="{y_text}" r="2" fill="{colour}"/>'
        else:
            points = " ".join(piece)
            yield (
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8" '
                'stroke-linejoin="round"/>'
            )


def _stacked(drawn: Drawn) -> list[list[tuple[float, float]]]:
    """Each line on those before it."""
    below: dict[float, float] = {}
    found = []
    for _, (_, points) in drawn.series:
        line = []
        for moment, value in points:
            below[moment] = below.get(moment, 0.0) + value
            line.append((moment, below[moment]))
        found.append(line)
    return found


def _legend(template: str, series: Series) -> str:
    for name, value in series[0].items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return template


def _legend_places(names: Sequence[str], width: float) -> Iterator[tuple[float, int]]:
    """Across and down, from left to right and on in the next line."""
    across, down = 0.0, 0
    for name in names[:MOST_LEGENDS]:
        wide = 28 + sum(CAPITAL if each.isupper() else SMALL for each in name)
        if across and across + wide > width:
            across, down = 0.0, down + 1
        yield across, down
        across += wide


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 0,
    bold: bool = False,
    anchor: str = "",
    colour: str = "",
) -> str:
    more = f' font-size="{size:g}"' if size else ""
    more += ' font-weight="600"' if bold else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    more += f' fill="{colour}"' if colour else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{escape(text)}</text>'


def _stroke(
    x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False
) -> str:
    more = ' stroke-dasharray="3 3"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="1"{more}/>'
    )
