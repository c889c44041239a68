"""The page of figures is made from what runs wrote."""

import json
from pathlib import Path

from tests.robustness.page import BEGIN, END, merged, write
from tests.robustness.scenario import Outcome


def result(name: str, seen: int, **faults: int) -> str:
    outcome = Outcome(name, "1", seconds=2.0, peak_bytes=seen)
    outcome.inflicted.update(faults)
    counts = {"posts acknowledged": 1, "turns acknowledged": 0, "seen": seen, "stops": 0}
    outcome.counts.update(counts)
    return json.dumps([outcome.as_json()])


def test_rounds_of_one_name_are_added_up(tmp_path: Path) -> None:
    """Counts add, the most memory is the most of all, and what has none keeps its zero."""
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    files[0].write_text(result("kills", 5, kill=2))
    files[1].write_text(result("kills", 7, kill=1, drain=1))
    (whole,) = merged(files)
    assert whole["faults"] == {"kill": 3, "drain": 1}
    assert whole["counts"]["seen"] == 12
    assert whole["counts"]["turns acknowledged"] == 0
    assert (whole["seconds"], whole["peak_bytes"]) == (4.0, 7)


def test_the_page_keeps_what_others_wrote(tmp_path: Path) -> None:
    """Only what stands between the marks is replaced; a chart stands beside it."""
    page, file = tmp_path / "proof.md", tmp_path / "1.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    file.write_text(result("wires", 5, cut=1))
    write(merged([file]), page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| wires | 1 | 1 | 5 |" in text
    assert (tmp_path / "proof" / "scenarios.svg").read_text().startswith("<svg")
