"""What can never be told holds up nobody, is kept, is seen, and is tried again."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import update

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import audit_outbox, outbox
from antiphon_server.context.model.changes import EncodedEntry
from antiphon_server.context.ports import Records
from antiphon_server.context.service.relay import BATCH, Relay, relay_to_log, relay_to_trail
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import BOB
from tests.context.test_relay import rename, waiting
from tests.context.test_role_audit import give
from tests.context.world import World
from tests.e2e.until import until

T = TypeVar("T")


class Uncounted(SqlStore):
    """A store that is away for a moment, when it is read for the second time."""

    reads = 0

    async def read(self, work: Callable[[Records], T], *, snapshot: bool = True) -> T:
        self.reads += 1
        if self.reads == 2:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().read(work, snapshot=snapshot)


async def set_aside(here: World) -> int:
    return await here.store.read(lambda r: r.outbox.count_set_aside())


async def test_a_bad_entry_holds_up_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """More than a batch wait behind it, of its own scope too: all are told, in order."""
    bad, others = await world.conversation(), await world.conversation()
    world.log.broken = True
    await rename(world, bad, "bad")
    (entry,) = await waiting(world)
    for number in range(BATCH):
        await rename(world, others, str(number))
    world.log.broken, world.log.refused = False, entry.listener
    world.log.why = Reason.STORE_UNAVAILABLE
    relay = relay_to_log(world.store, world.log.append)
    assert not await relay.relay_outbox()
    assert not relay.set_aside  # the log is merely away: it stays in its place
    world.log.why = Reason.INVALID_ARGUMENT
    with caplog.at_level(logging.ERROR):
        assert await relay.relay_outbox()
        assert await relay.relay_outbox()
    world.log.refused = ""
    await rename(world, bad, "good")
    assert await waiting(world) == []
    titles = [it.changes[0].conversation.title for it in world.log.appends[-BATCH - 1 :]]  # type: ignore[union-attr]
    assert titles == [*map(str, range(BATCH)), "good"]
    assert (relay.set_aside, relay.up, relay.changed.is_set()) == (1, False, True)
    (line,) = [it.getMessage() for it in caplog.records if entry.entry_id in it.getMessage()]
    assert "INVALID_ARGUMENT" in line


async def test_it_is_tried_again(world: World) -> None:
    """Nothing is lost: what is told then is the entry as it was. Every server tries it."""
    bad = await world.conversation()
    world.log.refused, world.log.why = f"conversations/{bad}", Reason.LIMIT_EXCEEDED
    other = relay_to_log(world.store, world.log.append)
    await other.start()
    await rename(world, bad, "late")
    still = relay_to_log(world.store, world.log.append)
    await still.start()
    await still.retry_set_aside()
    assert (other.set_aside, still.set_aside, await set_aside(world)) == (0, 1, 1)
    world.log.refused = ""
    await other.retry_set_aside()
    await still.retry_set_aside()
    assert (still.set_aside, await set_aside(world), await waiting(world)) == (0, 0, [])
    (change,) = world.log.appends[-1].changes
    assert change.conversation.title == "late"  # type: ignore[union-attr]


async def test_a_running_server_tries_it_again(world: World) -> None:
    """Nobody has to start anything anew: what the log takes by then is told."""
    bad = await world.conversation()
    world.log.refused, world.log.why = f"conversations/{bad}", Reason.LIMIT_EXCEEDED
    await rename(world, bad, "late")
    relay = Relay(world.store, lambda r: r.outbox, world.log.append, set_aside_retry_s=0.05)
    await relay.start()
    running = asyncio.create_task(relay.run())
    try:
        assert relay.set_aside == 1
        world.log.refused = ""
        await until(lambda: relay.up)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (await set_aside(world), await waiting(world)) == (0, [])


async def test_nobody_waits_for_what_is_tried_again(world: World) -> None:
    """However long it takes: what changes meanwhile is told at once."""
    bad, good = await world.conversation(), await world.conversation()
    world.log.refused, world.log.why = f"conversations/{bad}", Reason.LIMIT_EXCEEDED
    await rename(world, bad, "late")
    tried, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_entry: EncodedEntry) -> None:
        tried.set()
        await go_on.wait()

    retrying = asyncio.create_task(Relay(world.store, lambda r: r.outbox, slow).retry_set_aside())
    await tried.wait()
    await rename(world, good, "now")
    assert await waiting(world) == []
    go_on.set()
    await retrying
    assert await set_aside(world) == 0


async def test_what_could_not_be_counted_is_known_all_the_same(world: World) -> None:
    """A store that goes away right after an entry was set aside hides it from nobody."""
    bad = await world.conversation()
    world.log.broken = True
    await rename(world, bad, "bad")
    world.log.broken = False
    world.log.refused, world.log.why = f"conversations/{bad}", Reason.INVALID_ARGUMENT
    relay = relay_to_log(Uncounted(world.database), world.log.append)
    await relay.relay_outbox()
    assert await set_aside(world) == 1
    await relay.relay_outbox()
    assert (relay.set_aside, relay.up) == (1, False)


async def test_a_store_that_goes_away_meanwhile_loses_nothing(world: World) -> None:
    """What can't be set aside stays in its place, and those behind it wait for it."""
    bad = await world.conversation()
    world.log.broken = True
    await rename(world, bad, "bad")
    await rename(world, bad, "good")
    told = []

    async def tell(entry: EncodedEntry) -> None:
        told.append(entry.entry_id)
        raise DomainError(Reason.INVALID_ARGUMENT)

    class Away(Relay):
        async def _set_aside(self, entry: EncodedEntry, error: DomainError) -> None:
            raise DomainError(Reason.STORE_UNAVAILABLE)

    relay = Away(world.store, lambda r: r.outbox, tell)
    assert not await relay.relay_outbox()
    await relay.close()
    assert len(await waiting(world)) == 2
    assert len(told) == 1


async def test_a_damaged_entry_holds_up_nobody(world: World) -> None:
    """What is no message any more is set aside, by both outboxes, and what is behind it is told."""
    first, second = await world.conversation(), await world.conversation()
    world.log.broken = world.audit.broken = True
    await give(world, first)
    for table in (outbox, audit_outbox):
        damage = update(table).values(body=b"\xff\xff")
        await world.database.write(lambda it, what=damage: it.execute(what))  # type: ignore[misc]
    await give(world, second)
    world.log.broken = world.audit.broken = False
    to_log = relay_to_log(world.store, world.log.append)
    to_trail = relay_to_trail(world.store, world.audit)
    assert await to_log.relay_outbox()
    assert await to_trail.relay_outbox()
    told = {entry.scope for entry in world.log.appends[-2:]}
    assert told == {f"conversations/{second}", f"users/{BOB}"}
    assert [change.resource for change in world.audit.changes] == [second]
    assert (to_log.set_aside, to_trail.set_aside) == (2, 1)  # for the conversation and for Bob
