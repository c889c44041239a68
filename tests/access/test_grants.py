"""The grant of a turn opens that turn's things, for as long as it runs, and nothing else."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.auth.v1.audit_service_pb2 import ListSecurityEventsRequest, SecurityEventFilter
from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.context.v1 import context_service_pb2
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Part
from antiphon.events.v1 import event_service_pb2, stream_pb2
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.rules import rule_of
from tests.access.granted import Turn, tokens_of
from tests.access.people import bearer
from tests.access.reading import FOR_GRANTS, GROUP_OF
from tests.access.rpcs import served_rpcs, short_name
from tests.auth.audit_api import end_of
from tests.e2e.callers import Caller, channel_to, operator, user
from tests.e2e.contracts import Rpc
from tests.e2e.refusals import reason_in, reason_of, refused
from tests.e2e.server import ServerProcess
from tests.e2e.smallest import smallest
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOW = "openai/slow"
ENDS_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, two people with a turn each that runs, and the endpoint of a slow model."""

    channel: grpc.aio.Channel
    endpoint: FakeEndpoint
    tokens: GrantTokens
    operator: Caller
    ann: Turn
    bob: Turn

    async def came(self, rpc: Rpc, token: str) -> str:
        """What comes of the RPC about ann's things: "" or a reason."""
        request = smallest(rpc.request_type, self.ann.caller.known, rpc.access.resource_field)
        try:
            await rpc.call(self.channel, request, token)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return ""

    def generating(self, turn: Turn, **more: Any) -> Any:
        """An answer of a model, asked for with the turn's grant."""
        asked = pb.PromptMessage(role=MESSAGE_ROLE_USER, parts=[Part(text="hi")])
        workspace_id = turn.caller.known["ws"]
        request = pb.GenerateRequest(workspace_id=workspace_id, messages=[asked], **more)
        stub: Any = IntegrationServiceStub(self.channel)
        return stub.Generate(request, metadata=bearer(turn.grant(self.tokens)))

    async def newest_call(self) -> Any:
        """The ledger's newest of ann's workspace."""
        request = pb.GetUsageRequest(workspace_id=self.ann.caller.known["ws"])
        stub = IntegrationServiceStub(self.channel)
        return (await stub.GetUsage(request, metadata=self.ann.caller.metadata)).calls[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """On a server of its own."""
    async with contextlib.AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(FakeEndpoint(Behaviour(deltas=1000, gap_ms=20)))
        model = {"name": SLOW, "kind": "openai", "base_url": endpoint.base_url}
        home = tmp_path_factory.mktemp("grants")
        server = ServerProcess(home, models=[model], model="scripted/test")
        await stack.enter_async_context(server)
        channel = await stack.enter_async_context(channel_to(server))
        ann, bob = [await Turn.begun(channel, await user(server, name)) for name in ("ann", "bob")]
        boss = await operator(server)
        yield Stage(channel, endpoint, tokens_of(server), boss, ann, bob)


def guarded_rpcs() -> list[Rpc]:
    """Those that ask who calls, of those that somebody has read."""
    read = [rpc for rpc in served_rpcs() if short_name(rpc) in GROUP_OF]
    return [rpc for rpc in read if rule_of(rpc.path).permission is not Permission.PUBLIC]


# The smallest request names no such tool, and no message that a worker would have it from.
_ANSWERED_BESIDES = {
    "GetTool": "TOOL_NOT_FOUND",
    "PutMemory": "INVALID_ARGUMENT",
    "GetEntity": "NOT_FOUND",
    "GetMemory": "NOT_FOUND",
}


def of_grants() -> list[Rpc]:
    """Those that a grant opens."""
    return [rpc for rpc in served_rpcs() if rpc.access.grant]


async def test_the_contract_opens_to_grants_what_was_meant() -> None:
    """As a person lists it."""
    assert {short_name(rpc) for rpc in of_grants()} == FOR_GRANTS


async def test_it_reads_what_its_turn_is_about(stage: Stage) -> None:
    """The conversation, its messages, its log and its turn, with what they say."""
    metadata = bearer(stage.ann.grant(stage.tokens))
    conversation, context = stage.ann.conversation_id, ContextServiceStub(stage.channel)
    # Its long message alone would fill what is read unless somebody says so.
    read = context_service_pb2.GetContextRequest(conversation_id=conversation, max_tokens=32_000)
    messages = (await context.GetContext(read, metadata=metadata)).messages
    assert "hello" in [message.parts[0].text for message in messages]
    events = EventServiceStub(stage.channel)
    log = event_service_pb2.ReadEventsRequest(scope=f"conversations/{conversation}", page_size=1)
    assert len((await events.ReadEvents(log, metadata=metadata)).events) == 1
    for scope in (f"workspaces/{stage.ann.caller.known['ws']}", "global"):
        log.scope = scope
        assert await refused(events.ReadEvents(log, metadata=metadata)) == "NOT_FOUND"
    assert [await stage.came(rpc, metadata[0][1].split()[1]) for rpc in of_grants()] == [
        _ANSWERED_BESIDES.get(rpc.method.name, "") for rpc in of_grants()
    ]


async def test_nothing_of_others_is_there(stage: Stage) -> None:
    """Of a conversation or a workspace that is not the grant's it learns that there is none."""
    grant = stage.bob.grant(stage.tokens)
    for rpc in of_grants():
        about_something = bool(rpc.access.resource_field)
        assert await stage.came(rpc, grant) == ("NOT_FOUND" if about_something else ""), rpc


@pytest.mark.parametrize(
    ("attempt", "for_s", "why"), [(1, -1.0, "TOKEN_EXPIRED"), (2, 60.0, "TOKEN_EXPIRED")]
)
async def test_an_expired_one_and_one_of_another_attempt_open_nothing(
    stage: Stage, attempt: int, for_s: float, why: str
) -> None:
    """Whatever is called, and though the turn runs."""
    grant = stage.ann.grant(stage.tokens, attempt, for_s)
    assert {await stage.came(rpc, grant) for rpc in guarded_rpcs()} == {why}


async def test_an_altered_one_opens_nothing(stage: Stage) -> None:
    """Whatever is called: with another mark, or another turn's words behind it."""
    mine, other = stage.ann.grant(stage.tokens), stage.bob.grant(stage.tokens)
    mixed = f"{other.partition('.')[0]}.{mine.partition('.')[2]}"
    for forged in (mine[:-1] + ("A" if mine[-1] != "A" else "E"), mixed, "agr_", "agr_."):
        assert {await stage.came(rpc, forged) for rpc in of_grants()} == {"TOKEN_INVALID"}


async def test_its_turn_pays_for_models(stage: Stage) -> None:
    """Its calls are booked on conversation and turn, named or not; of others it names none."""
    own = {"conversation_id": stage.ann.conversation_id, "turn_id": stage.ann.turn_id}
    for named in ({}, own):
        async for _ in stage.generating(stage.ann, **named):
            pass
        call = await stage.newest_call()
        assert (call.conversation_id, call.turn_id) == tuple(own.values())
    others = {"conversation_id": stage.bob.conversation_id, "turn_id": stage.bob.turn_id}
    for name, other in others.items():
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stage.generating(stage.ann, **{name: other}).read()
        assert reason_of(error.value) == "INVALID_ARGUMENT"


async def test_it_is_no_token_of_a_stream(stage: Stage) -> None:
    """Nobody goes on with theirs by it, who would be bound to no session any more."""
    stream: Any = EventServiceStub(stage.channel).Subscribe(metadata=stage.ann.caller.metadata)
    scope = f"conversations/{stage.ann.conversation_id}"
    watch = stream_pb2.Watch(watch_id="w", scope=scope)
    await stream.write(event_service_pb2.SubscribeRequest(create=watch))
    assert (await stream.read()).WhichOneof("frame") == "created"
    refresh = stream_pb2.RefreshToken(access_token=stage.ann.grant(stage.tokens))
    await stream.write(event_service_pb2.SubscribeRequest(refresh=refresh))
    async with asyncio.timeout(PATIENCE_S):
        while (frame := await stream.read()).WhichOneof("frame") != "ended":
            pass
    stream.cancel()
    assert reason_in(frame.ended.error) == "TOKEN_INVALID"


async def test_what_is_refused_to_it_is_in_the_trail(stage: Stage) -> None:
    """Done by the turn, about its user: that one did not look around."""
    metadata = bearer(stage.ann.grant(stage.tokens))
    context = ContextServiceStub(stage.channel)
    read = context_service_pb2.GetContextRequest(conversation_id=stage.bob.conversation_id)
    assert await refused(context.GetContext(read, metadata=metadata)) == "NOT_FOUND"
    audit, about_ann = AuditServiceStub(stage.channel), stage.ann.caller.known["user"]
    request = ListSecurityEventsRequest(filter=SecurityEventFilter(user_id=about_ann))

    async def told() -> bool:
        page = await audit.ListSecurityEvents(request, metadata=stage.operator.metadata)
        found = [it for it in page.events if it.access_refused.rpc.endswith("/GetContext")]
        return {(it.actor, bool(it.address)) for it in found} == {(worker, True)}

    worker = f"turns/{stage.ann.turn_id}"
    await until_it(told)
    page = await audit.ListSecurityEvents(request, metadata=stage.ann.caller.metadata)
    found = [it for it in page.events if it.actor == worker]
    assert found
    assert not any(it.address for it in found)  # where it runs is no business of users


async def test_it_ends_with_its_turn(stage: Stage) -> None:
    """What is being generated ends within a second, and then nothing is open to it."""
    grant, answer = stage.bob.grant(stage.tokens), stage.generating(stage.bob, models=[SLOW])
    while not (await answer.read()).HasField("delta"):
        pass
    await stage.bob.stop()
    began = time.monotonic()
    assert await asyncio.wait_for(end_of(answer), PATIENCE_S) == "TOKEN_EXPIRED"
    assert time.monotonic() - began < ENDS_WITHIN_S
    await stage.endpoint.wait_aborted()
    assert {await stage.came(rpc, grant) for rpc in guarded_rpcs()} == {"TOKEN_EXPIRED"}
