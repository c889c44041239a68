"""What detectors cost each message: uv run python -m tests.proofs.bench.watching_cost."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from antiphon_server.anomalies.adapters.sql_detectors import sql_detectors
from antiphon_server.anomalies.adapters.sql_elsewhere import SqlElsewhere
from antiphon_server.anomalies.adapters.sql_flags import SqlFlags
from antiphon_server.anomalies.adapters.tables import flags
from antiphon_server.anomalies.compose import ComposedWatching
from antiphon_server.anomalies.detecting import Detecting
from antiphon_server.anomalies.fetching import Fetching
from antiphon_server.anomalies.model import Detector
from antiphon_server.anomalies.sharing import Sharing
from antiphon_server.anomalies.throttling import Throttles
from antiphon_server.anomalies.watching import Detectors, Watching
from antiphon_server.context.watching_room import Speaking
from antiphon_server.runtime.encoding.fingerprints import fingerprint
from antiphon_server.runtime.revisions.model import GLOBAL
from tests.fakes.databases import IN_MEMORY, sqlite_in
from tests.proofs.anomalies.running import DETECTORS, Everything, Ledger, Nothing

ROUNDS, MESSAGES, USERS = 20, 1_000, 1_000
MOST_US = 50.0
# More than a fingerprint looks at.
_WORDS = "My train was cancelled, and nobody at the desk could say who pays for the night in Lyon. "
_NONE = cast(Any, None)
"""Serves RPCs and the trail, which no message meets."""


@asynccontextmanager
async def room(detectors: Sequence[Detector]) -> AsyncIterator[ComposedWatching]:
    """What context tells of each message, with these detectors for all workspaces."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        async with sqlite_in(Path(folder) / "flags.db", flags.metadata) as database:
            stand = Detectors("detectors", sql_detectors(database), Detecting)
            store = SqlFlags(database)
            throttles = Throttles(Everything(), lambda: time.time_ns() // 1000)
            watching = Watching(stand, store, throttles, time.time)
            fetching = Fetching(stand, watching, Ledger(), Nothing(), None, time.time)
            elsewhere = SqlElsewhere(database)
            sharing = Sharing(stand, watching, elsewhere, time.time)
            parts = stand, watching, throttles, fetching, sharing, elsewhere, store
            if detectors:
                await stand.set(GLOBAL, detectors, "", None)
            yield ComposedWatching(*parts, _NONE, _NONE, shared=True)
            await stand.close()


async def costs_us() -> dict[str, float]:
    """Microseconds of processor time a message, medians of rounds, of each step by its name."""
    async with room([]) as without, room(DETECTORS) as with_all, room(DETECTORS) as other:
        found: dict[str, list[float]] = {it: [] for it in ("none", "told", "seen", "shared")}
        for number in range(ROUNDS):
            texts = [f"{_WORDS * 6}{number}.{it}" for it in range(MESSAGES)]
            found["none"].append(_timed(partial(_say, without, texts)))
            found["told"].append(_timed(partial(_say, with_all, texts)))
            began = time.process_time()
            await with_all.watching.see_all()
            found["seen"].append((time.process_time() - began) / MESSAGES * 1e6)
            began = time.process_time()
            await with_all.sharing.exchange()
            await other.sharing.exchange()
            found["shared"].append((time.process_time() - began) / MESSAGES * 1e6)
    return {name: statistics.median(it) for name, it in found.items()}


def whole_us(costs: Mapping[str, float]) -> float:
    """What a message costs where all kinds of detectors stand."""
    return costs["told"] + costs["seen"] + costs["shared"]


def _say(it: ComposedWatching, texts: Sequence[str]) -> None:
    """As context does it for each message."""
    for number, text in enumerate(texts):
        user, where = f"users/user_{number % USERS:08d}", f"conv_{number % USERS:08d}"
        closely = it.stand("ws_00000001")
        digest = fingerprint([text]) if closely else 0
        it.said(Speaking(user, "sess_00000001", where, "ws_00000001", digest, len(text)))


def _timed(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / MESSAGES * 1e6


if __name__ == "__main__":
    costs = asyncio.run(costs_us())
    print(json.dumps({name: round(it, 1) for name, it in costs.items()}))
    print(f"detectors: {whole_us(costs):.1f} us a message, at most {MOST_US:.0f}")
