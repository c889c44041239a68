"""Memory over the count of what came and went, drawn."""

import math
from pathlib import Path

import pygal
from pygal.style import Style

from tests.proofs.bench.charts import COMMON, STYLE, plain
from tests.proofs.leaks.figures import Figures

COLOURS = ("#3b82d6", "#d9822b")


def draw(figures: Figures, file: Path) -> None:
    """Write the chart of one run: what the process held, and the slope that it may have."""
    first = figures.samples[0]
    held = [(sample.count, sample.weight.anonymous_mb) for sample in figures.samples]
    most = [(count, first.weight.anonymous_mb + (count - first.count) / 1e4) for count, _ in held]
    shown = [mb for _, mb in held + most]
    chart = pygal.XY(
        **COMMON,
        title=f"Memory of the server's process (MB) after so many {figures.what}",
        style=Style(**STYLE, colors=COLOURS),
        # From 0 on, a slope of 1 MB in 10,000 would look like none.
        range=(math.floor(min(shown)) - 1, math.ceil(max(shown)) + 1),
        x_value_formatter=lambda value: f"{value:,.0f}",
        value_formatter=lambda value: f"{value:g}",
        height=360,
        dots_size=2,
    )
    chart.add("held by the server's process", held)
    chart.add("1 MB per 10,000", most, show_dots=False)
    file.write_text(plain(chart.render(is_unicode=True)) + "\n")
