"""One transaction that commits many appends, with a fixed number of statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from antiphon_server.events.adapters.tables import fences, log, requests, scopes
from antiphon_server.events.model import Append, Appended, Epoch, Offset, Scope, new_epoch
from antiphon_server.runtime.errors import DomainError, Reason

# Locked in the order of their names, so that two nodes can't wait for each other; the
# lock makes commit order offset order.
_SCOPES = (
    select(scopes.c.id, scopes.c.scope, scopes.c.epoch, scopes.c.last_offset)
    .where(scopes.c.scope.in_(bindparam("scopes", expanding=True)))
    .order_by(scopes.c.scope)
    .with_for_update()
)
_REQUESTS = select(
    requests.c.scope_id,
    requests.c.request_id,
    requests.c.digest,
    requests.c.first_offset,
    requests.c.last_offset,
).where(
    requests.c.scope_id.in_(bindparam("scope_ids", expanding=True)),
    requests.c.request_id.in_(bindparam("request_ids", expanding=True)),
)
_FENCES = select(fences.c.scope_id, fences.c.key, fences.c.token).where(
    fences.c.scope_id.in_(bindparam("scope_ids", expanding=True)),
    fences.c.key.in_(bindparam("keys", expanding=True)),
)
_CREATE = insert(scopes).values(last_offset=0, earliest_offset=1)
_SET_HEAD = (
    update(scopes)
    .where(scopes.c.id == bindparam("b_id"))
    .values(last_offset=bindparam("b_last_offset"))
)
_RAISE_FENCE = (
    update(fences)
    .where(fences.c.scope_id == bindparam("b_scope_id"), fences.c.key == bindparam("b_key"))
    .values(token=bindparam("b_token"), time_us=bindparam("b_time_us"))
)
_ADD_EVENT = insert(log)
_ADD_REQUEST = insert(requests)
_ADD_FENCE = insert(fences)


class Appending:
    """The state of one such transaction: what was there, and what is to be written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[Scope, int] = {}
        self._epochs: dict[Scope, Epoch] = {}
        self._last: dict[Scope, int] = {}
        self._known: dict[tuple[int, str], tuple[bytes, Offset, Offset]] = {}
        self._tokens: dict[tuple[int, str], int] = {}
        self._stored_fences: set[tuple[int, str]] = set()
        self._raised: dict[tuple[int, str], int] = {}
        self._new_events: list[dict[str, Any]] = []
        self._new_requests: list[dict[str, Any]] = []
        self._moved: set[Scope] = set()

    def run(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        """Commit ``batch``; see :meth:`LogStore.append`."""
        self._load(batch)
        results = [self._append(append) for append in batch]
        self._store(batch[-1].time_us)
        return results

    def _load(self, batch: Sequence[Append]) -> None:
        names = sorted({append.scope for append in batch})
        self._load_scopes(names)
        missing = [{"scope": n, "epoch": new_epoch()} for n in names if n not in self._ids]
        if missing:
            self._connection.execute(_CREATE, missing)
            self._load_scopes(names)
        scope_ids = list(self._ids.values())
        request_ids = [append.request_id for append in batch if append.request_id]
        if request_ids:
            bound = {"scope_ids": scope_ids, "request_ids": request_ids}
            for scope_id, request_id, digest, first, last in self._connection.execute(
                _REQUESTS, bound
            ):
                self._known[scope_id, request_id] = (digest, first, last)
        keys = [append.fence.key for append in batch if append.fence]
        if keys:
            bound = {"scope_ids": scope_ids, "keys": keys}
            for scope_id, key, token in self._connection.execute(_FENCES, bound):
                self._tokens[scope_id, key] = token
            self._stored_fences.update(self._tokens)

    def _load_scopes(self, names: Sequence[Scope]) -> None:
        for scope_id, scope, epoch, last in self._connection.execute(_SCOPES, {"scopes": names}):
            self._ids[scope], self._epochs[scope], self._last[scope] = scope_id, epoch, last

    def _append(self, append: Append) -> Appended | DomainError:
        scope_id = self._ids[append.scope]
        known = self._known.get((scope_id, append.request_id))
        if known is not None:
            digest, first, last = known
            if digest != append.digest:
                return DomainError(Reason.REQUEST_ID_REUSED, request_id=append.request_id)
            return Appended(self._epochs[append.scope], first, last, duplicate=True)
        if append.fence is not None and not self._pass(scope_id, append):
            return DomainError(Reason.FENCED, fence_key=append.fence.key)
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
        for offset, event in enumerate(append.events, before + 1):
            self._new_events.append(
                {
                    "scope_id": scope_id,
                    "last_offset": offset,
                    "first_offset": offset,
                    "time_us": append.time_us,
                    "kind": event.kind,
                    "turn_id": event.turn_id,
                    "body": event.body,
                }
            )
        first, last = Offset(before + 1), Offset(before + len(append.events))
        self._last[append.scope] = last
        self._moved.add(append.scope)
        if append.request_id:
            self._known[scope_id, append.request_id] = (append.digest, first, last)
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
        return Appended(self._epochs[append.scope], first, last)

    def _store(self, time_us: int) -> None:
        if self._new_events:
            self._connection.execute(_ADD_EVENT, self._new_events)
        heads = [{"b_id": self._ids[s], "b_last_offset": self._last[s]} for s in self._moved]
        if heads:
            self._connection.execute(_SET_HEAD, heads)
        if self._new_requests:
            self._connection.execute(_ADD_REQUEST, self._new_requests)
        self._store_fences(time_us)

    def _store_fences(self, time_us: int) -> None:
        new = [
            {"scope_id": scope_id, "key": key, "token": token, "time_us": time_us}
            for (scope_id, key), token in self._raised.items()
        ]
        known = [f for f in new if (f["scope_id"], f["key"]) in self._stored_fences]
        unknown = [f for f in new if (f["scope_id"], f["key"]) not in self._stored_fences]
        if known:
            renamed = [{f"b_{name}": value for name, value in f.items()} for f in known]
            self._connection.execute(_RAISE_FENCE, renamed)
        if unknown:
            self._connection.execute(_ADD_FENCE, unknown)
