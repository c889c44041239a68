"""Who calls a service that is started again notices nothing, where a call may be made twice."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from antiphon.auth.v1 import auth_service_pb2 as auth
from antiphon.context.v1 import context_service_pb2 as context
from antiphon_client import ApiKey, Client, Unavailable
from antiphon_client.contracts import may_be_repeated
from tests.client.fake_server import CONVERSATION, SCOPE, fake_server
from tests.e2e.server import ServerProcess
from tests.fakes.proxy import Proxy

AWAY_S = 6.0  # longer than the transport itself tries again


def test_requests_are_known_by_their_types() -> None:
    """Reads, and changes that carry an id; no others."""
    assert may_be_repeated(context.PostMessageRequest())
    assert may_be_repeated(auth.WhoAmIRequest())
    assert not may_be_repeated(auth.LoginRequest())


async def test_a_login_is_not_repeated() -> None:
    """Each may have opened a session, and counts against a limit."""
    async with fake_server(no_logins=True) as server, server.client(patient=True) as client:
        with pytest.raises(Unavailable):
            await client.who_am_i()
        assert server.logins == 1


async def follow(client: Client) -> None:
    """Wait for an event."""
    await anext(aiter(client.follow(SCOPE, earliest=True)))


async def converse(client: Client) -> None:
    """Begin a conversation on a stream."""
    await client.converse(CONVERSATION).__aenter__()


@pytest.mark.parametrize("ask", [Client.who_am_i, follow, converse])
async def test_a_server_that_stays_away_is_unavailable(
    ask: Callable[[Client], Awaitable[object]],
) -> None:
    """Soon, where a call is made; on a stream when who asks gives up."""
    async with Client.connect("127.0.0.1:1", ApiKey("key"), give_up_after=0.3) as client:
        with pytest.raises(Unavailable):
            await ask(client)


async def test_calls_wait_for_a_server_that_is_started_again(tmp_path: Path) -> None:
    """For ten seconds; who is not patient is told at once."""
    async with (
        ServerProcess(tmp_path) as server,
        Proxy(server.port) as way,
        Client.connect(way.address, server.key) as patient,
        Client.connect(way.address, server.key, patient=False) as hasty,
    ):
        conversation = (await patient.create_conversation()).conversation_id
        await hasty.who_am_i()
        way.refuse()
        await server.restart()  # however long that takes: nobody gets in yet
        waiting = asyncio.create_task(patient.post_message(conversation, "are you there?"))
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await hasty.who_am_i()
        assert time.monotonic() - began < AWAY_S / 2
        await asyncio.sleep(AWAY_S - (time.monotonic() - began))
        assert not waiting.done()
        way.flow()
        await waiting
        stored = [message async for message in patient.list_messages(conversation)]
        assert len(stored) == 1
