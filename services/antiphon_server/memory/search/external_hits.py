"""What a memory of others has found, joined with what the server's own index has.

Of its answer the order counts, of ids that are in use here, in what the asker may read and asked
for. A memory that it puts first is worth half of what the best of the index is, one behind it
less and less. So what fits both ways comes first, what the index has not found has a place, and
however it answers, it moves nothing in front of the index's best that the index has not found.
"""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from antiphon_server.memory.external.asking import Asked, Asking
from antiphon_server.memory.external.model import MOST_HITS, MOST_SCOPES, Hit, Question
from antiphon_server.memory.memories.sources import Sources
from antiphon_server.memory.model import MessageHit, RecallWish
from antiphon_server.memory.ports import MemoryStore
from antiphon_server.memory.remembered import Kind, Memory, State
from antiphon_server.memory.search.recalled import Recalled, by_score
from antiphon_server.memory.search.shelf import KINDS
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding.token_estimate import tokens_of_text

PART = "external"
SHARE = 0.5
PLACES = 10
"""At the place of this number it is worth half as much as at the first."""


class ExternalHits:
    """Asks it for somebody, and joins what it says."""

    def __init__(
        self,
        asking: Asking,
        store: MemoryStore,
        sources: Sources,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._asking, self._store, self._sources, self._clock = asking, store, sources, clock

    @asynccontextmanager
    async def asked(self, wish: RecallWish, scopes: Sequence[str]) -> AsyncIterator[Asked | None]:
        """It is being asked within, for memories of these scopes; None if there are none."""
        if not scopes:
            yield None
            return
        question = Question(
            wish.query,
            scopes[:MOST_SCOPES],
            min(2 * wish.limit, MOST_HITS),
            [kind for kind, name in KINDS.items() if name in wish.kinds],
            wish.not_before_us,
            wish.before_us,
        )
        async with self._asking.asked(question) as asking:
            yield asking

    async def joined(
        self,
        principal: Principal,
        wish: RecallWish,
        scopes: Collection[str],
        found: Sequence[Recalled],
        hits: Sequence[Hit],
    ) -> Sequence[Recalled]:
        """What the index has found, and what it has, in one order."""
        places = {it.memory_id: place for place, it in enumerate(hits)}
        known = {it.item.memory_id: it.item for it in found if isinstance(it.item, Memory)}
        new = await self._readable(wish, scopes, [it for it in places if it not in known])
        self._count(hits, {**known, **new})
        best = max((it.score for it in found), default=0.0)
        worth = SHARE * best if best > 0 else SHARE
        shown = await self._sources.shown(principal, new.values())
        listed = [*found, *(Recalled(it, 0.0, {}, tokens_of_text(it.text)) for it in shown)]
        return sorted((_moved(it, places, worth) for it in listed), key=by_score)

    async def _readable(
        self, wish: RecallWish, scopes: Collection[str], memory_ids: Sequence[str]
    ) -> Mapping[str, Memory]:
        """Those of them that may be shown, as they are here."""
        if not memory_ids:
            return {}
        inside, now_us = frozenset(scopes), int(self._clock() * 1e6)
        there = await self._store.those(memory_ids)
        return {
            memory_id: it
            for memory_id, it in there.items()
            if it.scope in inside
            and it.state is State.ACTIVE
            and not it.expired(now_us)
            and _is_wanted(it, wish)
        }

    def _count(self, hits: Sequence[Hit], there: Mapping[str, Memory]) -> None:
        for hit in hits:
            memory = there.get(hit.memory_id)
            if memory is None:
                self._asking.dropped += 1
            elif hit.text and hit.text != memory.text:
                self._asking.altered += 1


def _is_wanted(memory: Memory, wish: RecallWish) -> bool:
    """Whether it is within what was asked for, as the index has it."""
    time_us = memory.create_us if memory.valid_from_us is None else memory.valid_from_us
    return (
        (not wish.kinds or KINDS.get(memory.kind, KINDS[Kind.NOTE]) in wish.kinds)
        and (not wish.people or memory.subject in wish.people)
        and (not wish.not_before_us or time_us >= wish.not_before_us)
        and (not wish.before_us or time_us < wish.before_us)
    )


def _moved(it: Recalled, places: Mapping[str, int], worth: float) -> Recalled:
    """With the part that its place is worth."""
    if isinstance(it.item, MessageHit) or it.item.memory_id not in places:
        return it
    part = worth * PLACES / (PLACES + places[it.item.memory_id])
    return replace(it, score=it.score + part, parts={**it.parts, PART: part})
