"""The log keeps its promises through any sequence of calls; one that does not is caught."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import pytest

from antiphon_server.events.hub import Hub
from antiphon_server.events.model import Append, Appended, Epoch, Head, Offset, Page, Record, Scope
from antiphon_server.events.ports import LogStore
from antiphon_server.runtime.errors import DomainError
from tests.fakes.memory.events.store import MemoryLogStore
from tests.proofs.properties.log_machine import LogMachine
from tests.proofs.properties.log_node import Storage
from tests.proofs.properties.machine import caught, check


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "sqlite"])
def test_the_log_keeps_its_promises(on_disk: bool) -> None:
    """In order, without a hole, each once; what is gone is said."""
    check(type("Machine", (LogMachine,), {"on_disk": on_disk}), examples=20)


def on(store: Callable[[], LogStore]) -> type[LogMachine]:
    """The machine on a store with a defect."""
    storage = type("Defective", (Storage,), {"in_memory": lambda self: store()})
    return type("Machine", (LogMachine,), {"storage_type": storage})


class Forgetful(MemoryLogStore):
    """Knows no request id."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await super().append([replace(one, request_id="") for one in batch])


class Unfenced(MemoryLogStore):
    """Lets every writer in."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await super().append([replace(one, fence=None) for one in batch])


class Silent(MemoryLogStore):
    """Never says that something was trimmed away."""

    async def head(self, scope: Scope) -> Head:
        return replace(await super().head(scope), earliest=Offset(1))


class Holed(MemoryLogStore):
    """Folds without handing on the places."""

    async def fold(self, scope: Scope, turn_id: str) -> int:
        rows = self._log(scope).rows
        folded = await super().fold(scope, turn_id)
        firsts = {row.last: row.first for row in rows}
        kept = self._log(scope).rows
        kept[:] = [replace(row, first=firsts[row.last]) for row in kept]
        return folded


class Greedy(MemoryLogStore):
    """Trims one event too many."""

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        earliest = await super().trim(scope, before)
        del self._log(scope).rows[:1]
        return earliest


class Repeating(MemoryLogStore):
    """Reads from one place too early."""

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        return await super().read(scope, Offset(max(after - 1, 0)), max_events, max_bytes, kinds)


class Ageless(MemoryLogStore):
    """Keeps its epoch when it is lost."""

    async def head(self, scope: Scope) -> Head:
        return replace(await super().head(scope), epoch=Epoch("0" * 12))

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        done = await super().append(batch)
        return [
            replace(it, epoch=Epoch("0" * 12)) if isinstance(it, Appended) else it for it in done
        ]


class Doubling(MemoryLogStore):
    """Commits the first append of a group twice."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        await super().append(batch[:1])
        return await super().append(batch)


@pytest.mark.proof
@pytest.mark.parametrize(
    "store", [Doubling, Forgetful, Unfenced, Silent, Holed, Greedy, Repeating, Ageless], ids=str
)
def test_a_defective_store_is_caught(store: Callable[[], LogStore]) -> None:
    """Each of the promises that a store breaks is missed."""
    caught(on(store))


@pytest.mark.proof
def test_a_ring_that_skips_an_event_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who follow notice that one of many is missing."""
    publish = Hub.publish

    def skipping(self: Hub, records: Sequence[Record]) -> None:
        publish(self, [*records[:1], *records[2:]])

    monkeypatch.setattr(Hub, "publish", skipping)
    caught(LogMachine)
