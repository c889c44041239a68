"""Following the ends of sessions from another process."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon.auth.v1 import verification_service_pb2 as pb
from antiphon.auth.v1.verification_service_pb2_grpc import (
    VerificationServiceServicer,
    VerificationServiceStub,
    add_VerificationServiceServicer_to_server,
)
from antiphon_server.auth.adapters.session_follower import SILENCE_S, SessionFollower
from antiphon_server.auth.service.ended_sessions import EndedSessions
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.public_keys import PublicKeys
from antiphon_server.auth.service.session_feed import BEAT_S
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.auth.world import FakeClock
from tests.e2e.until import SOON_S, until

ENDED = SessionId("sess_ended")
Servicer: Any = VerificationServiceServicer


class Auth(Servicer):  # type: ignore[misc]
    """Says one thing to each follower, and then stands still."""

    def __init__(self) -> None:
        self.answers: list[pb.FollowSessionsResponse] = []
        self.asked: list[pb.FollowSessionsRequest] = []
        self.why: DomainError | None = None

    async def FollowSessions(
        self, request: pb.FollowSessionsRequest, context: Any
    ) -> AsyncIterator[pb.FollowSessionsResponse]:
        self.asked.append(request)
        if self.answers:
            yield self.answers.pop(0)
        if self.why is not None:
            raise self.why
        await asyncio.Event().wait()


async def test_a_feed_that_stands_still_is_left() -> None:
    """What is told elsewhere is learnt there, and meanwhile it shows that nothing is heard."""
    auth, server = Auth(), LocalServer([ErrorInterceptor()])
    add_VerificationServiceServicer_to_server(auth, server)
    ended = EndedSessions(Liveness(), FakeClock(), 60)
    stub = VerificationServiceStub(server.channel())
    follower = SessionFollower(stub, PublicKeys(), ended, silence_s=0.3)
    auth.answers = [pb.FollowSessionsResponse(position=1, up_to_date=True)]
    following = asyncio.create_task(follower.run())
    await asyncio.wait_for(follower.ready.wait(), SOON_S)
    assert await ended.lives(ENDED)
    assert follower.availability.up
    await until(lambda: not follower.availability.up)
    auth.answers = [
        pb.FollowSessionsResponse(ended_session_ids=[ENDED], position=2, up_to_date=True)
    ]
    await until(lambda: follower.availability.up)
    assert not await ended.lives(ENDED)
    assert not auth.asked[1].HasField("after_position")
    following.cancel()
    await asyncio.wait([following])


@pytest.mark.parametrize(
    ("why", "anew"),
    [
        (DomainError(Reason.STORE_UNAVAILABLE), True),
        (unavailable("auth"), True),
        (DomainError(Reason.DRAINING), False),
    ],
    ids=lambda it: it.reason if isinstance(it, DomainError) else "",
)
async def test_after_a_feed_that_broke_all_is_asked_for_again(why: DomainError, anew: bool) -> None:
    """The store may be another one then, which has other ends at the same places."""
    auth, server = Auth(), LocalServer([ErrorInterceptor()])
    add_VerificationServiceServicer_to_server(auth, server)
    ended = EndedSessions(Liveness(), FakeClock(), 60)
    stub = VerificationServiceStub(server.channel())
    auth.answers = [pb.FollowSessionsResponse(position=7, up_to_date=True)]
    auth.why = why
    following = asyncio.create_task(SessionFollower(stub, PublicKeys(), ended).run())
    await until(lambda: len(auth.asked) > 1, timeout_s=10)
    following.cancel()
    await asyncio.wait([following])
    assert auth.asked[1].HasField("after_position") is not anew


def test_silence_is_short_and_yet_no_accident() -> None:
    """Two beats may be late; an ended session is refused after some seconds all the same."""
    assert 2 * BEAT_S < SILENCE_S <= 3.0
