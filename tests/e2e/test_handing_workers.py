"""A worker hands its turn to people, and may get it back."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED
from antiphon_client import Client, text_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.workers.counting import ended
from tests.workers.processes import WorkerProcess, invited

SHY = (sys.executable, "-m", "tests.workers.shy")


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client where the worker serves."""
    async with ServerProcess(tmp_path / "server") as server:
        key = await invited(server, "shy")
        log = tmp_path / "worker.log"
        async with WorkerProcess(server.address, key, log, SHY), server.client() as client:
            yield client


async def _handed(client: Client, where: str) -> Turn:
    turn = (await client.dispatch(where, "may I?", handler="shy")).turn

    async def waits() -> bool:
        return (await client.get_turn(where, turn.turn_id)).HasField("handoff")

    await until_it(waits)
    return await client.get_turn(where, turn.turn_id)


async def _said(client: Client, where: str) -> list[tuple[str, str]]:
    listed = [it async for it in client.list_messages(where)]
    mine = sorted(
        (it for it in listed if it.role == MESSAGE_ROLE_ASSISTANT), key=lambda it: it.offset
    )
    return [(it.author.partition("/")[0], text_of(it.parts)) for it in mine]


async def test_people_answer_behind_what_a_worker_has_said(client: Client) -> None:
    where = (await client.create_conversation()).conversation_id
    turn = await _handed(client, where)
    assert (turn.handoff.reason, turn.handoff.asked_by) == ("it is about money", "handlers/shy")
    assert turn.handoff.otherwise.text == "Nobody knows."
    await client.answer_handoff(where, turn.handoff.handoff_id, "You may.")
    said = [("handlers", "I am not sure."), ("users", "You may.")]
    assert await _said(client, where) == said


async def test_a_worker_goes_on_with_what_comes_back(client: Client) -> None:
    """Without a name it goes to who handed it off, who is told what was said."""
    where = (await client.create_conversation()).conversation_id
    turn = await _handed(client, where)
    await client.return_handoff(where, turn.handoff.handoff_id)
    done = await ended(client, turn)
    assert (done.state, done.handler) == (TURN_STATE_SUCCEEDED, "shy")
    assert await _said(client, where) == [("handlers", "I am not sure.\n\nSo be it.")]


async def test_a_worker_is_free_as_soon_as_people_have_its_turn(client: Client) -> None:
    """It has one slot, and others' turns come to it."""
    where = [(await client.create_conversation()).conversation_id for _ in range(3)]
    turns = [await _handed(client, each) for each in where]
    for each, turn in zip(where, turns, strict=True):
        await client.decline_handoff(each, turn.handoff.handoff_id)
        assert (await _said(client, each))[-1] == ("handlers", "Nobody knows.")


async def test_it_goes_from_people_to_people(client: Client) -> None:
    """Whoever it is returned to may be `people` again: a new hand-off."""
    where = (await client.create_conversation()).conversation_id
    turn = await _handed(client, where)
    back = await client.return_handoff(where, turn.handoff.handoff_id, "people")
    assert back.turn_id == turn.turn_id

    async def waits_again() -> bool:
        now = await client.get_turn(where, turn.turn_id)
        return now.HasField("handoff") and now.handoff.handoff_id != turn.handoff.handoff_id

    await until_it(waits_again)
    again = await client.get_turn(where, turn.turn_id)
    await client.answer_handoff(where, again.handoff.handoff_id, "No.")
    assert (await _said(client, where))[-1] == ("users", "No.")
