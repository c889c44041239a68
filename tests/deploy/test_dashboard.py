"""The picture of the dashboard is of this dashboard, and its axes are right."""

import pytest

from tests.deploy.dashboard.board import panels
from tests.deploy.dashboard.scale import in_words, marks_up_to
from tests.repository.files import ROOT

PICTURE = ROOT / "docs" / "images" / "dashboard.svg"


def test_every_panel_is_drawn_and_shows_something() -> None:
    """Whoever changes a panel draws it anew: `python -m tests.deploy.dashboard`."""
    picture = PICTURE.read_text()
    missing = [panel.title for panel in panels() if f">{panel.title}<" not in picture]
    assert missing == []
    assert ">no data<" not in picture


@pytest.mark.parametrize(
    ("most", "unit", "marks"),
    [
        (0, "short", ["0", "0.25", "0.5", "0.75", "1"]),
        (19, "reqps", ["0/s", "5/s", "10/s", "15/s", "20/s"]),
        (0.0187, "s", ["0 ms", "5 ms", "10 ms", "15 ms", "20 ms"]),
        (300 << 20, "bytes", ["0 B", "100 MiB", "200 MiB", "300 MiB"]),
    ],
)
def test_axes_have_round_marks(most: float, unit: str, marks: list[str]) -> None:
    """From 0 to something round above the most, in the unit's words."""
    assert [in_words(mark, unit) for mark in marks_up_to(most, unit)] == marks
