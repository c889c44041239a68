"""Access that one server takes away ends streams on another within a second, whatever Redis does.

How soon is printed.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.auth.v1 import access_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from tests.access.bea import Bea
from tests.access.people import bearer, sign_in
from tests.e2e.callers import channel_to
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey
from tests.proofs.robustness.redis_outages import two_servers

pytestmark = pytest.mark.asyncio(loop_scope="module")
WITHIN_S = 1.0
TIMEOUT_S = 30.0
REMOVED = stream_pb2.CLOSE_REASON_ACCESS_REMOVED
ENDED = stream_pb2.CLOSE_REASON_SESSION_ENDED
CANCELLED = stream_pb2.CLOSE_REASON_CANCELLED


@dataclass(slots=True)
class Stage:
    """Two servers: bea, whose access is taken away here, follows a conversation there."""

    here: grpc.aio.Channel
    there: grpc.aio.Channel
    valkey: Valkey
    bea: Bea

    async def followed(self, token: str, follow_id: str = "") -> AsyncIterator[pb.FollowResponse]:
        """The frames of her open stream."""
        watch = stream_pb2.Watch(watch_id="w", scope=self.bea.scope)
        call: Any = EventServiceStub(self.there).Follow(
            pb.FollowRequest(follow_id=follow_id, watches=[watch]),
            metadata=bearer(token),
            timeout=TIMEOUT_S,
        )
        frames: AsyncIterator[pb.FollowResponse] = aiter(call)
        assert (await anext(frames)).HasField("created")
        return frames


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> AsyncIterator[Stage]:
    """Two servers on one Postgres and one Redis."""
    async with contextlib.AsyncExitStack() as stack:
        valkey = await stack.enter_async_context(Valkey())
        folder = tmp_path_factory.mktemp("elsewhere")
        servers = await stack.enter_async_context(two_servers(folder, postgres, valkey))
        here, there = [await stack.enter_async_context(channel_to(it)) for it in servers]
        yield Stage(here, there, valkey, await Bea.of(servers[0], here))


@pytest_asyncio.fixture(loop_scope="module", params=["with Redis", "without"])
async def way(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[str]:
    """Whether it is there."""
    if request.param == "without":
        await stage.valkey.kill()
        yield request.param
        await stage.valkey.start()
    else:
        yield request.param


async def _ends(
    frames: AsyncIterator[pb.FollowResponse], reason: stream_pb2.CloseReason.ValueType, way: str
) -> None:
    answered = time.monotonic()
    async for frame in frames:
        if frame.HasField("ended"):
            break
    took = time.monotonic() - answered
    print(f"{way}: ended {took * 1000:.0f} ms after the answer")
    assert frame.ended.reason == reason
    assert took < WITHIN_S


@pytest.mark.parametrize("resource", ["conv", "ws"])
async def test_a_member_who_is_removed(stage: Stage, way: str, resource: str) -> None:
    """From the conversation, or from the workspace, which she does not follow."""
    await stage.bea.is_given(resource, access_pb2.ROLE_ADMIN)
    frames = await stage.followed(await sign_in(stage.there, "bea"))
    await stage.bea.loses(resource)
    await _ends(frames, REMOVED, way)


async def test_a_session_that_is_revoked(stage: Stage, way: str) -> None:
    """By its owner, on the other server."""
    await stage.bea.is_given("conv", access_pb2.ROLE_ADMIN)
    token = await sign_in(stage.there, "bea")
    frames = await stage.followed(token)
    await stage.bea.revokes(token, token)
    await _ends(frames, ENDED, way)
    await stage.bea.loses("conv")


async def test_a_follow_that_is_cancelled(stage: Stage, way: str) -> None:
    """By a call to the server that does not have it."""
    await stage.bea.is_given("conv", access_pb2.ROLE_ADMIN)
    token = await sign_in(stage.here, "bea")
    frames = await stage.followed(token, "mine")
    cancel = pb.CancelFollowRequest(follow_id="mine")
    await EventServiceStub(stage.here).CancelFollow(
        cancel, metadata=bearer(token), timeout=TIMEOUT_S
    )
    await _ends(frames, CANCELLED, way)
    await stage.bea.loses("conv")
