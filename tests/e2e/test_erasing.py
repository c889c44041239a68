"""What was said is erased: nothing that was kept of it is found anywhere any more."""

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.context.v1.message_pb2 import Message
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.canaries import answers_with, files_with, followed, rows_with
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, its operator, and where it keeps things."""

    server: ServerProcess
    url: str
    client: Client

    async def places_of(self, text: str, conversation_id: str) -> list[str]:
        """Where it is: answers, tables, and on SQLite files."""
        answers = await answers_with(self.client, conversation_id, text)
        rows = await rows_with(self.server.data_dir, text, self.url)
        return answers + rows + files_with(self.server.data_dir, text)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """One on each kind of store."""
    variables, url = {}, ""
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = variables["ANTIPHON_DATABASE_URL"] = await postgres.database()
    home: Path = tmp_path_factory.mktemp(request.param)
    async with ServerProcess(home, variables=variables) as server, server.client() as client:
        yield Stage(server, url, client)
        assert server.defects == []


def canary() -> str:
    """A word that nobody else says."""
    return f"canary{uuid.uuid4().hex}"


async def said(client: Client, conversation_id: str) -> list[Message]:
    """The messages, the oldest first."""
    return [it async for it in client.list_messages(conversation_id)][::-1]


async def answered(client: Client, conversation_id: str, text: str) -> str:
    """Have it echoed; returns the id of the question."""
    sent = await client.dispatch(conversation_id, text, handler="echo")
    follow = client.follow(f"conversations/{conversation_id}", cursor=sent.cursor)
    async with aclosing(aiter(follow)) as events:
        async for event in events:
            if event.HasField("turn_finished"):
                break
    return next(
        it.message_id
        for it in await said(client, conversation_id)
        if it.turn_id == sent.turn.turn_id
    )


async def test_a_message_is_nowhere_once_it_is_erased(stage: Stage) -> None:
    """What was said without a turn is in no answer, table or file; its place says that it was."""
    word, client = canary(), stage.client
    made = await client.create_conversation()
    here = made.conversation_id
    posted = await client.post_message(here, f"the word is {word}", in_context=True)
    await client.post_message(here, "and something else", in_context=True)
    assert "ReadEvents" in await stage.places_of(word, here)
    assert await client.erase_messages(here, [posted.message_id]) == [posted.message_id]
    assert await stage.places_of(word, here) == []
    first, second = await said(client, here)
    assert (first.erased, len(first.parts), first.author) == (True, 0, posted.author)
    assert not second.erased
    assert (await client.get_context(here)).rolled_back_messages == 0


async def test_what_a_turn_has_said_goes_with_its_answer(stage: Stage) -> None:
    """Asked for with its answers, a question takes the answer, its pieces and the request along."""
    word, client = canary(), stage.client
    here = (await client.create_conversation()).conversation_id
    asked = await answered(client, here, f"say {word} " + "and so on " * 200)
    kept = await answered(client, here, "what stays")
    erased = await client.erase_messages(here, [asked], answers=True)
    assert len(erased) == 2
    assert await stage.places_of(word, here) == []
    flags = [(it.erased, bool(it.parts)) for it in await said(client, here)]
    assert flags == [(True, False), (True, False), (False, True), (False, True)]
    assert kept not in erased
    assert any("messages_erased" in it for it in await followed(client, here))
    assert await client.erase_messages(here, [asked], answers=True) == erased


async def test_a_title_that_was_taken_from_it_goes(stage: Stage) -> None:
    """The first message's beginning is no title any more, in no log, list or stored answer."""
    word, client = canary(), stage.client
    made = await client.create_conversation(f"about {word}")
    here = made.conversation_id
    await client.update_conversation(here, title=f"about {word} and")
    posted = await client.post_message(here, f"about {word} and everything", in_context=True)
    await client.erase_messages(here, [posted.message_id])
    assert await stage.places_of(word, here) == []
    assert (await client.get_conversation(here)).title == ""
    kept = await client.create_conversation("a title of its own")
    other = await client.post_message(kept.conversation_id, "something else")
    await client.erase_messages(kept.conversation_id, [other.message_id])
    assert (await client.get_conversation(kept.conversation_id)).title == "a title of its own"


async def test_authors_and_managers_erase(stage: Stage) -> None:
    """A member erases their own messages, whoever manages the conversation all; others none."""
    client, name = stage.client, f"anna{uuid.uuid4().hex[:8]}"
    here = (await client.create_conversation()).conversation_id
    user_id = (await client.create_user(name, PASSWORD)).user_id
    await client.add_member(here, user_id, "member")
    ours = await client.post_message(here, "by the owner")
    async with Client.connect(stage.server.address, Password(name, PASSWORD)) as anna:
        one, two = [await anna.post_message(here, "by anna") for _ in range(2)]
        with pytest.raises(AntiphonError) as refused:
            await anna.erase_messages(here, [ours.message_id])
        assert refused.value.reason == "PERMISSION_DENIED"
        assert await anna.erase_messages(here, [one.message_id]) == [one.message_id]
    await client.erase_messages(here, [two.message_id])
    with pytest.raises(AntiphonError) as refused:
        await client.erase_messages(here, ["msg_that_nobody_said"])
    assert refused.value.reason == "NOT_FOUND"
    assert [it.erased for it in await said(client, here)] == [False, True, True]


async def test_what_a_turn_still_says_is_not_erased(stage: Stage) -> None:
    """A message of a turn that runs is refused, and all of it stays; once it has ended it goes."""
    client = stage.client
    here = (await client.create_conversation()).conversation_id
    sent = await client.dispatch(here, "one word " * 400, handler="echo")
    (asked,) = await said(client, here)
    with pytest.raises(AntiphonError) as refused:
        await client.erase_messages(here, [asked.message_id], answers=True)
    assert refused.value.reason == "TURN_NOT_ENDED"
    assert not (await said(client, here))[0].erased
    await client.cancel_turn(here, sent.turn.turn_id)
    await client.erase_messages(here, [asked.message_id], answers=True)
    assert all(it.erased for it in await said(client, here))
