"""The client against a whole server: what the stand-ins of the other files can't show."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_GUEST, ROLE_VIEWER
from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED, Event
from antiphon_client import (
    AntiphonError,
    ApiKey,
    Client,
    Follow,
    NotFound,
    Password,
    Tokens,
    TurnResult,
    Unauthenticated,
    new_turn_id,
    text_of,
)
from antiphon_server.app import running
from antiphon_server.settings import Settings
from tests.e2e.until import PATIENCE_S, SOON_S, until
from tests.fakes.proxy import Proxy

WORDS = " ".join(f"wörd{number}" for number in range(80))


class Server:
    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.key = ApiKey(key)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    settings = Settings(port=0, admin_port=None, data_dir=tmp_path / "data", model="scripted/echo")
    async with running(settings) as app:
        yield Server(app.port, (settings.data_dir / "operator.key").read_text().strip())


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client.connect(server.address, server.key) as client:
        yield client


async def test_random_cuts_change_nothing(server: Server) -> None:
    """Over many cuts each answer arrives whole and once, and the log has no gap."""
    chance = random.Random(7)
    async with Proxy(server.port) as proxy, Client.connect(proxy.address, server.key) as client:
        conversation = await client.create_conversation()
        scope = f"conversations/{conversation.conversation_id}"
        offsets: list[int] = []

        async def follow() -> None:
            async for event in client.follow(scope, earliest=True):
                offsets.extend(range(event.first_offset, event.last_offset + 1))

        following = asyncio.create_task(follow())
        async with (
            proxy.cutting(chance, 5000, (0.0, 0.2)),
            client.converse(conversation.conversation_id) as talk,
        ):
            for _ in range(3):
                turn = await talk.post(WORDS, handler="echo")
                assert "".join([piece async for piece in turn]) == WORDS
        head = await client.get_head(scope)
        await until(lambda: bool(offsets) and offsets[-1] >= head.last_offset, SOON_S)
        following.cancel()
        assert sorted(set(offsets)) == list(range(1, head.last_offset + 1))
        assert proxy.connections > 3


async def test_cuts_sooner_than_a_whole_batch_get_on(server: Server) -> None:
    """A proxy that cuts after 40 KB lets a history of 600 KB through, a piece each time."""
    async with Client.connect(server.address, server.key) as near:
        name = (await near.create_conversation()).conversation_id
        async with asyncio.TaskGroup() as posting:
            for _ in range(200):
                posting.create_task(near.post_message(name, "x" * 3000))
    async with Proxy(server.port) as proxy, Client.connect(proxy.address, server.key) as client:

        async def cut_again() -> None:
            while True:
                if proxy.down.cut_after is None:
                    proxy.cut_after(40_000)
                await asyncio.sleep(0.005)

        cutting = asyncio.create_task(cut_again())
        posted = 0
        async with asyncio.timeout(PATIENCE_S):
            async for event in client.follow(f"conversations/{name}", earliest=True):
                posted += event.HasField("message_posted")
                if posted == 200:
                    break
        cutting.cancel()
        assert proxy.connections > 10


async def test_what_comes_between_deltas_takes_their_places(client: Client) -> None:
    """Any event does that stays, as the guide to streams says, and the text is the message's."""
    name = (await client.create_conversation()).conversation_id
    async with client.converse(name) as talk:
        turn = await talk.post(WORDS, handler="echo")
        pieces = aiter(turn)
        await anext(pieces)
        between = await client.post_message(name, "Meanwhile")
        assert WORDS.endswith("".join([piece async for piece in pieces]))
    events = await _folded(client, f"conversations/{name}")
    assert [it.first_offset for it in events[1:]] == [it.last_offset + 1 for it in events[:-1]]
    wide = [it for it in events if it.first_offset < it.last_offset]
    assert [bool(it.turn_id) for it in wide] == [False, True]
    assert wide[0].message_posted.message.message_id == between.message_id
    assert text_of(wide[1].message_posted.message.parts) == WORDS


async def _folded(client: Client, scope: str) -> Sequence[Event]:
    """A log's events, when no text delta is among them any more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            events = (await client.read_events(scope, page_size=500)).events
            if not any(it.HasField("text_delta_appended") for it in events):
                return events
            await asyncio.sleep(0.05)


async def test_a_stop_keeps_exactly_what_was_delivered(client: Client) -> None:
    """The stored message is the text that the client has seen."""
    conversation = await client.create_conversation()
    async with client.converse(conversation.conversation_id) as talk:
        turn = await talk.post(WORDS, handler="echo")
        seen = ""
        async for piece in turn:
            seen += piece
            if len(seen) > 30:
                await turn.cancel()
                break
        result = await turn.result()
    assert result.state == TURN_STATE_CANCELLED
    assert result.truncated
    reply = await anext(client.list_messages(conversation.conversation_id))
    assert text_of(reply.parts) == result.text
    assert result.text.startswith(seen)


async def test_a_stop_may_come_before_its_turn(client: Client) -> None:
    """A turn that was stopped before it came ends at once, with nothing said."""
    conversation = await client.create_conversation()
    async with client.converse(conversation.conversation_id) as talk:
        turn_id = new_turn_id()
        await talk.cancel(turn_id)
        turn = await talk.post(WORDS, handler="echo", turn_id=turn_id)
        result = await turn.result()
    assert (result.state, result.text) == (TURN_STATE_CANCELLED, "")


async def test_several_turns_are_told_apart(client: Client) -> None:
    """Turns of one conversation, posted together, each get their own answer."""
    conversation = await client.create_conversation()
    async with client.converse(conversation.conversation_id) as talk:

        async def ask(number: int) -> TurnResult:
            return await (await talk.post(f"say {number}", handler="echo")).result()

        results = await asyncio.gather(*(ask(number) for number in range(5)))
    assert [result.text for result in results] == [f"say {number}" for number in range(5)]


async def test_only_who_has_an_account_becomes_a_member(client: Client) -> None:
    """An id that nobody has is not found."""
    conversation = await client.create_conversation()
    with pytest.raises(AntiphonError) as caught:
        await client.add_member(conversation.conversation_id, "user_doesnotexist99", ROLE_VIEWER)
    assert caught.value.reason == "NOT_FOUND"


async def test_roles_are_given_by_name(client: Client) -> None:
    """As people write them; another word is told what there is."""
    user = await client.create_user("gus", "correct horse battery", display_name="Gus Gray")
    where = (await client.create_conversation()).conversation_id
    assert (await client.add_member(where, user.user_id, "guest")).role == ROLE_GUEST
    assert (await client.update_member(where, user.user_id, "Viewer")).role == ROLE_VIEWER
    roles = {member.user_id: member.role async for member in client.list_members(where)}
    assert roles[user.user_id] == ROLE_VIEWER
    names = {member.user_id: member.display_name async for member in client.list_members(where)}
    assert names[user.user_id] == "Gus Gray"
    with pytest.raises(ValueError, match="the roles are viewer, member, guest, admin, owner"):
        await client.add_member(where, user.user_id, "boss")


async def test_access_that_is_removed_ends_the_stream(server: Server, client: Client) -> None:
    """Who may not read any more is told so, for good."""
    user = await client.create_user("anna", "correct horse battery")
    conversation = await client.create_conversation()
    await client.add_member(conversation.conversation_id, user.user_id, ROLE_VIEWER)
    credentials = Password("anna", "correct horse battery")
    async with Client.connect(server.address, credentials) as anna:
        follow = anna.follow(f"conversations/{conversation.conversation_id}", earliest=True)
        reading = asyncio.create_task(_read_all(follow))
        await asyncio.sleep(0.3)
        assert not reading.done()
        await client.remove_member(conversation.conversation_id, user.user_id)
        with pytest.raises(AntiphonError):
            await asyncio.wait_for(reading, SOON_S)


async def test_a_session_that_is_ended_ends_its_streams(server: Server, client: Client) -> None:
    """A client that has nothing but a session's tokens is out when that is revoked."""
    tokens = Tokens(await client.tokens.get())
    session = (await client.who_am_i()).session.session_id
    scope = f"conversations/{(await client.create_conversation()).conversation_id}"
    async with Client.connect(server.address, tokens) as other:
        reading = asyncio.create_task(_read_all(other.follow(scope)))
        await asyncio.sleep(0.3)
        assert not reading.done()
        await client.revoke_session(session)
        with pytest.raises(Unauthenticated):
            await asyncio.wait_for(reading, SOON_S)


async def test_a_key_opens_another_session(client: Client) -> None:
    """A client that has a key goes on in a new session when its session is revoked."""
    session = (await client.who_am_i()).session.session_id
    await client.revoke_session(session)
    assert (await client.who_am_i()).session.session_id != session


async def test_foreign_conversations_do_not_exist(server: Server, client: Client) -> None:
    """Where there is no access there is nothing to be found."""
    await client.create_user("ben", "correct horse battery")
    conversation = await client.create_conversation()
    credentials = Password("ben", "correct horse battery")
    async with Client.connect(server.address, credentials) as ben:
        with pytest.raises(NotFound):
            await ben.get_conversation(conversation.conversation_id)
        with pytest.raises(NotFound):
            await ben.converse(conversation.conversation_id).__aenter__()
        with pytest.raises(NotFound):
            await _read_all(ben.follow(f"conversations/{conversation.conversation_id}"))


async def test_broken_rules_name_the_field(client: Client) -> None:
    """A refused request says which field and why."""
    with pytest.raises(AntiphonError) as caught:
        await client.get_conversation("nonsense")
    assert "conversation_id" in caught.value.violations


async def _read_all(follow: Follow) -> None:
    async for _ in follow:
        pass
