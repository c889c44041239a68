"""Workers in other languages, told what real servers say seldom."""

import asyncio
from pathlib import Path

import pytest

from antiphon.dispatcher.v1.worker_pb2 import REVOKE_REASON_REMOVED, Revoke
from antiphon.dispatcher.v1.worker_service_pb2 import WorkResponse
from tests.clients import examples
from tests.clients.conftest import BUILDING, marked
from tests.clients.examples import WORKERS, Example
from tests.clients.test_workers import TEXTS
from tests.clients.told_worker import TURN, telling_server

pytestmark = [
    BUILDING,
    pytest.mark.parametrize(
        "example", [marked(it) for it in WORKERS], indirect=True, scope="session"
    ),
]
SLOWLY = {"ANTIPHON_API_KEY": "key", "PAUSE_MS": "100"}


async def test_a_turn_is_let_go_of_whatever_its_fence(built: Path, example: Example) -> None:
    """Fence 0 means whichever the worker knows: nothing more is said of the turn."""
    async with telling_server() as server:
        where = {"ANTIPHON_ADDRESS": server.address, **SLOWLY}
        run = await examples.start_worker(example, built, where)
        try:
            await server.welcome()
            await server.assign(example.handler, TEXTS[example.handler])
            assert (await server.hears("output")).output.turn_id == TURN
            await server.tell(
                WorkResponse(revoke=Revoke(turn_id=TURN, reason=REVOKE_REASON_REMOVED))
            )
            async with asyncio.timeout(3):  # what is on its way may name it still
                while TURN in (await server.hears("heartbeat")).heartbeat.turn_ids:
                    pass
        finally:
            await run.kill()


async def test_one_that_hears_nothing_says_nothing_more(built: Path, example: Example) -> None:
    """When four fifths of a lease have gone by without a beat it stops; it comes back with it."""
    async with telling_server() as server:
        where = {"ANTIPHON_ADDRESS": server.address, **SLOWLY}
        run = await examples.start_worker(example, built, where)
        try:
            await server.welcome(lease_s=2)
            await server.assign(example.handler, TEXTS[example.handler])
            await server.hears("output")
            server.beats = False
            async with asyncio.timeout(3):
                hello = (await server.hears("hello")).hello
            assert [(it.turn_id, it.fence) for it in hello.held] == [(TURN, 1)]
        finally:
            await run.kill()
