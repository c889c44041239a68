"""Clients in other languages keep what docs/guides/clients.md asks of them."""

import asyncio

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED, TURN_STATE_SUCCEEDED, TurnState
from antiphon_client import Client, Password, text_of
from tests.clients.conftest import BUILDING, WHOLE, Served, Start
from tests.clients.examples import Ended
from tests.fakes.proxy import Proxy

pytestmark = BUILDING
NAME, PASSWORD = "nina", "a quiet afternoon by the sea"


async def stored(client: Client, ended: Ended) -> str:
    """The answer as the server has it."""
    told = ended.told
    messages = [it async for it in client.list_messages(told.conversation_id)]
    return text_of(next(it for it in messages if it.author.startswith("handlers/")).parts)


async def finished(client: Client) -> Turn:
    """The turn of the newest conversation, when it has finished."""
    async for conversation in client.list_conversations():
        async for turn in client.list_turns(conversation.conversation_id):
            while turn.state < TURN_STATE_SUCCEEDED:
                await asyncio.sleep(0.05)
                turn = await client.get_turn(turn.conversation_id, turn.turn_id)
            return turn
    raise AssertionError("no turn")


async def test_cuts_change_nothing(served: Served, start: Start) -> None:
    """Cut, resumed through Envoy, cut until the turn is over: whole text, every event, once."""
    server = served.server
    async with Proxy(server.port) as proxy, server.client() as client:
        variables = {"ANTIPHON_ADDRESS": proxy.address, "ANTIPHON_API_KEY": server.key.secret}
        run = await start(variables, "Count")
        await run.read_until("5 6")
        proxy.retarget(served.envoy_port)
        proxy.cut()
        await run.read_until("20")
        proxy.refuse()
        proxy.cut()
        await finished(client)
        proxy.flow()
        ended = await run.ended()
        assert (ended.text, ended.code) == (f"{WHOLE}\n", 0), ended
        told = ended.told
        head = await client.get_head(f"conversations/{told.conversation_id}")
        assert (told.first, told.last, told.connections) == (1, head.last_offset, 3)
        assert await stored(client, ended) == WHOLE


async def test_interrupted(served: Served, start: Start) -> None:
    """After a sign-in by password, Ctrl-C stops the turn; what was printed is what is stored."""
    server = served.server
    async with server.client() as client:
        if NAME not in [user.name async for user in client.list_users()]:
            await client.create_user(NAME, password=PASSWORD)
    variables = {
        "ANTIPHON_ADDRESS": server.address,
        "ANTIPHON_NAME": NAME,
        "ANTIPHON_PASSWORD": PASSWORD,
    }
    run = await start(variables, "Count")
    await run.read_until("5 6")
    run.interrupt()
    ended = await run.ended()
    assert (ended.told.state, ended.code) == (TurnState.Name(TURN_STATE_CANCELLED)[11:], 1)
    async with Client.connect(server.address, Password(NAME, PASSWORD)) as client:
        assert ended.text == await stored(client, ended) + "\n"
    assert len(ended.text) < len(WHOLE)
