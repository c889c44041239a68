"""Turns that wait for people lose nothing with the server that has them."""

import asyncio
import base64
import os
from datetime import timedelta
from pathlib import Path

import pytest

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, TURN_STATE_SUCCEEDED
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.speaking import speaks
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres


async def _handed(client: Client, where: str, handler: str = "people") -> tuple[str, str]:
    """A new turn that waits for people, and its hand-off."""
    turn_id = (await client.dispatch(where, "hello", handler=handler)).turn.turn_id

    async def waits() -> bool:
        return (await client.get_turn(where, turn_id)).HasField("handoff")

    await until_it(waits)
    return turn_id, (await client.get_turn(where, turn_id)).handoff.handoff_id


async def _ended(client: Client, where: str, turn_id: str) -> Turn:
    async def has_ended() -> bool:
        return (await client.get_turn(where, turn_id)).HasField("end_time")

    await until_it(has_ended)
    return await client.get_turn(where, turn_id)


async def _answers(client: Client, where: str, turn_id: str) -> list[str]:
    said = [it async for it in client.list_messages(where)]
    return [
        text_of(it.parts)
        for it in said
        if it.turn_id == turn_id and it.role == MESSAGE_ROLE_ASSISTANT
    ]


async def test_it_waits_on_when_its_server_was_killed(tmp_path: Path) -> None:
    """Handed off, then claimed: both are so in the server's next life, and it is answered there."""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            made = await client.create_conversation()
            where = made.conversation_id
            turn_id, handoff_id = await _handed(client, where)
            before = (await client.get_turn(where, turn_id)).handoff
        await server.kill()
        await server.start()
        async with server.client() as client:
            turn = await client.get_turn(where, turn_id)
            assert turn.handoff == before
            claimed = await client.claim_handoff(where, handoff_id)
        await server.kill()
        await server.start()
        async with server.client() as client:
            turn = await client.get_turn(where, turn_id)
            assert turn.handoff.claimed_by == claimed.claimed_by
            queue = [it async for it in client.list_handoffs(made.workspace_id)]
            assert [it.handoff.handoff_id for it in queue] == [handoff_id]
            await client.answer_handoff(where, handoff_id, "still here")
            assert await _answers(client, where, turn_id) == ["still here"]


async def test_what_was_just_answered_ends_once(tmp_path: Path) -> None:
    """The server dies while an answer is on its way: it is there or it isn't, and then may be."""
    async with ServerProcess(tmp_path, variables=ONE_FOR_MANY) as server:
        for round_ in range(6):
            async with server.client(deadline=3) as client:
                where = (await client.create_conversation()).conversation_id
                turn_id, handoff_id = await _handed(client, where)
                answering = asyncio.ensure_future(client.answer_handoff(where, handoff_id, "once"))
                await asyncio.sleep(0.002 * round_)
                await server.kill()
                await asyncio.gather(answering, return_exceptions=True)
            await server.start()
            async with server.client() as client:
                turn = await client.answer_handoff(where, handoff_id, "once")
                assert turn.state == TURN_STATE_SUCCEEDED
                assert await _answers(client, where, turn_id) == ["once"]


async def test_it_expires_once_though_its_server_was_away(tmp_path: Path) -> None:
    """What ran out meanwhile has expired as soon as there is a server."""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            where = (await client.create_conversation()).conversation_id
            turn_id = (await client.dispatch(where, "a " * 400, handler="echo")).turn.turn_id
            await speaks(client, where, turn_id)
            soon = timedelta(seconds=1)
            turn = await client.hand_off_turn(
                where, turn_id, expire_after=soon, otherwise_text="closed"
            )
        await server.kill()
        await asyncio.sleep(1)
        await server.start()
        async with server.client() as client:
            ended = await _ended(client, where, turn_id)
            assert ended.state == TURN_STATE_SUCCEEDED
            assert (await _answers(client, where, turn_id))[0:1] == ["closed"]
            with pytest.raises(AntiphonError) as refused:
                await client.answer_handoff(where, turn.handoff.handoff_id, "late")
            assert refused.value.metadata["end"] == "EXPIRED"


async def test_two_servers_have_one_queue(postgres: Postgres, tmp_path: Path) -> None:
    """Either lists, claims and answers what the other has; one that dies leaves it to the other."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": "2",
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with first, second, first.client() as one, second.client() as other:
        made = await one.create_conversation()
        where = made.conversation_id
        turn_id, handoff_id = await _handed(one, where)
        listed = [it async for it in other.list_handoffs(made.workspace_id)]
        assert [it.handoff.handoff_id for it in listed] == [handoff_id]
        claimed = await other.claim_handoff(where, handoff_id)
        assert (await one.get_turn(where, turn_id)).handoff == claimed
        await one.release_handoff(where, handoff_id)
        answered = await other.answer_handoff(where, handoff_id, "from the other")
        assert answered == await one.get_turn(where, turn_id)
        left, left_id = await _handed(one, where)
        expiring = (await one.create_conversation()).conversation_id
        turn = (await one.dispatch(expiring, "a " * 400, handler="echo")).turn.turn_id
        await one.hand_off_turn(expiring, turn, expire_after=timedelta(seconds=1))
        await first.kill()
        ended = await _ended(other, expiring, turn)
        assert ended.state == TURN_STATE_FAILED
        await other.answer_handoff(where, left_id, "adopted")
        assert await _answers(other, where, left) == ["adopted"]
