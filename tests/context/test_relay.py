"""The relay: the log learns of every change, in order, once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import conversation_pb2
from antiphon_server.context.adapters.sql.store import SqlStore
from antiphon_server.context.model.changes import EncodedEntry
from antiphon_server.context.ports import Records
from antiphon_server.context.service.relay import BATCH, Relay, relay_to_log
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.entries import entry_of
from tests.context.stand_ins import ANN
from tests.context.world import World

T = TypeVar("T")


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """The background task, for a while."""
    task = asyncio.create_task(relay.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def waiting(world: World, most: int = 100) -> list[EncodedEntry]:
    await world.context.to_log.close()  # what was told is removed a moment later
    return await world.store.read(lambda r: r.outbox.first(most))


async def rename(world: World, conversation_id: str, title: str) -> None:
    wish = conversation_pb2.Conversation(conversation_id=conversation_id, title=title)
    await world.client(ANN).UpdateConversation(
        pb.UpdateConversationRequest(conversation=wish, update_mask=FieldMask(paths=["title"]))
    )


async def test_a_change_is_acknowledged_though_the_log_is_away(world: World) -> None:
    """What was committed is answered, kept, and told in order as soon as the log is back."""
    conversation_id = await world.conversation(title="0")
    world.log.broken = True
    for title in "123":
        await rename(world, conversation_id, title)
    kept = await waiting(world)
    assert len(kept) == 3
    world.log.broken = False
    async with running(relay_to_log(world.store, world.log.append, RetryPolicy(0.01))) as _:
        assert await world.context.to_log.relay_outbox()
    assert await waiting(world) == []
    assert world.log.appends[-3:] == list(map(entry_of, kept))


async def test_the_background_task_tries_again(world: World) -> None:
    """Without any further call the log is told."""
    relay = relay_to_log(world.store, world.log.append, RetryPolicy(0.01))
    world.log.broken = True
    await world.conversation()
    async with running(relay):
        assert not await relay.relay_outbox()
        await asyncio.sleep(0.05)
        assert await waiting(world)
        world.log.broken = False
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not await waiting(world):
                break
    assert await waiting(world) == []


async def test_what_could_not_be_removed_is_removed_later(world: World) -> None:
    """Nobody waits for that, and the log has it once."""
    world.log.broken = True
    conversation_id = await world.conversation()
    world.log.broken = False
    store = Forgetful(world.database)
    relay = relay_to_log(store, world.log.append, RetryPolicy(0.01))
    async with running(relay):
        assert await relay.relay_outbox()
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not await waiting(world):
                break
    assert await waiting(world) == []
    assert store.refused
    told = [it for it in world.log.appends if it.scope == f"conversations/{conversation_id}"]
    assert len(told) == 2  # of which the second is known
    assert len((await world.events(told[0].scope)).events) == len(told[0].changes)


class Forgetful(SqlStore):
    """Refuses the first write."""

    refused = False

    async def write(self, work: Callable[[Records], T], *, short: bool = False) -> T:
        if not self.refused:
            self.refused = True
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().write(work, short=short)


async def test_what_an_earlier_process_left_is_relayed(world: World) -> None:
    """A new relay on the same store finds it; told twice is told once."""
    world.log.broken = True
    await world.conversation()
    entries = await waiting(world)
    world.log.broken = False
    for entry in entries:  # told, but the process died before it could note that
        await world.log.append(entry)
    relay = relay_to_log(world.store, world.log.append)
    assert await relay.relay_outbox()
    await relay.close()
    assert await waiting(world) == []
    last = entry_of(entries[-1])
    page = await world.events(last.scope)
    assert page.at_head
    assert len(page.events) == len(last.changes)


async def test_one_scope_does_not_wait_for_another(world: World) -> None:
    """What the log refuses keeps back its own scope's later changes alone."""
    refused, fine = await world.conversation(), await world.conversation()
    world.log.refused = f"conversations/{refused}"
    for title in "12":
        await rename(world, refused, title)
        await rename(world, fine, title)
    assert [entry.listener for entry in await waiting(world)] == [f"conversations/{refused}"] * 2


async def test_many_changes_at_once_are_all_told(world: World) -> None:
    """More than a batch of them, from many callers."""
    await asyncio.gather(*(world.conversation() for _ in range(150)))
    assert await world.context.to_log.relay_outbox()
    assert len(world.log.appends) == len({it.entry_id for it in world.log.appends}) == 152


async def test_old_request_ids_are_forgotten(world: World) -> None:
    """After a day and an hour a request id may be used again; before, it may not."""
    request = pb.CreateWorkspaceRequest(display_name="x", request_id=str(uuid.uuid4()))
    first = await world.client(ANN).CreateWorkspace(request)
    world.clock.now += 24 * 3600
    await world.context.retention.once()
    assert await world.client(ANN).CreateWorkspace(request) == first
    world.clock.now += 3601
    await world.context.retention.once()
    assert await world.client(ANN).CreateWorkspace(request) != first


async def test_entries_that_have_to_stay_hold_up_no_other_scope(world: World) -> None:
    """More than are read at once, each of a scope of its own: what is behind them is told."""
    away = {f"conversations/{await world.conversation()}" for _ in range(BATCH)}
    others = await world.conversation()
    told: list[EncodedEntry] = []

    async def tell(entry: EncodedEntry) -> None:
        if entry.listener in away:
            raise DomainError(Reason.STORE_UNAVAILABLE) if len(told) % 2 else OSError("odd")
        told.append(entry)

    world.log.broken = True
    for scope in sorted(away):
        await rename(world, scope.removeprefix("conversations/"), "1")
        await rename(world, scope.removeprefix("conversations/"), "2")
    for number in range(3):
        await rename(world, others, str(number))
    relay = relay_to_log(world.store, tell)
    assert not await relay.relay_outbox()
    titles = [entry_of(it).changes[0].conversation.title for it in told]  # type: ignore[union-attr]
    assert titles == ["0", "1", "2"]
    await relay.close()
    assert len(await waiting(world, 999)) == 2 * BATCH
    behind, away = away, set()
    assert await relay.relay_outbox()
    assert {it.listener for it in told[3:]} == behind
    titles = [entry_of(it).changes[0].conversation.title for it in told[3:]]  # type: ignore[union-attr]
    assert titles.count("1") == titles.count("2") == BATCH
    await relay.close()
    assert await waiting(world) == []
