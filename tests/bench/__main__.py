"""``uv run poe bench [ROW ...] [--quick] [--json FILE]``."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.row import Row
from tests.bench.rows import ROWS
from tests.bench.table import table, write_json


async def measure(rows: Sequence[Row], *, quick: bool) -> list[Figure]:
    """Measure the rows one after the other; says on stderr which is being measured."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder:
        bench = Bench(quick, Path(folder))
        for row in rows:
            begun = time.perf_counter()
            sys.stderr.write(f"{row.name} ")
            sys.stderr.flush()
            figures += await row.measure(bench)
            sys.stderr.write(f"{time.perf_counter() - begun:.0f} s\n")
    return figures


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="poe bench", description="Measure beside the floor.")
    names = [row.name for row in ROWS]
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [row for row in ROWS if row.name in arguments.rows or not arguments.rows]
    figures = asyncio.run(measure(chosen, quick=arguments.quick))
    print(f"\n{os.cpu_count()} cores, shared by server, model and clients\n")
    print(table(figures))
    if arguments.json:
        write_json(figures, arguments.json)


if __name__ == "__main__":
    main()
