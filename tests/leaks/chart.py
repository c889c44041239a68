"""Memory over the count of what came and went, drawn."""

from pathlib import Path

import pygal
from pygal.style import Style

from tests.bench.charts import COMMON, STYLE
from tests.leaks.figures import Figures

COLOURS = ("#3b82d6", "#d9822b")


def draw(figures: Figures, file: Path) -> None:
    """Write the chart of one run: what the process held, and the slope that it may have."""
    first = figures.samples[0]
    chart = pygal.XY(
        **COMMON,
        title=f"MB after so many {figures.what}",
        style=Style(**STYLE, colors=COLOURS),
        range=(0, 1.5 * max(sample.weight.anonymous_mb for sample in figures.samples)),
        height=360,
        dots_size=2,
    )
    held = [(sample.count, sample.weight.anonymous_mb) for sample in figures.samples]
    chart.add("held by the server's process", held)
    most = [(count, first.weight.anonymous_mb + (count - first.count) / 1e4) for count, _ in held]
    chart.add("1 MB per 10,000", most, show_dots=False)
    file.write_text(str(chart.render(is_unicode=True)) + "\n")
