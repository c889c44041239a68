import asyncio
import json
from pathlib import Path

import pytest

from tests.bench.__main__ import measure
from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_least, at_most, percentile
from tests.bench.row import Row
from tests.bench.rows import ROWS
from tests.bench.table import table, write_json

FIELDS = ["name", "value", "unit", "floor", "ratio", "target", "met"]


def test_json_is_a_list_of_the_promised_objects(tmp_path: Path) -> None:
    """Each figure is an object with its floor, ratio, target, and whether it is met."""
    figures = [
        Figure("turns", 300.0, "turns/s", 400.0, at_least(0.5)),
        Figure("delay", 4.0, "ms", 1.0, at_most(2)),
        Figure("cold start", 0.9, "s", None, at_most(1, of_floor=False)),
        Figure("alone", 1.0, "s"),
    ]
    write_json(figures, tmp_path / "bench.json")
    written = json.loads((tmp_path / "bench.json").read_text())
    assert [list(one) for one in written] == [FIELDS] * 4
    assert [one["ratio"] for one in written] == [0.75, 4.0, None, None]
    assert [one["met"] for one in written] == [True, False, True, None]
    assert written[0]["target"] == "at least 0.5 x floor"


def test_table_is_aligned_markdown() -> None:
    """The table has a line per figure, all of one width, and says what is not reached."""
    figures = [
        Figure("a", 1234.5, "x/s", 10.0, at_least(0.5)),
        Figure("bb", 3, "ms", 1, at_most(2)),
    ]
    lines = table(figures).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 4
    assert "1,234" in lines[2]
    assert "NO" in lines[3]


def test_percentiles_are_measured_values() -> None:
    """A percentile is one of the values; of none there is none."""
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile(list(map(float, range(100))), 99) == 99.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_rows_have_names_of_their_own() -> None:
    """Every row can be asked for by its name."""
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_a_row_measures_real_processes() -> None:
    """The cheapest row, measured quickly, gives sensible figures beside their floors."""
    row = next(row for row in ROWS if row.name == "cold-start")
    outcome = asyncio.run(measure([row], quick=True))
    assert outcome.failed == []
    assert len(outcome.figures) == 4
    assert all(one.ratio is not None and 1 < one.ratio < 100 for one in outcome.figures)


def test_a_row_that_fails_costs_no_other_its_figures() -> None:
    """A failed row is named; the rows after it are measured."""

    async def broken(bench: Bench) -> list[Figure]:
        raise OSError("no such floor")

    async def working(bench: Bench) -> list[Figure]:
        return [Figure("a", 1.0, "s")]

    outcome = asyncio.run(measure([Row("broken", broken), Row("working", working)], quick=True))
    assert outcome.failed == ["broken"]
    assert [figure.name for figure in outcome.figures] == ["a"]
