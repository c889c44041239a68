"""The newest messages in memory: what is kept of them, and of which log."""

import asyncio
import time

import pytest

from antiphon_server.context.adapters import event_log
from antiphon_server.context.model.messages import LogPage, Totals, Window
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    TurnPolicy,
    WorkspaceId,
)
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.tails import NEW_S, Tails
from tests.context.stand_ins import Flaky
from tests.context.world import World, texts
from tests.e2e.until import SOON_S

EMPTY = Window("", (), 0, Totals(0, 0), 0)


class Stuck(Flaky):
    """A log that says there is more, and gives nothing."""

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        await asyncio.sleep(0)
        return LogPage((), cursor, at_head=False)


class Counted(Flaky):
    """A log that knows how many messages were read from it."""

    messages = 0

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        page = await super().read(conversation_id, cursor)
        self.messages += len(page.items)
        return page


def conversation(number: int = 1) -> Conversation:
    """A conversation in which nothing was said."""
    return Conversation(
        ConversationId(f"conv_{number:08}"), WorkspaceId("ws_1"), "", TurnPolicy.QUEUE, (), "", 1
    )


async def test_a_log_that_does_not_go_on_is_not_asked_for_ever(world: World) -> None:
    """A page that is neither at the head nor further on is the end."""
    tails = Tails(Stuck(world.log), lambda message: b"", time.time)
    tails.keep(conversation(), EMPTY, 100, "1.0")
    async with asyncio.timeout(SOON_S):
        assert await tails.window(conversation(), 100) == EMPTY


async def test_conversations_in_which_nothing_was_said_are_forgotten_too(world: World) -> None:
    """A tail takes memory though it has no messages."""
    tails = Tails(world.log, lambda message: b"", time.time, max_bytes=20_000)
    cursor = (await world.log.read(conversation(19).conversation_id, "")).cursor
    for number in range(20):
        tails.keep(conversation(number), EMPTY, 100, cursor)
    assert await tails.window(conversation(0), 100) is None
    assert await tails.window(conversation(19), 100) == EMPTY


async def test_the_window_of_a_new_conversation_is_made_from_its_log(world: World) -> None:
    """All that was said in it is there: neither the projection nor the store is asked."""
    new = await world.conversation()
    for text in ("a", "b"):
        await world.say(new, text)
    assert texts((await world.context_of(new)).messages) == ["a", "b"]
    assert await projected(world, new) == ""


async def test_the_window_of_an_older_one_is_read_from_the_store(world: World) -> None:
    """Its log may have been trimmed; after a restart nothing of it is in memory."""
    older = await world.conversation()
    await world.say(older, "a")
    world.clock.now += 2 * NEW_S
    assert texts((await world.context_of(older)).messages) == ["a"]
    assert await projected(world, older) != ""


async def test_a_larger_window_of_a_new_conversation_has_all_that_fits(world: World) -> None:
    """What the first one left out is not taken for all that was said."""
    new = await world.conversation()
    for text in ("a" * 40, "b" * 40, "c" * 40):
        await world.say(new, text)
    assert len((await world.context_of(new, 20)).messages) == 1
    assert len((await world.context_of(new, 1000)).messages) == 3


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_long_log_of_a_new_conversation_is_not_read_from_its_beginning_again(
    world: World, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """One page of it; the rest is projected, once, and the next process needs the end alone."""
    monkeypatch.setattr(event_log, "PAGE", 4)
    new = await world.conversation()
    for number in range(30):
        await world.say(new, str(number))
    if restarted:
        await world.context_of(new, 3)
        await world.say(new, "30")
    read = Counted(world.log)
    projection = Projection(world.store, read)
    tails = Tails(read, lambda message: b"", world.clock)
    at = await world.store.read(lambda r: r.conversations.get(ConversationId(new)))
    assert at is not None
    assert await tails.window(at, 3) is None
    await projection.catch_up(at.conversation_id)
    assert read.messages <= (4 + 1 if restarted else 4 + 30)
    assert await tails.window(at, 3) is None  # nothing of the first page is taken for all


async def projected(world: World, conversation: str) -> str:
    """How far the projection has come."""
    return await world.store.read(lambda r: r.messages.cursor(ConversationId(conversation)))
