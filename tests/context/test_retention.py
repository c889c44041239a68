"""Retention: old events go, messages stay."""

from collections.abc import AsyncIterator

import pytest

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.events.v1.event_service_pb2 import GetHeadRequest
from antiphon_server.context.model.messages import Message
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.service.projection import Projection
from tests.context.stand_ins import ANN
from tests.context.world import World, texts
from tests.context.world import world as make_world

DAY = 24 * 3600


@pytest.fixture
async def keeping() -> AsyncIterator[World]:
    """A world that keeps logs for a day."""
    async with make_world(keep_s=DAY) as made:
        yield made


async def listed(world: World, conversation: str) -> list[str]:
    request = pb.ListMessagesRequest(conversation_id=conversation)
    return texts((await world.client(ANN).ListMessages(request)).messages)


async def earliest(world: World, conversation: str) -> int:
    """The first place that the log still has."""
    request = GetHeadRequest(scope=f"conversations/{conversation}")
    return (await world.log_service.stub.GetHead(request)).earliest_offset


async def test_nothing_goes_unless_asked_for(world: World) -> None:
    """By default every log is kept."""
    conversation = await world.conversation()
    await world.say(conversation, "1")
    world.clock.now += 1000 * DAY
    assert await world.context.retention.once() == 0
    assert await earliest(world, conversation) == 1


async def test_what_nobody_has_read_is_kept_before_it_goes(keeping: World) -> None:
    """Old events are projected first, then trimmed; all messages are still there."""
    conversation = await keeping.conversation()
    await keeping.say(conversation, "1")
    await keeping.say(conversation, "2")
    assert await keeping.context.retention.once() == 0
    keeping.clock.now += DAY + 1
    await keeping.say(conversation, "3")
    assert await keeping.context.retention.once() == 1
    found = (await keeping.context_of(conversation)).messages
    assert found[1].offset < await earliest(keeping, conversation) <= found[2].offset
    assert await listed(keeping, conversation) == ["3", "2", "1"]
    assert texts((await keeping.context_of(conversation)).messages) == ["1", "2", "3"]
    assert await keeping.context.retention.once() == 0
    await keeping.say(conversation, "4")
    assert await listed(keeping, conversation) == ["4", "3", "2", "1"]


async def test_a_projection_that_was_overtaken_goes_on(world: World) -> None:
    """If somebody else trims the log, what is still there is projected."""
    conversation = await world.conversation()
    for number in range(4):
        await world.say(conversation, str(number))
        if number == 0:
            await listed(world, conversation)
    newest = (await world.log.read(ConversationId(conversation), "")).items[-1]
    assert isinstance(newest, Message)
    await world.log.trim(ConversationId(conversation), newest.offset)
    await world.restart_log()
    assert await listed(world, conversation) == ["3", "0"]


async def test_a_history_that_was_rebuilt_replaces_the_messages(world: World) -> None:
    """A new epoch's offsets mean something else: the projection begins again."""
    conversation = await world.conversation()
    for number in range(3):
        await world.say(conversation, str(number))
    assert await listed(world, conversation) == ["2", "1", "0"]
    await world.rebuild(conversation)
    await world.say(conversation, "new")
    assert await listed(world, conversation) == ["new"]


async def test_two_processes_project_every_message_once(world: World) -> None:
    """Whoever comes second finds what the first has stored."""
    conversation = await world.conversation()
    others = [Projection(world.store, world.log, max_known=1) for _ in range(2)]
    for number in range(6):
        await world.say(conversation, str(number))
        await others[number % 2].catch_up(ConversationId(conversation))
        assert await listed(world, conversation) == list("543210")[-number - 1 :]
