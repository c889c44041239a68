"""Writes the figures of docs/benchmarks/*.json into docs/benchmarks.md, and draws them.

``uv run poe bench-docs``; ``poe bench --json docs/benchmarks/full.json`` measures them anew.
"""

import json
import re
import sys
from pathlib import Path

from tests.proofs.bench.charts import draw
from tests.proofs.bench.processes import ROOT
from tests.proofs.bench.profile import table_of
from tests.proofs.bench.table import read_json, tables

PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / "docs" / "benchmarks"
FILES = ("full.json", "mesh.json")
_PLACE = re.compile(r"(<!-- figures of (\w+)\.json -->\n).*?(\n<!-- end -->)", re.DOTALL)

_PROFILE = re.compile(r"(<!-- profile.json -->\n).*?(\n<!-- end -->)", re.DOTALL)


def written_into(page: str, folder: Path = FOLDER) -> str:
    """The page with the tables of each file that it asks for."""

    def put(place: re.Match[str]) -> str:
        figures = read_json(folder / f"{place[2]}.json")
        return f"{place[1]}\n{tables(figures)}\n{place[3]}"

    page = _PLACE.sub(put, page)
    shares = json.loads((folder / "profile.json").read_text())
    return _PROFILE.sub(lambda place: f"{place[1]}\n{table_of(shares)}\n{place[2]}", page)


def main() -> int:
    """Write the page and the charts."""
    PAGE.write_text(written_into(PAGE.read_text()))
    for name in FILES:
        for path in draw(read_json(FOLDER / name), FOLDER):
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
