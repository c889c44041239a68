"""Two servers on one Postgres are one to their clients: whichever is asked, and whichever dies."""

import asyncio
import base64
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1.dispatcher_service_pb2 import CancelTurnRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_client import Client, new_turn_id
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import SOON_S, until, until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.postgres import Postgres
from tests.proofs.robustness.history import state_name

pytestmark = pytest.mark.asyncio(loop_scope="module")
LEASE_S = 2.0
CANCEL_TURN = "/antiphon.dispatcher.v1.DispatcherService/CancelTurn"
CANCELS, MOST_CANCELS = 15, 25  # a minute
BUSY_S = 10.0
KNOWN_S = 1.0
"""Servers look twice a second what others have changed."""
LONG = Behaviour(deltas=2000, gap_ms=5)
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, a client of each, and the endpoint behind their model."""

    endpoint: FakeEndpoint
    servers: tuple[ServerProcess, ServerProcess]
    clients: tuple[Client, Client]

    async def busy(self) -> tuple[str, str]:
        """A conversation whose first turn the first server works on."""
        one = self.clients[0]
        conversation = (await one.create_conversation()).conversation_id
        self.endpoint.plan.append(LONG)
        seen = len(self.endpoint.seen)
        posted = await one.dispatch(conversation, "go on")
        await self.endpoint.wait_seen(seen + 1)
        await until(lambda: self.endpoint.seen[-1].sent > 5)
        return conversation, posted.turn.turn_id

    async def ended(self, conversation: str, turn_id: str) -> Turn:
        """The turn at its end, as the second server tells it."""
        async with asyncio.timeout(LEASE_S * 2 + BUSY_S):
            while True:
                turn = await self.clients[1].get_turn(conversation, turn_id)
                if state_name(turn.state) in ENDED:
                    return turn
                await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    url, home = await postgres.database(), tmp_path_factory.mktemp("servers")
    variables = _variables(url, os.urandom(32))
    async with FakeEndpoint() as endpoint:
        models = [openai_model("fake/model", endpoint.base_url)]
        first, second = (
            ServerProcess(home / name, models=models, variables=variables) for name in "ab"
        )
        async with first, second, first.client() as one, second.client() as other:
            yield Pair(endpoint, (first, second), (one, other))


def _variables(url: str, secret: bytes) -> dict[str, str]:
    return {
        "ANTIPHON_DATABASE_URL": url,
        "ANTIPHON_SECRET_KEY": base64.b64encode(secret).decode(),
        "ANTIPHON_LEASE_S": str(LEASE_S),
        "ANTIPHON_RATE_LIMITS": json.dumps({"rpcs": {CANCEL_TURN: MOST_CANCELS}}),
    }


def state(turn: Turn) -> str:
    return state_name(turn.state)


async def test_a_turn_is_seen_and_stopped_at_the_other_server(pair: Pair) -> None:
    """What runs on the first is RUNNING on the second; a stop there reaches the model."""
    conversation, turn_id = await pair.busy()
    other = pair.clients[1]
    assert state(await other.get_turn(conversation, turn_id)) == "RUNNING"
    asked = pair.endpoint.seen[-1]
    stopped = await other.cancel_turn(conversation, turn_id)
    assert state(stopped) == "CANCELLED"
    assert stopped.reply_message_id
    await until(lambda: asked.aborted is not None, SOON_S)


async def test_a_conversation_has_one_queue(pair: Pair) -> None:
    """A message to the second server waits behind the turn that the first works on."""
    conversation, turn_id = await pair.busy()
    other = pair.clients[1]
    waiting = (await other.dispatch(conversation, "and then")).turn
    assert state(waiting) == "QUEUED"
    again = await pair.clients[0].get_turn(conversation, waiting.turn_id)
    assert state(again) == "QUEUED"
    await other.cancel_turn(conversation, turn_id)
    assert state(await pair.ended(conversation, waiting.turn_id)) == "SUCCEEDED"


async def test_who_may_serve_what_is_known_at_the_other_server(pair: Pair) -> None:
    """Within a second or so: what is allowed, and what is forbidden."""
    one, other = pair.clients
    program = (await one.create_user("reviewer", program=True)).user_id

    async def listed() -> bool:
        return "reviewer" in {it.name async for it in other.list_handlers()}

    await one.allow_worker("global", "reviewer", program)
    assert await until_it(listed) < KNOWN_S
    await one.forbid_worker("global", "reviewer", program)

    async def gone() -> bool:
        return not await listed()

    assert await until_it(gone) < KNOWN_S


async def test_a_repeated_dispatch_is_one_turn(pair: Pair) -> None:
    """Whichever server it is repeated at."""
    one, other = pair.clients
    conversation, turn_id = (await one.create_conversation()).conversation_id, new_turn_id()
    first = await one.dispatch(conversation, "hello", turn_id=turn_id)
    second = await other.dispatch(conversation, "hello", turn_id=turn_id)
    assert (first.cursor, first.turn.create_time) == (second.cursor, second.turn.create_time)
    assert state(await pair.ended(conversation, turn_id)) == "SUCCEEDED"


async def test_converse_at_the_other_server(pair: Pair) -> None:
    """Posts and stops on a stream are forwarded, too."""
    conversation, turn_id = await pair.busy()
    async with pair.clients[1].converse(conversation) as talk:
        posted = await talk.post("and then")
        assert state(await talk.cancel(turn_id)) == "CANCELLED"
        assert state(await pair.ended(conversation, posted.turn_id)) == "SUCCEEDED"


async def test_a_forwarded_call_counts_once(pair: Pair) -> None:
    """What was asked of the second server is not held against the caller at the first again."""
    one, other = pair.clients
    conversation = (await one.create_conversation()).conversation_id
    turn_id = (await one.dispatch(conversation, "hello")).turn.turn_id  # the first has the lane
    for client in (other, one):
        metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
        stub = DispatcherServiceStub(client.channel)
        for _ in range(CANCELS):
            request = CancelTurnRequest(conversation_id=conversation, turn_id=turn_id)
            assert (await stub.CancelTurn(request, metadata=metadata)).turn.turn_id == turn_id


async def test_a_server_that_is_killed_leaves_nothing_undone(pair: Pair) -> None:
    """The second ends its turns within the lease, keeps what was delivered, and goes on."""
    conversation, turn_id = await pair.busy()
    waiting = (await pair.clients[0].dispatch(conversation, "and then")).turn
    first = pair.servers[0]
    await first.kill()
    began = time.monotonic()
    lost = await pair.ended(conversation, turn_id)
    assert (state(lost), lost.error.message != "") == ("FAILED", True)
    assert time.monotonic() - began < 2 * LEASE_S + BUSY_S
    assert lost.reply_message_id
    assert state(await pair.ended(conversation, waiting.turn_id)) == "SUCCEEDED"
    later = await pair.clients[1].dispatch(conversation, "still there?")
    assert state(await pair.ended(conversation, later.turn.turn_id)) == "SUCCEEDED"
    await first.start()
    again = await pair.clients[0].dispatch(conversation, "back again")
    assert state(await pair.ended(conversation, again.turn.turn_id)) == "SUCCEEDED"


async def test_a_server_that_stood_still_writes_nothing_more(pair: Pair) -> None:
    """Stopped in its tracks in a turn: the second ends that; the first, back, sends it there."""
    conversation, turn_id = await pair.busy()
    first, (one, other) = pair.servers[0], pair.clients
    first.signal(signal.SIGSTOP)
    await asyncio.sleep(LEASE_S + 0.5)
    later = await other.dispatch(conversation, "still there?")
    lost = await pair.ended(conversation, turn_id)
    assert state(await pair.ended(conversation, later.turn.turn_id)) == "SUCCEEDED"
    first.signal(signal.SIGCONT)
    assert await one.get_turn(conversation, turn_id) == lost
    again = await one.dispatch(conversation, "back again")
    assert state(await pair.ended(conversation, again.turn.turn_id)) == "SUCCEEDED"
    page = await other.read_events(f"conversations/{conversation}", "", page_size=1000)
    ends = [event.turn_id for event in page.events if event.HasField("turn_finished")]
    assert sorted(ends) == sorted([turn_id, later.turn.turn_id, again.turn.turn_id])


async def test_a_server_that_stops_hands_over_at_once(pair: Pair) -> None:
    """Nobody waits for its lease: a message right after is answered by the other."""
    one = pair.clients[0]
    conversation = (await one.create_conversation()).conversation_id
    await pair.ended(conversation, (await one.dispatch(conversation, "hello")).turn.turn_id)
    await pair.servers[0].terminate()
    began = time.monotonic()
    later = await pair.clients[1].dispatch(conversation, "still there?")
    assert time.monotonic() - began < LEASE_S
    assert state(await pair.ended(conversation, later.turn.turn_id)) == "SUCCEEDED"
