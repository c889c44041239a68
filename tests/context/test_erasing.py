"""What is erased with a message, and how it is finished where something is in the way."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.rubber import Rubber
from tests.context.stand_ins import ANN, BOB
from tests.context.world import World

TITLE = "Plans for May"
REQUESTS = [str(uuid.UUID(int=it)) for it in (1, 2)]


@pytest.fixture
async def rubber(world: World) -> AsyncIterator[Rubber]:
    """Who erases."""
    made = Rubber(world)
    yield made
    await made.erasing.close()


async def with_bob(world: World, title: str = TITLE) -> str:
    """A conversation of Ann's in which Bob may write."""
    here = await world.conversation(title=title)
    await world.add(here, BOB, access_pb2.ROLE_MEMBER)
    update = pb.UpdateConversationRequest()
    update.conversation.conversation_id = here
    update.conversation.language = "en"
    update.update_mask.paths.append("language")
    await world.client(ANN).UpdateConversation(update)
    return here


async def test_a_title_goes_with_what_it_was_made_of_alone(world: World, rubber: Rubber) -> None:
    """Not with somebody else's message that begins so: they had no part in it."""
    here = await with_bob(world)
    kept = [TITLE] * 5  # now, made and changed, and changed in both lists
    other = await world.post(here, f"{TITLE} and June", BOB)
    await rubber.erase(here, other.message_id, BOB)
    assert (await rubber.titles(here)).count(TITLE) >= len(kept) - 1
    assert (await rubber.titles(here))[0] == TITLE
    own = await world.post(here, f"{TITLE} and\nJune")
    await rubber.erase(here, own.message_id)
    assert await rubber.titles(here) == [""]


async def test_a_title_of_which_nobody_knows_who_gave_it_goes(world: World, rubber: Rubber) -> None:
    """As servers of the version before have left it."""
    here = await world.conversation()
    by = "UPDATE context_conversations SET title = :title, title_author = ''"
    await world.database.write(lambda it: it.execute(text(by), {"title": TITLE}))
    said = await world.post(here, f"{TITLE} and June")
    await rubber.erase(here, said.message_id)
    assert await rubber.titles(here) == [""]


async def test_titles_go_where_the_message_is_in_the_log_no_more(
    world: World, rubber: Rubber
) -> None:
    """The log of the conversation was trimmed; what lists were told was not."""
    here = await with_bob(world)
    said = await world.post(here, f"{TITLE} and June")
    await rubber.erasing._projection.catch_up(ConversationId(here))
    trim = event_service_pb2.TrimRequest(scope=f"conversations/{here}", before_offset=1000)
    await world.log_service.stub.Trim(trim)
    assert len(await rubber.titles(here)) > 1
    await rubber.erase(here, said.message_id)
    assert await rubber.titles(here) == [""]


async def test_what_was_not_told_yet_is_told_before(world: World, rubber: Rubber) -> None:
    """A title that the log is told late does not come behind its erasure."""
    here = await with_bob(world, "")
    said = await world.post(here, f"{TITLE} and June")
    world.log.refused = f"conversations/{here}"
    update = pb.UpdateConversationRequest()
    update.conversation.conversation_id = here
    update.conversation.title = TITLE
    update.update_mask.paths.append("title")
    await world.client(ANN).UpdateConversation(update)
    with pytest.raises(DomainError) as refused:
        await rubber.erase(here, said.message_id)
    assert (refused.value.reason, await rubber.waiting()) == (Reason.SERVICE_UNAVAILABLE, 1)
    world.log.refused = ""
    assert await rubber.erasing._finish_waiting()
    assert (await rubber.titles(here), await rubber.waiting()) == ([""], 0)


async def test_steps_that_are_made_are_not_made_again(world: World, rubber: Rubber) -> None:
    """Where files can't be cleaned, cleaning them is all that is left to do."""
    here = await world.conversation(title=TITLE)
    said = await world.post(here, f"{TITLE} and June")
    rubber.store.busy = True
    with pytest.raises(DomainError) as refused:
        await rubber.erase(here, said.message_id)
    assert refused.value.reason is Reason.STORE_UNAVAILABLE
    for _ in range(3):
        assert not await rubber.erasing._finish_waiting()
    (left,) = await rubber.store.read(lambda r: r.erasures.waiting(100))
    assert (left.redacted is not None, left.forgotten) == (True, True)
    rubber.store.busy = False
    assert await rubber.erasing._finish_waiting()
    assert (rubber.words.redactions, await rubber.waiting()) == (1, 0)


@pytest.mark.parametrize("known", [True, False], ids=["ours", "of-the-version-before"])
async def test_answers_say_the_title_no_more(world: World, rubber: Rubber, known: bool) -> None:
    """Those to requests that are repeated; those about other conversations stay."""
    ask = [pb.CreateConversationRequest(title=TITLE, request_id=it) for it in REQUESTS]
    here, other = [(await world.client(ANN).CreateConversation(it)).conversation for it in ask]
    if not known:
        unknown = text("UPDATE context_requests SET conversation_id = ''")
        await world.database.write(lambda it: it.execute(unknown))
    said = await world.post(here.conversation_id, f"{TITLE} and June")
    await rubber.erase(here.conversation_id, said.message_id)
    again = [(await world.client(ANN).CreateConversation(it)).conversation for it in ask]
    assert [it.title for it in again] == ["", TITLE]
    assert [it.conversation_id for it in again] == [it.conversation_id for it in (here, other)]
