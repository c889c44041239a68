"""Security events in memory."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from antiphon_server.auth.model.chain import NOTHING, Head, SealedEvent, Selection
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from tests.fakes.memory.auth.requests import MemoryRequests

T = TypeVar("T")


class MemorySecurityEvents:
    """A :class:`~antiphon_server.auth.ports.security_events.SecurityEventStore` in memory."""

    def __init__(self, requests: MemoryRequests) -> None:
        self._requests = requests
        self.events: list[SealedEvent] = []

    def record(self, records: Records[T], outcome: T) -> T:
        """Add what tells of an act, and return what came of it.

        Stores call it before they assign anything: what can't be recorded does not happen.
        """
        self.events.extend(records(outcome, self._head))
        return outcome

    async def append(self, records: Records[None], answer: Answer | None = None) -> None:
        """See :meth:`SecurityEventStore.append`."""
        self._requests.check(answer)
        self.record(records, None)
        self._requests.remember(answer)

    async def after(self, sequence: int, which: Selection, limit: int) -> Sequence[SealedEvent]:
        """See :meth:`SecurityEventStore.after`."""
        return _first(self.events[sequence:], which, limit)

    async def before(
        self, sequence: int | None, which: Selection, limit: int
    ) -> Sequence[SealedEvent]:
        """See :meth:`SecurityEventStore.before`."""
        last = len(self.events) if sequence is None else max(sequence - 1, 0)
        return _first(reversed(self.events[:last]), which, limit)

    async def head(self) -> Head:
        """See :meth:`SecurityEventStore.head`."""
        return self._head()

    def _head(self) -> Head:
        return Head(self.events[-1].sequence, self.events[-1].hash) if self.events else NOTHING


def _first(events: Iterable[SealedEvent], which: Selection, limit: int) -> list[SealedEvent]:
    return list(islice((event for event in events if _wanted(event, which)), limit))


def _wanted(event: SealedEvent, which: Selection) -> bool:
    begin, end, whose = which.begin_time, which.end_time, which.user_id
    return (
        (not whose or event.user_id == whose or event.actor == f"users/{whose}")
        and (not which.kinds or event.kind in which.kinds)
        and (begin is None or event.create_time >= begin)
        and (end is None or event.create_time < end)
    )
