"""One transaction that commits many appends, with a fixed number of statements."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    literal_column,
    or_,
    select,
)

from antiphon_server.events.adapters.sql_redact import redact
from antiphon_server.events.adapters.sql_told import told_rows
from antiphon_server.events.adapters.tables import fences, log, requests, scopes, told
from antiphon_server.events.model import Append, Appended, Epoch, Kind, Offset, Scope, new_epoch
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert


def _scopes(places: range) -> ClauseElement:
    """Locks them in the order of their names, so that two nodes can't wait for each other.

    The lock makes commit order offset order.
    """
    return (
        select(
            scopes.c.id,
            scopes.c.scope,
            scopes.c.epoch,
            scopes.c.last_offset,
            scopes.c.noted_offset,
        )
        .where(scopes.c.scope.in_([bindparam(f"scope_{n}") for n in places]))
        .order_by(scopes.c.scope)
        .with_for_update()
    )


def _among(
    scope_id: Column[Any], key: Column[Any], places: range, *more: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether a row is one of the places' (scope number, key), and ``more``.

    One search of an index each: for a list of pairs SQLite reads the whole table.
    """
    return or_(
        *(
            and_(
                scope_id == bindparam(f"{scope_id.name}_{n}"),
                key == bindparam(f"{key.name}_{n}"),
                *more,
            )
            for n in places
        )
    )


def _requests(places: range) -> ClauseElement:
    return select(
        requests.c.scope_id,
        requests.c.request_id,
        requests.c.digest,
        requests.c.first_offset,
        requests.c.last_offset,
        requests.c.time_us,
    ).where(_among(requests.c.scope_id, requests.c.request_id, places))


def _fences(places: range) -> ClauseElement:
    return select(fences.c.scope_id, fences.c.key, fences.c.token).where(
        _among(fences.c.scope_id, fences.c.key, places)
    )


def _deltas(places: range) -> ColumnElement[bool]:
    is_delta = log.c.kind == literal_column(str(int(Kind.TEXT_DELTA)))
    return _among(log.c.scope_id, log.c.turn_id, places, is_delta)


def _deltas_of(places: range) -> ClauseElement:
    return (
        select(log.c.scope_id, log.c.turn_id, log.c.first_offset, log.c.last_offset)
        .where(_deltas(places))
        .order_by(log.c.scope_id, log.c.last_offset)
    )


_DELTAS = PreparedIn(_deltas_of)
_REMOVE_DELTAS = PreparedIn(lambda places: delete(log).where(_deltas(places)))
_SCOPES = PreparedIn(_scopes)
_REQUESTS = PreparedIn(_requests)
_FENCES = PreparedIn(_fences)
_CREATE = PreparedInsert(scopes, " ON CONFLICT DO NOTHING")
_ADD_EVENTS = PreparedInsert(log)
_ADD_REQUESTS = PreparedInsert(requests)
_ADD_TOLD = PreparedInsert(told, " ON CONFLICT DO NOTHING")
_SET_HEADS = PreparedInsert(
    scopes,
    " ON CONFLICT (id) DO UPDATE SET last_offset = excluded.last_offset, "
    "noted_offset = excluded.noted_offset",
)
_SET_FENCES = PreparedInsert(
    fences,
    " ON CONFLICT (scope_id, key) DO UPDATE SET token = excluded.token, time_us = excluded.time_us",
)


class Run(NamedTuple):
    """Offsets of deltas that follow one another; ``last`` is 0 if others are in between."""

    first: int
    last: int

    def then(self, first: int, last: int) -> "Run":
        """The run with a further delta."""
        return Run(self.first, last if first == self.last + 1 else 0)


class Appending:
    """The state of one such transaction: what was there, and what is to be written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[Scope, int] = {}
        self._epochs: dict[Scope, Epoch] = {}
        self._last: dict[Scope, int] = {}
        self._noted: dict[Scope, int] = {}
        self._new_told: list[dict[str, Any]] = []
        self._known: dict[tuple[int, str], tuple[bytes, Offset, Offset, int]] = {}
        self._tokens: dict[tuple[int, str], int] = {}
        self._raised: dict[tuple[int, str], int] = {}
        self._new_events: list[dict[str, Any]] = []
        self._new_requests: list[dict[str, Any]] = []
        self._moved: set[Scope] = set()
        self._runs: dict[tuple[int, str], Run] = {}
        self._folded: list[dict[str, Any]] = []

    def run(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        """Commit ``batch``; see :meth:`LogStore.append`."""
        self._load(batch)
        results = [self._append(append) for append in batch]
        self._store(batch[-1].time_us)
        return results

    def _load(self, batch: Sequence[Append]) -> None:
        names = sorted({append.scope for append in batch})
        self._load_scopes(names)
        missing = [new_scope(name) for name in names if name not in self._ids]
        if missing:
            _CREATE.run(self._connection, missing)
            self._load_scopes(names)
        asked = [
            {"scope_id": self._ids[append.scope], "request_id": append.request_id}
            for append in batch
            if append.request_id
        ]
        for scope_id, request_id, *known in _REQUESTS.rows(self._connection, asked):
            self._known[scope_id, request_id] = (known[0], known[1], known[2], known[3])
        guarded = [
            {"scope_id": self._ids[append.scope], "key": append.fence.key}
            for append in batch
            if append.fence
        ]
        for scope_id, key, token in _FENCES.rows(self._connection, guarded):
            self._tokens[scope_id, key] = token
        ending = [
            {"scope_id": self._ids[append.scope], "turn_id": append.fold}
            for append in batch
            if append.fold
        ]
        for scope_id, turn_id, first, last in _DELTAS.rows(self._connection, ending):
            run = self._runs.get((scope_id, turn_id))
            self._runs[scope_id, turn_id] = run.then(first, last) if run else Run(first, last)

    def _load_scopes(self, names: Sequence[Scope]) -> None:
        wanted = [{"scope": name} for name in names]
        for scope_id, scope, epoch, last, noted in _SCOPES.rows(self._connection, wanted):
            self._ids[scope], self._epochs[scope], self._last[scope] = scope_id, epoch, last
            self._noted[scope] = noted

    def _append(self, append: Append) -> Appended | DomainError:
        scope_id = self._ids[append.scope]
        known = self._known.get((scope_id, append.request_id))
        if known is not None:
            digest, first, last, time_us = known
            if digest != append.digest:
                return DomainError(Reason.REQUEST_ID_REUSED, request_id=append.request_id)
            return Appended(self._epochs[append.scope], first, last, time_us, duplicate=True)
        if append.fence is not None and not self._pass(scope_id, append):
            return DomainError(Reason.FENCED, fence_key=append.fence.key)
        if append.redaction is not None:
            redact(self._connection, scope_id, append.redaction)
        return self._place(scope_id, append)

    def _pass(self, scope_id: int, append: Append) -> bool:
        assert append.fence is not None
        key, token = (scope_id, append.fence.key), append.fence.token
        highest = self._tokens.get(key, 0)
        if token > highest:
            self._tokens[key] = self._raised[key] = token
        return token >= highest

    def _place(self, scope_id: int, append: Append) -> Appended:
        before = self._last[append.scope]
        folding = self._folding(scope_id, append, before) if append.fold else None
        start, hidden = folding or (before + 1, 0)
        for offset, event in enumerate(append.events[hidden:], before + 1 + hidden):
            self._new_events.append(
                {
                    "scope_id": scope_id,
                    "last_offset": offset,
                    "first_offset": start,
                    "time_us": append.time_us,
                    "kind": event.kind,
                    "turn_id": event.turn_id,
                    "body": event.body,
                }
            )
            start = offset + 1
        first, last = Offset(before + 1), Offset(before + len(append.events))
        self._last[append.scope] = last
        self._new_told += told_rows(scope_id, before + 1, append.events)
        if self._noted[append.scope] == before:  # else what is missing is noted with this, later
            self._noted[append.scope] = last
        self._moved.add(append.scope)
        if append.request_id:
            self._known[scope_id, append.request_id] = (
                append.digest,
                first,
                last,
                append.time_us,
            )
            self._new_requests.append(
                {
                    "scope_id": scope_id,
                    "request_id": append.request_id,
                    "digest": append.digest,
                    "first_offset": first,
                    "last_offset": last,
                    "time_us": append.time_us,
                }
            )
        folded = folding is not None
        return Appended(self._epochs[append.scope], first, last, append.time_us, folded=folded)

    def _folding(self, scope_id: int, append: Append, before: int) -> tuple[int, int] | None:
        """Where the first event that stays begins, and how many deltas in front of it go.

        None if the turn's deltas are not all right before its end.
        """
        kinds = [event.kind == Kind.TEXT_DELTA for event in append.events]
        hidden = kinds.index(False) if False in kinds else len(kinds)
        run = self._runs.get((scope_id, append.fold), Run(before + 1, before))
        if append.scope in self._moved or any(kinds[hidden:]) or all(kinds) or run.last != before:
            return None
        if run.first <= before:
            self._folded.append({"scope_id": scope_id, "turn_id": append.fold})
        return run.first, hidden

    def _store(self, time_us: int) -> None:
        _REMOVE_DELTAS.run(self._connection, self._folded)
        _ADD_EVENTS.run(self._connection, self._new_events)
        _ADD_REQUESTS.run(self._connection, self._new_requests)
        _ADD_TOLD.run(self._connection, self._new_told)
        heads = [
            _head(self._ids[name], name, self._epochs[name], self._last[name], self._noted[name])
            for name in self._moved
        ]
        _SET_HEADS.run(self._connection, heads)
        raised = [
            {"scope_id": scope_id, "key": key, "token": token, "time_us": time_us}
            for (scope_id, key), token in self._raised.items()
        ]
        _SET_FENCES.run(self._connection, raised)


def new_scope(name: Scope) -> dict[str, Any]:
    """The row of a scope whose log is empty."""
    return {"scope": name, "epoch": new_epoch(), "last_offset": 0, "earliest_offset": 1}


def _head(scope_id: int, name: Scope, epoch: Epoch, last: int, noted: int) -> dict[str, Any]:
    """A row that is there, with its new head; the rest of it is not written."""
    row = {"id": scope_id, "scope": name, "epoch": epoch}
    return row | {"last_offset": last, "earliest_offset": 1, "noted_offset": noted}
