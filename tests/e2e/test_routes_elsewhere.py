"""Routes on two servers: what is set on one holds on both, and a turn is decided once."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.context.v1.context_service_pb2 import CreateWorkspaceRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.dispatcher.v1.route_pb2 import RouteMatch, RouteRule
from antiphon.events.v1.route_pb2 import ROUTE_OUTCOME_RULE, RouteDecision
from antiphon_client import AntiphonError, Client, new_turn_id
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
KNOWN_S = 1.0
"""Servers look twice a second what others have changed."""
WORDS = " ".join(f"w{number}" for number in range(100))  # 2 s of echo
ECHO = RouteRule(name="echoed", handler="echo")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, and a client of each."""

    servers: tuple[ServerProcess, ServerProcess]
    clients: tuple[Client, Client]

    async def decisions(self, conversation_id: str) -> list[RouteDecision]:
        """Those that the log has, as the second server tells it."""
        log = (await self.clients[1].read_events(f"conversations/{conversation_id}")).events
        return [it.turn_accepted.route for it in log if it.HasField("turn_accepted")]

    async def set(self, parent: str, *rules: RouteRule) -> float:
        """Set them at the first server; after how many seconds they stand at the second."""
        stored = await self.clients[0].set_routes(parent, rules)
        where = (await self.clients[0].create_conversation(workspace_id=parent)).conversation_id

        async def holds() -> bool:
            return (await self.clients[1].explain_route(where, "x")).revision == stored.revision

        return await until_it(holds)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_LEASE_S": "2",
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    home = tmp_path_factory.mktemp("servers")
    first, second = (ServerProcess(home / it, variables=variables) for it in "ab")
    async with all_of([first, second]), first.client() as one, second.client(first.key) as other:
        yield Pair((first, second), (one, other))
        assert first.defects == second.defects == []


@pytest_asyncio.fixture(loop_scope="module")
async def parent(pair: Pair) -> str:
    """A workspace that no other test has."""
    made = await ContextServiceStub(pair.clients[0].channel).CreateWorkspace(
        CreateWorkspaceRequest(display_name="routed"),
        metadata=(("authorization", f"Bearer {await pair.clients[0].tokens.get()}"),),
    )
    return str(made.workspace.workspace_id)


async def test_rules_hold_at_the_other_server_within_a_second(pair: Pair, parent: str) -> None:
    """Also others, and none any more."""
    took = [
        await pair.set(parent, ECHO),
        await pair.set(parent, RouteRule(name="other", handler="assistant"), ECHO),
    ]
    print("known after", took)
    assert max(took) < KNOWN_S
    where = (await pair.clients[0].create_conversation(workspace_id=parent)).conversation_id
    await pair.clients[0].set_routes(parent, [])

    async def are_gone() -> bool:
        return not (await pair.clients[1].explain_route(where, "x")).rule

    assert await until_it(are_gone) < KNOWN_S


async def test_a_forwarded_turn_is_decided_once(pair: Pair, parent: str) -> None:
    """By the server that has the conversation; repeated at either, it is the same turn."""
    one, other = pair.clients
    await pair.set(parent, ECHO)
    where = (await one.create_conversation(workspace_id=parent)).conversation_id
    await one.dispatch(where, "hello")  # the first has the lane
    turn_id = new_turn_id()
    explained = [await each.explain_route(where, "again") for each in pair.clients]
    turn = (await other.dispatch(where, "again", turn_id=turn_id)).turn
    assert explained == [turn.route] * 2
    assert turn.route.outcome == ROUTE_OUTCOME_RULE
    await pair.set(parent, RouteRule(name="other", handler="assistant"))
    for client in pair.clients:
        repeated = (await client.dispatch(where, "again", turn_id=turn_id)).turn
        assert (repeated.handler, repeated.route) == ("echo", turn.route)
    assert await pair.decisions(where) == [turn.route] * 2


async def test_a_post_on_a_stream_is_routed_as_dispatch_is(pair: Pair, parent: str) -> None:
    """At the other server, too; also with a conversation that is made for it."""
    match = RouteMatch(types=["form"], metadata={"tone": "*"}, labels={"team": "law"})
    await pair.set(parent, ECHO, RouteRule(name="law", match=match, handler="echo", priority=1))
    said = {"type": "form", "metadata": {"tone": "sharp"}}
    for client in pair.clients:
        where = (
            await client.create_conversation(workspace_id=parent, labels={"team": "law"})
        ).conversation_id
        async with client.converse(where) as talk:
            posted = await talk.post("hello", **said)  # type: ignore[arg-type]
            assert "".join([it async for it in posted]) == "hello"
        turn = await client.get_turn(where, posted.turn_id)
        assert (turn.handler, turn.route.rule) == ("echo", "law")


async def test_a_turn_keeps_its_decision_when_its_server_dies(pair: Pair, parent: str) -> None:
    """The other goes on with it, whatever the rules say by then."""
    one, other = pair.clients
    await pair.set(parent, ECHO)
    where = (await one.create_conversation(workspace_id=parent)).conversation_id
    turn = (await one.dispatch(where, WORDS)).turn
    await pair.servers[0].kill()
    await other.set_routes(parent, [RouteRule(name="other", handler="assistant")])

    async def has_ended() -> bool:
        return (await other.get_turn(where, turn.turn_id)).HasField("end_time")

    await until_it(has_ended)
    now = await other.get_turn(where, turn.turn_id)
    assert (now.handler, now.route, now.attempt) == ("echo", turn.route, 2)
    assert await pair.decisions(where) == [turn.route]
    await pair.servers[0].start()


async def test_of_two_servers_that_set_at_once_one_is_refused(pair: Pair, parent: str) -> None:
    """Who had seen the same revision; both servers say afterwards what stands."""
    await pair.set(parent, ECHO)
    tried = (
        client.set_routes(parent, [RouteRule(name=f"r{at}", handler="echo")], expected_revision=1)
        for at, client in enumerate(pair.clients * 3)
    )
    ends = await asyncio.gather(*tried, return_exceptions=True)
    won = [it for it in ends if not isinstance(it, BaseException)]
    lost = {it.reason for it in ends if isinstance(it, AntiphonError)}
    assert (len(won), lost) == (1, {"ETAG_MISMATCH"})
    assert [await client.get_routes(parent) for client in pair.clients] == won * 2
