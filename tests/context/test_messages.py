"""Messages: posted to the log, read from its projection."""

import asyncio
import uuid

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import message_pb2
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.context.world import World, pages, parts, posted, texts
from tests.e2e.refusals import Refused

REQUEST = str(uuid.UUID(int=1))


async def listed(world: World, conversation: str, size: int = 0) -> list[message_pb2.Message]:
    """All messages, page by page, the newest first."""
    request = pb.ListMessagesRequest(conversation_id=conversation, page_size=size)
    found = await pages(world.client(ANN).ListMessages, request)
    return [message for page in found for message in page.messages]


def saying(conversation: str, text: str = "hi") -> pb.PostMessageRequest:
    """A request with the id that all of them have."""
    return pb.PostMessageRequest(
        conversation_id=conversation, parts=parts(text), request_id=REQUEST
    )


async def test_a_message_is_what_was_said(world: World) -> None:
    """Every field is set, and the same message is listed."""
    conversation = await world.conversation()
    image = message_pb2.Part(
        image=message_pb2.Reference(uri="https://x.example/y", media_type="image/png")
    )
    request = pb.PostMessageRequest(conversation_id=conversation, parts=[*parts("hi"), image])
    posted = (await world.client(ANN).PostMessage(request)).message
    assert list(posted.parts) == list(request.parts)
    assert posted.role == message_pb2.MESSAGE_ROLE_USER
    assert (posted.author, posted.conversation_id) == (f"users/{ANN}", conversation)
    assert posted.offset > 0
    assert posted.create_time.seconds > 1_700_000_000
    assert await listed(world, conversation) == [posted]


async def test_a_reference_of_before_the_rule_is_read(world: World) -> None:
    """What was posted with a password in it, when that was taken, is told as it was."""
    conversation = await world.conversation()
    await world.say(conversation, "see there", message_id="msg_00000001")
    message = message_pb2.Message(message_id="msg_00000002", conversation_id=conversation)
    message.role, message.author = message_pb2.MESSAGE_ROLE_USER, f"users/{ANN}"
    message.parts.add().file.uri = "https://user:password@x.example/y"
    message.parts[0].file.media_type = "text/plain"
    await world.append(conversation, posted(message))
    found = await listed(world, conversation)
    assert list(found[0].parts) == list(message.parts)


async def test_what_the_log_has_is_listed_at_once(world: World) -> None:
    """Messages that others append to the log are never hidden, however often one looks."""
    conversation = await world.conversation()
    expected: list[str] = []
    for number in range(12):
        if number % 3:
            await world.say(conversation, str(number), "turn_00000001")
        else:
            await world.post(conversation, str(number))
        expected.insert(0, str(number))
        assert texts(await listed(world, conversation)) == expected
    found = await listed(world, conversation)
    assert found[0].turn_id == "turn_00000001"
    assert [it.offset for it in found] == sorted((it.offset for it in found), reverse=True)


@pytest.mark.parametrize("size", [1, 3, 7, 50])
async def test_pages_follow_one_another(world: World, size: int) -> None:
    """Whatever the page size, every message comes once, the newest first."""
    conversation = await world.conversation()
    for number in range(7):
        await world.say(conversation, str(number))
    assert texts(await listed(world, conversation, size)) == list("6543210")


async def test_a_page_ends_before_a_mebibyte(world: World) -> None:
    """Large messages come a few at a time, and all of them come."""
    conversation = await world.conversation()
    for number in range(5):
        await world.say(conversation, str(number) * 250_000)
    request = pb.ListMessagesRequest(conversation_id=conversation)
    page = await world.client(ANN).ListMessages(request)
    assert len(page.messages) == 4
    assert len(await listed(world, conversation)) == 5


@pytest.mark.parametrize("posted_h", [0, 12, 22.5, 23.5])
@pytest.mark.parametrize("later_h", [1, 3, 25, -1, -25, -30])
async def test_the_same_request_later_says_it_once(
    world: World, posted_h: float, later_h: float
) -> None:
    """Ids of messages change every day; a repetition that the log still knows gets the first.

    Also where the clock was set back between them.
    """
    conversation = await world.conversation()
    request = saying(conversation)
    world.clock.now += 86_400 - world.clock.now % 86_400 + posted_h * 3600
    first = await world.client(ANN).PostMessage(request)
    world.clock.now += later_h * 3600
    assert await world.client(ANN).PostMessage(request) == first
    request.parts[0].text = "ho"
    with Refused(Reason.REQUEST_ID_REUSED):
        await world.client(ANN).PostMessage(request)
    assert await listed(world, conversation) == [first.message]


@pytest.mark.parametrize("later_h", [25, 26, 48])
async def test_a_request_id_that_is_used_again_is_another_message(
    world: World, later_h: float
) -> None:
    """When the log has forgotten the first use, no two messages have one id."""
    conversation = await world.conversation()
    request = saying(conversation)
    first = (await world.client(ANN).PostMessage(request)).message
    world.clock.now += later_h * 3600
    assert await world.log_service.log.forget_requests()
    request.parts[0].text = "ho"
    second = (await world.client(ANN).PostMessage(request)).message
    assert first.message_id != second.message_id
    assert await listed(world, conversation) == [second, first]


async def test_other_callers_request_ids_are_their_own(world: World) -> None:
    """Two people may use the same request id."""
    conversation = await world.conversation()
    await world.add(conversation, BOB, ROLE_MEMBER)
    for user in (ANN, BOB):
        await world.client(user).PostMessage(saying(conversation, user))
    assert texts(await listed(world, conversation)) == [BOB, ANN]


async def test_without_request_id_everything_is_said(world: World) -> None:
    """The same words twice are two messages."""
    conversation = await world.conversation()
    await world.post(conversation, "again")
    await world.post(conversation, "again")
    assert texts(await listed(world, conversation)) == ["again", "again"]


async def test_an_archived_conversation_accepts_nothing_new(world: World) -> None:
    """It can be read, and a request that was answered before gets its answer again."""
    conversation = await world.conversation()
    request = saying(conversation)
    first = await world.client(ANN).PostMessage(request)
    archive = pb.ArchiveConversationRequest(conversation_id=conversation)
    await world.client(ANN).ArchiveConversation(archive)
    with Refused(Reason.CONVERSATION_ARCHIVED):
        await world.post(conversation, "too late")
    assert await world.client(ANN).PostMessage(request) == first
    assert texts(await listed(world, conversation)) == ["hi"]


async def test_a_message_has_a_size_limit(world: World) -> None:
    """One MiB in all is said, one byte more is not."""
    conversation = await world.conversation()
    # Each part costs its text and 8 bytes around it.
    filling = ["x" * 262_144] * 3 + ["x" * (262_144 - 4 * 8)]
    request = pb.PostMessageRequest(conversation_id=conversation, parts=parts(*filling))
    made = await world.client(ANN).PostMessage(request)
    assert len(made.message.parts) == 4
    request.parts[3].text += "x" * 32
    with Refused(Reason.INVALID_ARGUMENT):
        await world.client(ANN).PostMessage(request)


async def test_a_log_that_is_away_loses_nothing(world: World) -> None:
    """Post and list fail while it is, and go on where they were after."""
    conversation = await world.conversation()
    await world.post(conversation, "1")
    world.log.broken = True
    with Refused(Reason.STORE_UNAVAILABLE):
        await world.post(conversation, "2")
    with Refused(Reason.STORE_UNAVAILABLE):
        await listed(world, conversation)
    world.log.broken = False
    await world.post(conversation, "3")
    assert texts(await listed(world, conversation)) == ["3", "1"]


async def test_readers_and_writers_at_once(world: World) -> None:
    """Whatever overlaps, every message is projected once."""
    conversation = await world.conversation()

    async def write(number: int) -> None:
        await world.say(conversation, str(number))

    async def read(_: int) -> None:
        await world.context_of(conversation)

    await asyncio.gather(*((write, read)[number % 2](number) for number in range(100)))
    assert len(await listed(world, conversation)) == 50
    assert await world.client(SERVICE).ListMessages(
        pb.ListMessagesRequest(conversation_id=conversation)
    )
