"""Access that is taken away ends what is open, with the reason; how soon is printed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1 import integration_service_pb2 as integration_pb
from antiphon.integration.v1 import model_pb2
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon_client import Client
from tests.access.bea import Bea
from tests.access.people import bearer, sign_in
from tests.auth.audit_api import end_of
from tests.e2e.callers import channel_to
from tests.e2e.refusals import reason_in, refused
from tests.e2e.server import ServerProcess
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEADLINE_S = 30.0
SLOW = "openai/slow"
STREAMS = 20


@dataclass(slots=True)
class Stage:
    """Where bea is, whose access is taken away."""

    channel: grpc.aio.Channel
    endpoint: FakeEndpoint
    bea: Bea
    operator: Callable[[], Client]

    async def token(self) -> str:
        """A token of a new session of bea's."""
        return await sign_in(self.channel, "bea")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Both on a server of their own."""
    async with contextlib.AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(FakeEndpoint(Behaviour(deltas=1000, gap_ms=20)))
        model = {"name": SLOW, "kind": "openai", "base_url": endpoint.base_url}
        home = tmp_path_factory.mktemp("open")
        server = ServerProcess(home, models=[model], model="scripted/test")
        await stack.enter_async_context(server)
        async with channel_to(server) as channel:
            yield Stage(channel, endpoint, await Bea.of(server, channel), server.client)


async def _following(stage: Stage, token: str) -> Any:
    """A stream with one watch in place."""
    stream: Any = EventServiceStub(stage.channel).Subscribe(metadata=bearer(token))
    watch = stream_pb2.Watch(watch_id="w", scope=stage.bea.scope)
    await stream.write(pb.SubscribeRequest(create=watch))
    assert (await stream.read()).WhichOneof("frame") == "created"
    return stream


async def _ended(stream: Any, change: Awaitable[Any]) -> tuple[str, str]:
    """How the watch or the stream ended by the change, and why."""
    began = time.monotonic()
    async with asyncio.timeout(DEADLINE_S):
        await change
        while True:
            frame = await stream.read()
            if frame.WhichOneof("frame") == "ended":
                break
    took = time.monotonic() - began
    print(f"ended {took * 1000:.0f} ms after the change was asked for")
    stream.cancel()
    how = stream_pb2.CloseReason.Name(frame.ended.reason)
    return how.removeprefix("CLOSE_REASON_"), reason_in(frame.ended.error)


@pytest.mark.parametrize("role", [access_pb2.ROLE_VIEWER, access_pb2.ROLE_GUEST])
async def test_a_member_who_is_removed(stage: Stage, role: access_pb2.Role.ValueType) -> None:
    """From the conversation: the watch ends, as if there were none; a guest's does, too."""
    await stage.bea.is_given("conv", role)
    stream = await _following(stage, await stage.token())
    assert await _ended(stream, stage.bea.loses("conv")) == ("ACCESS_REMOVED", "NOT_FOUND")


async def test_an_admin_of_the_workspace_whose_role_is_lowered(stage: Stage) -> None:
    """Who read the conversation through the workspace alone reads it no more."""
    await stage.bea.is_given("ws", access_pb2.ROLE_ADMIN)
    stream = await _following(stage, await stage.token())
    lower = context_pb.UpdateMemberRequest(
        resource=stage.bea.owner.known["ws"], user_id=stage.bea.user_id, role=access_pb2.ROLE_MEMBER
    )
    context = ContextServiceStub(stage.channel)
    change = context.UpdateMember(lower, metadata=stage.bea.owner.metadata)
    assert await _ended(stream, change) == ("ACCESS_REMOVED", "NOT_FOUND")
    await stage.bea.loses("ws")


async def test_a_session_that_is_revoked(stage: Stage) -> None:
    """By the user, elsewhere: the stream ends."""
    await stage.bea.is_given("conv", access_pb2.ROLE_VIEWER)
    token, elsewhere = await stage.token(), await stage.token()
    stream = await _following(stage, token)
    assert await _ended(stream, stage.bea.revokes(token, elsewhere)) == (
        "SESSION_ENDED",
        "SESSION_REVOKED",
    )


async def test_a_user_who_is_disabled(stage: Stage) -> None:
    """All of many streams end, of both kinds, with the reason; and a new one is refused."""
    await stage.bea.is_given("conv", access_pb2.ROLE_VIEWER)
    token = await stage.token()
    streams = [await _following(stage, token) for _ in range(STREAMS)]
    watches = [stream_pb2.Watch(watch_id="w", scope=stage.bea.scope)]
    follow: Any = EventServiceStub(stage.channel).Follow
    for _ in range(STREAMS):
        streams.append(follow(pb.FollowRequest(watches=watches), metadata=bearer(token)))
        assert (await streams[-1].read()).WhichOneof("frame") == "created"
    async with stage.operator() as operator:
        change = asyncio.create_task(operator.update_user(stage.bea.user_id, disabled=True))
        ends = await asyncio.gather(*(_ended(stream, change) for stream in streams))
        assert set(ends) == {("SESSION_ENDED", "SESSION_REVOKED")}
        again = follow(pb.FollowRequest(watches=watches), metadata=bearer(token))
        assert await refused(again.read()) == "SESSION_REVOKED"
        await operator.update_user(stage.bea.user_id, disabled=False)


async def test_a_stream_that_goes_on_with_a_limited_token(stage: Stage) -> None:
    """Refreshed with a token that may not read, its watches end."""
    await stage.bea.is_given("conv", access_pb2.ROLE_MEMBER)
    token, auth = await stage.token(), AuthServiceStub(stage.channel)
    stream = await _following(stage, token)
    wish = auth_pb.CreateApiKeyRequest(label="w", scopes=[access_pb2.SCOPE_WRITE])
    key = (await auth.CreateApiKey(wish, metadata=bearer(token))).secret
    login = auth_pb.LoginRequest(api_key=auth_pb.ApiKeyCredential(api_key=key))
    limited = (await auth.Login(login)).tokens.access_token
    refresh = pb.SubscribeRequest(refresh=stream_pb2.RefreshToken(access_token=limited))
    assert await _ended(stream, stream.write(refresh)) == ("ACCESS_REMOVED", "SCOPE_MISSING")


async def test_a_member_whose_role_is_lowered_posts_no_more_on_an_open_stream(stage: Stage) -> None:
    """Converse asks for every message: the next one is refused, and the stream goes on."""
    await stage.bea.is_given("conv", access_pb2.ROLE_MEMBER)
    stream: Any = DispatcherServiceStub(stage.channel).Converse(
        metadata=bearer(await stage.token())
    )
    assert await _posted(stage, stream) == "accepted"
    await stage.bea.is_given("conv", access_pb2.ROLE_VIEWER)
    assert await _posted(stage, stream) == "PERMISSION_DENIED"
    await stage.bea.loses("conv")
    assert await _posted(stage, stream) == "NOT_FOUND"
    await stage.bea.is_given("conv", access_pb2.ROLE_GUEST)
    assert await _posted(stage, stream) == "accepted"
    stream.cancel()


@pytest.mark.parametrize(("lost", "why"), [("role", "NOT_FOUND"), ("session", "SESSION_REVOKED")])
async def test_an_answer_that_is_being_generated(stage: Stage, lost: str, why: str) -> None:
    """It ends with the caller's right: the model is told, and what it said is in the ledger."""
    await stage.bea.is_given("ws", access_pb2.ROLE_MEMBER)
    metadata = bearer(await stage.token())
    workspace_id = stage.bea.owner.known["ws"]
    asked = integration_pb.PromptMessage(role=MESSAGE_ROLE_USER, parts=[Part(text="Go on")])
    request = integration_pb.GenerateRequest(
        workspace_id=workspace_id, models=[SLOW], messages=[asked]
    )
    integration: Any = IntegrationServiceStub(stage.channel)
    answer = integration.Generate(request, metadata=metadata)
    while not (await answer.read()).HasField("delta"):
        pass
    began = time.monotonic()
    if lost == "role":
        await stage.bea.loses("ws")
    else:
        auth = AuthServiceStub(stage.channel)
        await auth.Logout(auth_pb.LogoutRequest(), metadata=metadata)
    assert await asyncio.wait_for(end_of(answer), DEADLINE_S) == why
    print(f"ended {(time.monotonic() - began) * 1000:.0f} ms after the change was asked for")
    await stage.endpoint.wait_aborted()
    usage = integration_pb.GetUsageRequest(workspace_id=workspace_id)
    call, *_ = (await integration.GetUsage(usage, metadata=stage.bea.owner.metadata)).calls
    assert call.outcome == model_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert call.usage.output_tokens > 0
    assert len(stage.endpoint.seen) == ["role", "session"].index(lost) + 1


async def _posted(stage: Stage, stream: Any) -> str:
    post = dispatcher_pb.DispatchRequest(
        conversation_id=stage.bea.owner.known["conv"], handler="echo", parts=[Part(text="hi")]
    )
    await stream.write(dispatcher_pb.ConverseRequest(tag="1", post=post))
    async with asyncio.timeout(DEADLINE_S):
        frame = await stream.read()
    return "accepted" if frame.HasField("accepted") else reason_in(frame.error.error)
