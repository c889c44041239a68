"""What it costs that a service runs in another process: the log apart from all others."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, paired, percentile
from tests.proofs.bench.meshes import apart
from tests.proofs.bench.processes import ROOT, environment

CLIENTS = 10
DELTAS = 20
KINDS = {"list": "ListMessages", "post": "a post", "turn": "a turn"}
Results = Sequence[dict[str, Any]]


async def hop(bench: Bench) -> list[Figure]:
    """Calls, posts and turns in one process, and in two: in the clear, and with certificates."""
    async with (
        bench.model(DELTAS, 0) as model,
        bench.floor("unary") as bare,
        bench.floor(f"forward={bare.address}") as forward,
        bench.antiphon(model_url=model.line) as whole,
        apart(bench, model_url=model.line) as plain,
        apart(bench, model_url=model.line, certificates=await _certificates(bench)) as sealed,
    ):
        one = whole.target | {"parts": {"all": [whole.server.pid]}}
        ends = [
            bare.target | {"parts": {"all": [bare.pid]}},
            forward.target | {"parts": {"all": [bare.pid, forward.pid]}},
        ]

        async def of(target: dict[str, Any], *kinds: str) -> dict[str, Any]:
            seconds = bench.seconds / 3
            job = {"clients": CLIENTS, "seconds": seconds, "deltas": DELTAS, "kinds": kinds}
            return await bench.load("steps", target=target, **job)

        direct, forwarded, ours, clear, certified = await bench.in_turn(
            lambda: of(ends[0], "post"),
            lambda: of(ends[1], "post"),
            lambda: of(one, *KINDS),
            lambda: of(plain, *KINDS),
            lambda: of(sealed, *KINDS),
        )
    figures = [*compared("hop, bare: a call", "post", forwarded, direct)]
    for kind, name in KINDS.items():
        figures += compared(f"hop: {name}", kind, clear, ours)
        figures += compared(f"hop, certificates: {name}", kind, certified, ours)
    return figures


def compared(name: str, kind: str, farther: Results, nearer: Results) -> list[Figure]:
    """How long a call takes beside the nearer one, and what all processes use for it."""
    return [
        *(
            paired(
                f"{name}, p{percent}",
                "ms",
                took(farther, kind, percent),
                took(nearer, kind, percent),
            )
            for percent in (50, 99)
        ),
        paired(f"{name}, CPU", "ms", cpu(farther, kind), cpu(nearer, kind)),
    ]


def took(results: Results, kind: str, percent: float) -> list[float]:
    """A percentile of each round's durations, in milliseconds."""
    return [percentile(result[kind]["took_s"], percent) * 1000 for result in results]


def cpu(results: Results, kind: str, *parts: str) -> list[float]:
    """What these parts, or all, used for a call, in each round, in milliseconds."""
    return [
        sum(ms for part, ms in result[kind]["ms"].items() if part in parts or not parts)
        for result in results
    ]


async def _certificates(bench: Bench) -> Path:
    folder = bench.fresh() / "certificates"
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "antiphon_server", "certs", str(folder)),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await made.wait():
        raise RuntimeError("no certificates")
    return folder
