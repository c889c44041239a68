"""The logs in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from antiphon_server.events.adapters.fold import Span, fold_spans
from antiphon_server.events.adapters.missed_commits import MAX_MISSED_BYTES, to_read
from antiphon_server.events.model import (
    Append,
    Appended,
    Commit,
    Epoch,
    Head,
    Kind,
    Offset,
    Page,
    Record,
    Scope,
    new_epoch,
)
from antiphon_server.events.wire import placed
from antiphon_server.runtime.errors import DomainError, Reason


@dataclass(frozen=True, slots=True)
class _Row:
    first: Offset
    last: Offset
    time_us: int
    kind: int
    turn_id: str
    body: bytes


@dataclass(slots=True)
class _Log:
    epoch: Epoch = field(default_factory=new_epoch)
    last: int = 0
    earliest: int = 1
    rows: list[_Row] = field(default_factory=list)
    requests: dict[str, tuple[bytes, Offset, Offset, int]] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)


class MemoryLogStore:
    """A :class:`~antiphon_server.events.ports.LogStore` that forgets at the end."""

    def __init__(self) -> None:
        self._logs: dict[Scope, _Log] = {}

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        """See :meth:`LogStore.append`."""
        return [await self._folded(append, self._append(append)) for append in batch]

    async def _folded(
        self, append: Append, place: Appended | DomainError
    ) -> Appended | DomainError:
        if not append.fold or isinstance(place, DomainError) or place.duplicate:
            return place
        await self.fold(append.scope, append.fold)
        return replace(place, folded=True)

    def _append(self, append: Append) -> Appended | DomainError:
        log = self._log(append.scope)
        known = log.requests.get(append.request_id)
        if known is not None:
            if known[0] != append.digest:
                return DomainError(Reason.REQUEST_ID_REUSED, request_id=append.request_id)
            return Appended(log.epoch, known[1], known[2], known[3], duplicate=True)
        fence = append.fence
        if fence is not None:
            if fence.token < log.fences.get(fence.key, 0):
                return DomainError(Reason.FENCED, fence_key=fence.key)
            log.fences[fence.key] = fence.token
        first, last = Offset(log.last + 1), Offset(log.last + len(append.events))
        for offset, event in enumerate(append.events, first):
            place = Offset(offset)
            row = _Row(place, place, append.time_us, event.kind, event.turn_id, event.body)
            log.rows.append(row)
        log.last = last
        if append.request_id:
            log.requests[append.request_id] = (append.digest, first, last, append.time_us)
        return Appended(log.epoch, first, last, append.time_us)

    async def head(self, scope: Scope) -> Head:
        """See :meth:`LogStore.head`."""
        log = self._log(scope)
        return Head(log.epoch, Offset(log.last), Offset(log.earliest))

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        """See :meth:`LogStore.read`."""
        log = self._log(scope)
        matching = [r for r in log.rows if r.last > after and (not kinds or r.kind in kinds)]
        size = taken = 0
        for row in matching[:max_events]:
            size += len(row.body)
            if size > max_bytes and taken:
                break
            taken += 1
        records = _records(matching[:taken])
        if taken == len(matching) and taken < max_events:
            return Page(records, Offset(max(after, log.last)), at_head=True)
        return Page(records, records[-1].last, at_head=records[-1].last == log.last)

    async def commits_after(
        self, after: Mapping[Scope, Offset], max_events: int
    ) -> Sequence[Commit]:
        """See :meth:`LogStore.commits_after`."""
        logs = {scope: self._log(scope) for scope in after}
        behind = {scope: logs[scope].last - offset for scope, offset in after.items()}
        chosen = to_read(behind, max_events)
        commits, left = [], MAX_MISSED_BYTES
        for scope, log in logs.items():
            if behind[scope]:
                rows = []
                for row in log.rows if scope in chosen else ():
                    if row.last > after[scope] and (left := left - len(row.body)) >= 0:
                        rows.append(row)
                commits.append(Commit(scope, log.epoch, Offset(log.last), _records(rows)))
        return commits

    async def fold(self, scope: Scope, turn_id: str) -> int:
        """See :meth:`LogStore.fold`."""
        log = self._log(scope)
        deltas = {
            Span(row.first, row.last)
            for row in log.rows
            if row.turn_id == turn_id and row.kind == Kind.TEXT_DELTA
        }
        plan = fold_spans([Span(row.first, row.last) for row in log.rows], deltas)
        if plan.up_to is None:
            return 0
        firsts = {span.last: span.first for span in plan.widened}
        kept = [
            _Row(firsts.get(r.last, r.first), r.last, r.time_us, r.kind, r.turn_id, r.body)
            for r in log.rows
            if Span(r.first, r.last) not in deltas or r.last > plan.up_to
        ]
        removed = len(log.rows) - len(kept)
        log.rows = kept
        return removed

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        """See :meth:`LogStore.trim`."""
        log = self._log(scope)
        log.rows = [row for row in log.rows if row.last >= min(before, log.last + 1)]
        log.earliest = log.rows[0].first if log.rows else log.last + 1
        return Offset(log.earliest)

    async def forget_requests(self, before_us: int) -> int:
        """See :meth:`LogStore.forget_requests`."""
        forgotten = 0
        for log in self._logs.values():
            kept = {key: value for key, value in log.requests.items() if value[3] >= before_us}
            forgotten += len(log.requests) - len(kept)
            log.requests = kept
        return forgotten

    def _log(self, scope: Scope) -> _Log:
        return self._logs.setdefault(scope, _Log())


def _records(rows: Sequence[_Row]) -> Sequence[Record]:
    return [placed(r.kind, r.body, r.first, r.last, r.time_us) for r in rows]
