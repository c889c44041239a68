"""Answers are masked by the filters that look at them, as they stand when a turn begins."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from antiphon.context.v1 import filter_pb2
from antiphon.context.v1 import filter_service_pb2 as pb
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon_server.dispatcher.masking_room import Mask, Masking, Turn
from antiphon_server.filters.encoding import filter_of, screening_message
from antiphon_server.filters.finding.cutting import merged
from antiphon_server.filters.finding.model import Bounded, Found
from antiphon_server.filters.finding.searching import Search
from antiphon_server.filters.kinds import masking_finders
from antiphon_server.filters.leaving import SHORT, left
from antiphon_server.filters.masking.masker import Masker
from antiphon_server.filters.model import (
    MOST_CATEGORIES,
    Action,
    Filter,
    Origin,
    Room,
    Screening,
    Stage,
    Verdict,
)
from antiphon_server.filters.reading import HERE_S
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

TIMEOUT_S = 10.0
ROOM = 256
"""Bytes for which each field that is masked as a whole has room; longer ones may have none left."""
_MARKED_END = re.compile(r"\[[a-z][a-z0-9_.-]*\]\s*\Z")
MOST_READY = 64
"""So many workspaces' finders are kept ready."""


class AnswerMasks:
    """See :class:`~antiphon_server.dispatcher.masking.Masks`."""

    def __init__(self, internal: grpc.aio.Channel) -> None:
        self._filters: FilterServiceAsyncStub = FilterServiceStub(internal)
        self._ready: LruCache[tuple[str, int], Sequence[_Eye]] = LruCache(MOST_READY)

    async def of(self, turn: Turn) -> Masking | None:
        """See :meth:`Masks.of`."""
        request = pb.GetAnswerFiltersRequest(workspace_id=turn.workspace_id)
        with remote_errors("context"):
            response = await self._filters.GetAnswerFilters(request, timeout=TIMEOUT_S)
        eyes = [eye for it in response.filters for eye in self._eyes(it)]
        return TurnMasking(turn, eyes, self._filters) if eyes else None

    def _eyes(self, filters: filter_pb2.Filters) -> "Sequence[_Eye]":
        key = filters.parent, filters.revision
        ready = self._ready.get(key)
        if ready is None:
            found = map(filter_of, filters.filters)
            ready = [_Eye(filters.parent, it, _finders(it)) for it in found]
            self._ready.put(key, ready)
        return ready


def _finders(it: Filter) -> Sequence[Bounded]:
    """Raises DomainError FILTER_UNAVAILABLE where it can't look here, and fails closed."""
    if not it.known and not it.fails_open:
        raise DomainError(Reason.FILTER_UNAVAILABLE, filter=it.name)
    return masking_finders(it.kind)


@dataclass(frozen=True, slots=True)
class _Eye:
    parent: str
    filter: Filter
    finders: Sequence[Bounded]


class TurnMasking:
    """See :class:`~antiphon_server.dispatcher.masking.Masking`."""

    def __init__(self, turn: Turn, eyes: Sequence[_Eye], filters: "FilterServiceAsyncStub") -> None:
        self._turn, self._eyes, self._filters = turn, eyes, filters
        self._screening_id = new_id("scr")
        self._counts = [Counter[str]() for _ in eyes]

    def begin(self, shown: str) -> Mask:
        """See :meth:`Masking.begin`."""
        eyes = zip(self._eyes, self._counts, strict=True)
        return _Masks([Masker(it.finders, shown, counts) for it, counts in eyes])

    def may_follow(self, shown: str) -> bool:
        """See :meth:`Masking.may_follow`: what was masked at the very end may go on."""
        return _MARKED_END.search(shown) is None

    async def whole(self, texts: Sequence[str]) -> Sequence[str]:
        """See :meth:`Masking.whole`."""
        room = Room([max(ROOM, len(it.encode())) for it in texts])
        for eye, counts in zip(self._eyes, self._counts, strict=True):
            if found := await _found(texts, eye.finders):
                counts.update(it.category for it in merged(found))
                texts = left(texts, found, room) or [SHORT] * len(texts)
        return texts

    async def close(self) -> None:
        """See :meth:`Masking.close`."""
        verdicts = tuple(self._verdicts())
        if not verdicts:
            return
        message = screening_message(self._screening(verdicts))
        with remote_errors("context"):
            request = pb.RecordScreeningRequest(screening=message)
            await self._filters.RecordScreening(request, timeout=TIMEOUT_S)

    def _verdicts(self) -> Sequence[Verdict]:
        found = []
        for eye, counts in zip(self._eyes, self._counts, strict=True):
            if counts:
                categories = tuple(sorted(counts))[:MOST_CATEGORIES]
                name, total = eye.filter.name, counts.total()
                found.append(Verdict(eye.parent, name, Action.SANITISE, categories, total))
        return found

    def _screening(self, verdicts: tuple[Verdict, ...]) -> Screening:
        turn = self._turn
        where = turn.workspace_id, turn.conversation_id
        origin = Origin(*where, Stage.ANSWER, turn.creator, turn.turn_id)
        return Screening(self._screening_id, origin, Action.SANITISE, False, verdicts, 0)


async def _found(texts: Sequence[str], finders: Sequence[Bounded]) -> Sequence[Found]:
    """All that is in them; others run between two moments of it."""
    search = Search(texts, finders)
    while True:
        if search.go_on(HERE_S):
            return search.found()
        await asyncio.sleep(0)


@dataclass(slots=True)
class _Masks:
    """One masker behind the other: each looks at what those before it show."""

    maskers: Sequence[Masker]

    def feed(self, text: str) -> str:
        for it in self.maskers:
            text = it.feed(text)
        return text

    def end(self, text: str = "") -> str:
        for it in self.maskers:
            text = it.end(text)
        return text
