"""What holds a row: where the server's interpreter spends its time under a load (py-spy).

``uv run --group proof python -m tests.proofs.bench.profile [LOAD ...] [--json FILE]``. Only samples
that hold the interpreter's lock count: what does not hold it, does not hold up the others.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.rows.sides import relay_and_server
from tests.proofs.bench.table import markdown

LOADS: dict[str, tuple[str, float, dict[str, Any]]] = {
    "turns": ("turns", 0, {"clients": 50, "deltas": 20}),
    "first-token": ("first_token", 5, {"clients": 10}),
    "posts": ("steps", 0, {"clients": 50, "kinds": ["post"], "alone": False}),
}
"""Which load, the gap between its deltas in ms, and the rest of its job."""

# The innermost frame that is of one of these says whose time it was.
PARTS = (
    ("the HTTP client of the model", r"/(aiohttp|multidict|yarl|propcache|aiosignal)/"),
    ("the log", r"antiphon_server/events/"),
    ("turns", r"antiphon_server/(dispatcher|agents)/"),
    ("conversations and windows", r"antiphon_server/context/"),
    ("models and the ledger", r"antiphon_server/integration/"),
    ("identity", r"antiphon_server/auth/"),
    ("guards of each call", r"antiphon_server/runtime/rpc/interceptors/|protovalidate"),
    ("calls between services", r"antiphon_server/runtime/channels/"),
    ("streams to clients", r"antiphon_server/runtime/rpc/(duplex|server|methods)"),
    ("the store", r"antiphon_server/runtime/(storage|concurrency/grouping)|/sqlalchemy/"),
    ("gRPC's Python", r"/grpc/"),
    ("asyncio and, unseen below it, gRPC's core", r"/asyncio/|asyncio\.|selectors\.py"),
)
WARM_S = 2.0
OTHER = "other"


Shares = dict[str, float]
"""Whose time how much of it was, in percent."""


async def profiled(bench: Bench, load: str, seconds: float) -> Shares:
    """The shares of one load."""
    name, gap_ms, job = LOADS[load]
    async with relay_and_server(bench, job.get("deltas", 20), gap_ms) as sides:
        stacks = bench.fresh() / "stacks"
        running = asyncio.create_task(
            bench.load(name, target=sides.ours, seconds=seconds + WARM_S + 1, **job)
        )
        await asyncio.sleep(WARM_S)
        await _recorded(sides.ours["pid"], seconds, stacks)
        await running
        return shares_of(stacks.read_text().splitlines())


def shares_of(lines: Iterable[str]) -> Shares:
    """Whose time py-spy's raw stacks (``frame;frame;… count``) were."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        found[_part_of(stack.split(";"))] += int(count)
    return {part: 100 * count / found.total() for part, count in found.most_common()}


def table_of(loads: Mapping[str, Shares]) -> str:
    """A column for each load, the parts in the order of the first."""
    parts = dict.fromkeys(part for shares in loads.values() for part in shares)
    lines = [["% of the interpreter's time", *loads]]
    for part in parts:
        lines.append([part, *(f"{shares.get(part, 0):.0f}" for shares in loads.values())])
    return markdown(lines, range(1, len(loads) + 1))


def _part_of(frames: list[str]) -> str:
    for frame in reversed(frames):
        for part, pattern in PARTS:
            if re.search(pattern, frame):
                return part
    return OTHER


async def _recorded(pid: int, seconds: float, stacks: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("py-spy", "record", "--pid", str(pid), "--gil", "--format", "raw", "--full-filenames"),
        *("--rate", "250", "--duration", str(round(seconds)), "--output", str(stacks)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"py-spy: {said.decode()}")


async def _all(loads: Iterable[str], seconds: float) -> dict[str, Shares]:
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder:
        bench = Bench(quick=True, folder=Path(folder))
        return {load: await profiled(bench, load, seconds) for load in loads}


def main() -> int:
    """Profile, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=f"of {', '.join(LOADS)}")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each [default: 8]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the shares there too")
    arguments = parser.parse_args()
    if unknown := set(arguments.loads) - set(LOADS):
        parser.error(f"no such load: {', '.join(sorted(unknown))}; there are {', '.join(LOADS)}")
    found = asyncio.run(_all(arguments.loads or list(LOADS), arguments.seconds))
    print(table_of(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
