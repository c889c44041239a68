"""What others say is shown, also while it can't be found out what they are called."""

import asyncio
import io
from collections.abc import AsyncGenerator

import grpc
import pytest

from antiphon.context.v1.conversation_pb2 import Member
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message, Part
from antiphon.events.v1.event_pb2 import Event, MessagePosted
from antiphon_client import ApiKey, Client, Unavailable
from antiphon_server.cli.chat.names import SOMEBODY, Names
from antiphon_server.cli.chat.news import News
from antiphon_server.cli.chat.screen import Screen
from tests.cli.conftest import Home
from tests.e2e.until import PATIENCE_S

AWAY = Unavailable(grpc.StatusCode.UNAVAILABLE, "away", reason="SERVICE_UNAVAILABLE")


class Forgetful(Client):
    """A client that is not told of members at first."""

    away = True

    async def list_members(self, resource: str) -> AsyncGenerator[Member]:
        """See Client."""
        if self.away:
            raise AWAY
        async for member in super().list_members(resource):
            yield member


async def test_a_message_is_shown_without_the_name_of_who_says_it() -> None:
    """It is no reason to leave out what was said."""

    async def names(_author: str) -> str:
        raise AWAY

    paper, came = io.StringIO(), asyncio.Event()
    news = News(Screen(paper, paper), names)
    news.told = came.set
    parts = [Part(text="I am here")]
    said = Message(message_id="m", role=MESSAGE_ROLE_USER, author="users/user_a", parts=parts)
    running = asyncio.create_task(news.run())
    news.take(Event(message_posted=MessagePosted(message=said)))
    async with asyncio.timeout(PATIENCE_S):
        await came.wait()
    news.show()
    running.cancel()
    assert paper.getvalue() == f"{SOMEBODY}> I am here\n"


async def test_a_name_that_could_not_be_learned_is_asked_for_again(
    shared_home: Home, address: str
) -> None:
    """One failure makes nobody a stranger for the rest of the chat."""
    async with shared_home.client(address) as operator:
        where = (await operator.create_conversation("names")).conversation_id
        anna = await operator.create_user("anna-names", "a long enough secret", display_name="Anna")
        await operator.add_member(where, anna.user_id, "member")
    author, names = f"users/{anna.user_id}", Names()
    key = ApiKey((shared_home.data_dir / "operator.key").read_text().strip())
    async with Forgetful.connect(address, key) as client:
        with pytest.raises(Unavailable):
            await names.learn(client, where, [author])
        client.away = False
        assert names.of(author) == SOMEBODY
        await names.learn(client, where, [author])
    assert names.of(author) == "Anna"
