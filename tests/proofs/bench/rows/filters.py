"""How long all built-in filters take for a message of 8 KB, one after the other."""

import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import cycle, islice

from antiphon_server.filters.chain import Chain
from antiphon_server.filters.eyes import Eyes
from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.kinds import finders
from antiphon_server.filters.model import (
    Action,
    Filter,
    Injection,
    Kind,
    Origin,
    Payload,
    PersonalData,
    Repetition,
    Screened,
    Secrets,
    Stage,
    Terms,
)
from tests.filters.corpus import ATTACKS, HARMLESS, LONG, REGIONS
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, median, percentile

SIZE = 8 * 1024
MOST_MS = at_most(25, of_floor=False)
TERMS = Terms(tuple(f"prohibited{at}" for at in range(1000)), ("verboten",))
LOOKING: Sequence[Kind] = (Secrets(), PersonalData(regions=REGIONS), TERMS, Payload(), Repetition())
ORIGIN = Origin("ws_00000001", "conv_00000001", Stage.MESSAGE, "users/user_00000001")
MODEL = "stackone_defender"


def _mixed(texts: Sequence[str]) -> str:
    """As many of them, behind each other, as 8 KB are."""
    joined = "\n".join(islice(cycle(texts), len(texts) * 200))
    return joined.encode()[:SIZE].decode(errors="ignore")


MESSAGES: Mapping[str, Sequence[str]] = {
    "prose": [LONG[:SIZE]],
    "32 parts of prose": [LONG[at * 256 : at * 256 + 256] for at in range(32)],
    "what is harmless": [_mixed([part for it in HARMLESS for part in it.parts if len(part) < 999])],
    "attacks": [_mixed([part for it in ATTACKS for part in it.parts if len(part) < 999])],
    "digits": [_mixed([f"{it * 7919 % 10_000:04} " for it in range(999)])],
    "half an address, again and again": [("a@" * SIZE)[:SIZE]],
}
"""Messages of 8 KB: what people say, and what takes longest."""


class _Nobody:
    async def ask(self, tool: str, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        raise NotImplementedError


async def filters(bench: Bench) -> list[Figure]:
    """A look at each kind of message, by all; and by the model, too, if it is there."""
    chain, times = _chain(LOOKING), 300 if bench.quick else 1000
    figures = [
        figure
        for name, texts in MESSAGES.items()
        for figure in await _took(f"filters: 8 KB, {name}", chain, texts, times)
    ]
    if find_spec(MODEL) is None:
        return figures
    prose, judged = MESSAGES["prose"], _chain([*LOOKING, Injection()])
    return figures + await _took("filters: 8 KB, prose, and the model", judged, prose, times // 5)


def _chain(kinds: Sequence[Kind]) -> Chain:
    """That lets all pass: so each of them looks."""
    them = [Filter(f"filter-{at}", Action.FLAG, it) for at, it in enumerate(kinds)]
    return Chain(ORIGIN.workspace_id, 1, them, Eyes(finders, _Nobody()))


async def _took(name: str, chain: Chain, texts: Sequence[str], times: int) -> list[Figure]:
    """How long a look takes, and of the processor, which others on the machine don't change."""
    took, used = list[float](), list[float]()
    for _ in range(times + 20):
        began, busy = time.perf_counter(), time.process_time()
        await chain.screen(Screened(texts), ORIGIN)
        used.append((time.process_time() - busy) * 1000)
        took.append((time.perf_counter() - began) * 1000)
    took, used = took[20:], used[20:]  # what is made at first use is not in it
    return [
        Figure(f"{name}, p50", median(took), "ms"),
        Figure(f"{name}, p99", percentile(took, 99), "ms", target=MOST_MS),
        Figure(f"{name}, p99, processor", percentile(used, 99), "ms", target=MOST_MS),
    ]
