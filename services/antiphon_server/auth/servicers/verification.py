"""VerificationService: decode, call, encode."""

from contextlib import aclosing
from typing import Any

from antiphon.auth.v1 import verification_service_pb2 as pb
from antiphon.auth.v1.verification_service_pb2_grpc import VerificationServiceServicer
from antiphon_server.auth import encoding
from antiphon_server.auth.service.session_feed import Page, SessionFeed
from antiphon_server.runtime.rpc.duplex import open_stream
from antiphon_server.runtime.rpc.slow_readers import TimedWriter


class VerificationServicer(VerificationServiceServicer):
    """The RPCs of ``antiphon.auth.v1.VerificationService``."""

    def __init__(self, feed: SessionFeed) -> None:
        self._feed = feed

    async def FollowSessions(  # type: ignore[override]
        self, request: pb.FollowSessionsRequest, context: Any
    ) -> None:
        after = request.after_position if request.HasField("after_position") else None
        await open_stream(context)
        async with aclosing(self._feed.follow(after)) as pages:
            with TimedWriter(context) as writer:
                async for page in pages:
                    await writer.write(_encoded(page))


def _encoded(page: Page) -> pb.FollowSessionsResponse:
    response = pb.FollowSessionsResponse(
        ended_session_ids=page.ended, position=page.position, up_to_date=page.up_to_date
    )
    if page.keys is not None:
        response.key_set.keys.extend(encoding.web_keys(page.keys))
    return response
