"""``uv run poe bench [ROW ...] [--quick] [--json FILE]``."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.row import Row
from tests.bench.rows import ROWS
from tests.bench.table import table, write_json


@dataclass(slots=True)
class Outcome:
    """What a run gave: the figures of the rows that worked, and the names of the others."""

    figures: list[Figure] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def measure(rows: Sequence[Row], *, quick: bool) -> Outcome:
    """Measure the rows one after the other; stderr tells which, and why one failed."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder:
        bench = Bench(quick, Path(folder))
        for row in rows:
            begun = time.perf_counter()
            print(row.name, end=" ", file=sys.stderr, flush=True)
            try:
                outcome.figures += await row.measure(bench)
            except Exception as error:  # the other rows' figures are worth having
                outcome.failed.append(row.name)
                print(f"FAILED {type(error).__name__}: {error}", file=sys.stderr)
            print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return outcome


def main() -> int:
    """Measure, print the table, write the JSON; 1 if a row failed."""
    parser = argparse.ArgumentParser(prog="poe bench", description="Measure beside the floor.")
    names = [row.name for row in ROWS]
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [row for row in ROWS if row.name in arguments.rows or not arguments.rows]
    outcome = asyncio.run(measure(chosen, quick=arguments.quick))
    print(f"\n{os.cpu_count()} cores, shared by server, model and clients\n")
    print(table(outcome.figures))
    if arguments.json:
        write_json(outcome.figures, arguments.json)
    return int(bool(outcome.failed))


if __name__ == "__main__":
    sys.exit(main())
