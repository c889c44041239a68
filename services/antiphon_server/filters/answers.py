"""Answers are masked by the filters that look at them, as they stand when a turn begins."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from antiphon.context.v1 import filter_service_pb2 as pb
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon_server.dispatcher.masking_room import Mask, Masking, Turn
from antiphon_server.filters.encoding import filter_of, screening_message
from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.model import Bounded
from antiphon_server.filters.finding.searching import found_in
from antiphon_server.filters.kinds import masking_finders
from antiphon_server.filters.masking.masker import Masker
from antiphon_server.filters.model import (
    MOST_CATEGORIES,
    Action,
    Filter,
    Origin,
    Screening,
    Stage,
    Verdict,
)
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

TIMEOUT_S = 10.0
ROOM = 256
"""Bytes for which each field that is masked as a whole has room; longer ones may have none left."""
_SHORT = "*"
MOST_READY = 64
"""So many filters' finders are kept ready."""


class AnswerMasks:
    """See :class:`~antiphon_server.dispatcher.masking.Masks`."""

    def __init__(self, internal: grpc.aio.Channel) -> None:
        self._filters: FilterServiceAsyncStub = FilterServiceStub(internal)
        self._ready: LruCache[Filter, Sequence[Bounded]] = LruCache(MOST_READY)

    async def of(self, turn: Turn) -> Masking | None:
        """See :meth:`Masks.of`."""
        request = pb.GetAnswerFiltersRequest(workspace_id=turn.workspace_id)
        with remote_errors("context"):
            response = await self._filters.GetAnswerFilters(request, timeout=TIMEOUT_S)
        eyes = [
            _Eye(it.parent, one, self._finders(one))
            for it in response.filters
            for one in map(filter_of, it.filters)
        ]
        return TurnMasking(turn, eyes, self._filters) if eyes else None

    def _finders(self, one: Filter) -> Sequence[Bounded]:
        ready = self._ready.get(one)
        if ready is None:
            ready = masking_finders(one.kind)
            self._ready.put(one, ready)
        return ready


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

    def whole(self, text: str) -> str:
        """See :meth:`Masking.whole`."""
        mask = self.begin("")
        shown = mask.feed(text) + mask.end()
        if len(shown.encode()) <= max(ROOM, len(text.encode())):
            return shown
        for eye in self._eyes:
            text = cut([text], found_in([text], eye.finders), _SHORT)[0]
        return text

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


@dataclass(slots=True)
class _Masks:
    """One masker behind the other: each looks at what those before it show."""

    maskers: Sequence[Masker]

    def feed(self, text: str) -> str:
        for it in self.maskers:
            text = it.feed(text)
        return text

    def end(self) -> str:
        text = ""
        for it in self.maskers:
            text = it.feed(text) + it.end()
        return text
