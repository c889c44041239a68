"""A server that says nothing though somebody waits for it."""

import asyncio

from antiphon_client import ApiKey, Client
from tests.client.fake_server import CONVERSATION, fake_server
from tests.e2e.until import PATIENCE_S, until
from tests.fakes.proxy import Proxy

SLOW = [f"word{n} " for n in range(8)]


async def test_silence_is_told_and_so_is_its_end() -> None:
    """A network that swallows all is told of; what it held back then comes, once."""
    told: list[str] = []
    async with (
        fake_server(answer=SLOW, gap_s=0.3) as server,
        Proxy(server.port) as proxy,
        Client.connect(
            proxy.address, ApiKey("key"), on_connection=lambda at: told.append(at.state)
        ) as client,
        client.converse(CONVERSATION) as talk,
    ):
        turn = await talk.post("Hi")
        proxy.stall("down")
        await until(lambda: "silent" in told)  # how soon: test_pulse_times
        proxy.flow()
        assert (await turn.result()).text == "".join(SLOW)
    assert told == ["connecting", "connected", "silent", "connected"]


async def test_a_stream_that_stays_silent_is_opened_again() -> None:
    """What is frozen keeps its connections: the answer comes on another one, whole and once."""
    told: list[str] = []
    async with (
        fake_server(frozen=1) as server,
        server.client(on_connection=lambda at: told.append(at.state)) as client,
        client.converse(CONVERSATION) as talk,
    ):
        async with asyncio.timeout(PATIENCE_S):
            turn = await talk.post("Hi")
            assert "".join([piece async for piece in turn]) == "Hello wide wörld!"
        assert (len(server.posts), server.streams) == (1, 2)
    assert told == ["connecting", "connected", "silent", "waiting", "connecting", "connected"]


async def test_a_long_thought_is_no_silence() -> None:
    """A server that answers when it is asked for a word is left in peace."""
    told: list[str] = []
    async with (
        fake_server(answer=["Hm", "..."], gap_s=3.0) as server,
        server.client(on_connection=lambda at: told.append(at.state)) as client,
        client.converse(CONVERSATION) as talk,
    ):
        assert (await (await talk.post("Hi")).result()).succeeded
        assert (server.felt > 0, server.streams) == (True, 1)
    assert told == ["connecting", "connected"]


async def test_nobody_is_asked_for_a_word_while_nothing_is_awaited() -> None:
    """Thousands of open conversations cost nothing but their heartbeats."""
    async with fake_server() as server, server.client() as client:
        async with client.converse(CONVERSATION):
            await asyncio.sleep(2.5)
        assert server.felt == 0
