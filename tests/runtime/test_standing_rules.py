"""Rules that stand are made ready once; those that can't be used whole break no message."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.revisions.model import Revision
from antiphon_server.runtime.revisions.standing import Standing
from tests.e2e.refusals import Refused

HOME = "ws_00000001"


@dataclass
class InMemory:
    """A store of one parent's rules, as one server put them."""

    number: int = 1
    rules: tuple[str, ...] = ("good",)
    read: int = 0

    async def changes(self) -> int:
        return self.number

    async def newest(self) -> Mapping[str, int]:
        return {HOME: self.number}

    async def get(self, parent: str, number: int = 0) -> Revision[str] | None:
        self.read += 1
        await asyncio.sleep(0)
        return Revision(parent, self.number, self.rules)

    async def put(
        self, parent: str, rules: Sequence[str], comment: str, expected: int | None
    ) -> Revision[str]:
        self.number, self.rules = self.number + 1, tuple(rules)
        return Revision(parent, self.number, self.rules)

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision[str]]:
        return []


@dataclass
class Made:
    """Rules as they are used."""

    parent: str
    revision: int
    rules: Sequence[str]
    broken: DomainError | None = field(init=False)

    def __post_init__(self) -> None:
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(0.01)
        self.broken = invalid("rules", "is bad") if "bad" in self.rules else None


@pytest.fixture
async def store() -> InMemory:
    return InMemory()


@pytest.fixture
async def rules(store: InMemory) -> Standing[str, Made]:
    standing: Standing[str, Made] = Standing("rules", store, Made)
    await standing.refresh()
    return standing


async def test_who_asks_at_once_waits_for_one_making(
    rules: Standing[str, Made], store: InMemory
) -> None:
    """And each gets the same, also if one of them goes away meanwhile."""
    asking = [asyncio.create_task(rules.of(HOME)) for _ in range(8)]
    await asyncio.sleep(0)
    asking[0].cancel()
    made = [ready for each in asking[1:] for ready in await each]
    assert (store.read, len({id(it) for it in made})) == (1, 1)
    await rules.close()


async def test_who_asks_after_a_change_gets_the_new_ones(
    rules: Standing[str, Made], store: InMemory
) -> None:
    """Those that were being made before it are not theirs."""
    before = asyncio.create_task(rules.of(HOME))
    await asyncio.sleep(0)
    await rules.set(HOME, ["better"], "", None)
    assert [it.rules for it in await rules.of(HOME)] == [("better",)]
    await before
    await rules.close()


async def test_what_can_not_be_used_whole_is_refused_where_it_is_set_alone(
    rules: Standing[str, Made], store: InMemory
) -> None:
    """Where it stands all the same, as a newer server took it, it is used as far as it goes."""
    with Refused(Reason.INVALID_ARGUMENT):
        await rules.set(HOME, ["bad"], "", None)
    store.rules, store.number = ("good", "bad"), 7
    await rules.refresh()
    assert [it.revision for it in await rules.of(HOME)] == [7]
    await rules.close()
