"""The log keeps its promises through any sequence of calls; one that does not is caught."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import log, scopes
from antiphon_server.events.hub import Hub
from antiphon_server.events.model import (
    Append,
    Appended,
    Epoch,
    Folded,
    Head,
    Offset,
    Page,
    Record,
    Scope,
)
from antiphon_server.runtime.errors import DomainError
from tests.proofs.properties.log_machine import LogMachine
from tests.proofs.properties.machine import caught, check


def test_the_log_keeps_its_promises() -> None:
    """In order, without a hole, each once; what is gone is said."""
    check(LogMachine, examples=20)


class Forgetful(SqlLogStore):
    """Knows no request id."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await super().append([replace(one, request_id="") for one in batch])


class Unfenced(SqlLogStore):
    """Lets every writer in."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await super().append([replace(one, fence=None) for one in batch])


class Silent(SqlLogStore):
    """Never says that something was trimmed away."""

    async def head(self, scope: Scope) -> Head:
        return replace(await super().head(scope), earliest=Offset(1))


class Holed(SqlLogStore):
    """Folds without handing on the places."""

    async def fold(self, scope: Scope, turn_id: str) -> Folded:
        folded = await super().fold(scope, turn_id)
        unplaced = update(log).values(first_offset=log.c.last_offset)
        await self._database.write(lambda connection: connection.execute(unplaced))
        return folded


class Greedy(SqlLogStore):
    """Trims one event too many."""

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        earliest = await super().trim(scope, before)
        of_scope = select(scopes.c.id).where(scopes.c.scope == scope).scalar_subquery()
        next_one = delete(log).where(log.c.scope_id == of_scope, log.c.first_offset == earliest)
        await self._database.write(lambda connection: connection.execute(next_one))
        return earliest


class Repeating(SqlLogStore):
    """Reads from one place too early."""

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        return await super().read(scope, Offset(max(after - 1, 0)), max_events, max_bytes, kinds)


class Ageless(SqlLogStore):
    """Keeps its epoch when it is lost."""

    async def head(self, scope: Scope) -> Head:
        return replace(await super().head(scope), epoch=Epoch("0" * 12))

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        done = await super().append(batch)
        return [
            replace(it, epoch=Epoch("0" * 12)) if isinstance(it, Appended) else it for it in done
        ]


class Doubling(SqlLogStore):
    """Commits the first append of a group twice."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        await super().append(batch[:1])
        return await super().append(batch)


@pytest.mark.proof
@pytest.mark.parametrize(
    "store", [Doubling, Forgetful, Unfenced, Silent, Holed, Greedy, Repeating, Ageless], ids=str
)
def test_a_defective_store_is_caught(store: type[SqlLogStore]) -> None:
    """Each of the promises that a store breaks is missed."""
    caught(type("Machine", (LogMachine,), {"store_type": store}))


@pytest.mark.proof
def test_a_ring_that_skips_an_event_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who follow notice that one of many is missing."""
    publish = Hub.publish

    def skipping(self: Hub, records: Sequence[Record]) -> None:
        publish(self, [*records[:1], *records[2:]])

    monkeypatch.setattr(Hub, "publish", skipping)
    caught(LogMachine)
