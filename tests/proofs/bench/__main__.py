"""``uv run poe bench [ROW ...] [--quick] [--json FILE] [--svg FOLDER]``."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bytecode import keep_bytecode
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.charts import draw
from tests.proofs.bench.figures import Figure
from tests.proofs.bench.row import Row
from tests.proofs.bench.rows import ROWS
from tests.proofs.bench.table import read_json, tables, write_json

DESCRIPTION = """\
Measure what the server does, each row beside its floor: a bare grpc.aio server
that does the same work without identity, rules or store, in the same run.
Machines differ; the ratio of the two says more than either.

All rows take about 40 minutes, with --quick about 15.
Let nothing else run meanwhile.
docs/benchmarks.md says more."""


@dataclass(slots=True)
class Outcome:
    """What a run gave: the figures of the rows that worked, and the names of the others."""

    figures: list[Figure] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def measure(
    rows: Sequence[Row], *, quick: bool, keep: Callable[[Sequence[Figure]], None] | None = None
) -> Outcome:
    """Measure the rows one after the other; stderr tells which, and why one failed.

    ``keep`` is given all figures so far after each row: a run that is ended loses one row.
    """
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder:
        bench = Bench(quick, Path(folder))
        for row in rows:
            begun, busy, own = time.perf_counter(), _busy_s(), _own_s()
            print(row.name, end=" ", file=sys.stderr, flush=True)
            try:
                outcome.figures += await row.measure(bench)
            except Exception as error:  # the other rows' figures are worth having
                outcome.failed.append(row.name)
                print(f"FAILED {type(error).__name__}: {error}", file=sys.stderr)
            took = time.perf_counter() - begun
            others = max(_busy_s() - busy - (_own_s() - own), 0.0) / took
            outcome.figures.append(Figure(f"others' cores during {row.name}", others, "cores"))
            print(f"{took:.0f} s", file=sys.stderr)
            if keep is not None:
                keep(outcome.figures)
    return outcome


def _busy_s() -> float:
    """Processor time that all of the machine has used, in seconds."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _own_s() -> float:
    """What this process has used of it, and those that it started and that have ended."""
    return float(sum(psutil.Process().cpu_times()[:4]))


def main() -> int:
    """Measure, print the table, write the JSON; 1 if a row failed."""
    keep_bytecode()  # what starts is not to be compiled each time
    parser = made_parser()
    arguments = parser.parse_args()
    names = [row.name for row in ROWS]
    if unknown := set(arguments.rows) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [row for row in ROWS if row.name in arguments.rows or not arguments.rows]
    before: list[Figure] = []
    if arguments.keep and arguments.json and arguments.json.exists():
        before = read_json(arguments.json)

    def keep(figures: Sequence[Figure]) -> None:
        if arguments.json:
            write_json(merged(before, figures), arguments.json)

    # Ended like this, a run stops what it started and removes what it wrote.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    outcome = asyncio.run(measure(chosen, quick=arguments.quick, keep=keep))
    print(f"\n{os.cpu_count()} cores, shared by server, model and clients\n")
    print(tables(outcome.figures))
    if arguments.svg:
        draw(merged(before, outcome.figures), arguments.svg)
    return int(bool(outcome.failed))


def made_parser() -> argparse.ArgumentParser:
    """What can be asked for, and what it means."""
    width = max(len(row.name) for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="poe bench",
        description=DESCRIPTION,
        epilog="rows:\n" + "\n".join(f"  {row.name:{width}}  {row.about}" for row in ROWS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="what to measure (default: all)")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--keep", action="store_true", help="keep the file's other figures")
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="draw the figures there")
    return parser


def merged(before: Sequence[Figure], now: Sequence[Figure]) -> list[Figure]:
    """The figures of before, with those replaced that were measured again."""
    newer = {figure.name: figure for figure in now}
    kept = [newer.pop(figure.name, figure) for figure in before]
    return [*kept, *newer.values()]


if __name__ == "__main__":
    sys.exit(main())
