"""The keys and the ends of sessions, followed from the service that has them."""

import asyncio
import contextlib
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from antiphon.auth.v1 import verification_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2 import JsonWebKey
from antiphon_server.auth.service.ended_sessions import EndedSessions
from antiphon_server.auth.service.public_keys import PublicKeys
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.storage.availability import Availability

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.verification_service_pb2_grpc import VerificationServiceAsyncStub

SILENCE_S = 3.0
"""Without an answer for so long, of those that come every second, a stream is given up."""
PAUSE_S = 0.25
_BROKEN = (Reason.STORE_UNAVAILABLE, Reason.SERVICE_UNAVAILABLE)


class SessionFollower:
    """Keeps keys and ended sessions as the auth service has them; ``run`` must be running.

    A session that has ended is known here within a second. While the auth service is away,
    tokens are judged by what was known last: nobody else ends sessions. While it is there, and
    only not heard, their ends are missed: for some seconds if another of its servers can be
    followed (``silence_s``, and the way there), else until tokens expire. ``ready`` is set as
    soon as any token can be judged; ``availability`` says whether the ends are heard.
    """

    def __init__(
        self,
        stub: "VerificationServiceAsyncStub",
        keys: PublicKeys,
        ended: EndedSessions,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._stub = stub
        self._keys = keys
        self._ended = ended
        self._silence_s = silence_s
        self._position: int | None = None
        self.ready = asyncio.Event()
        self.availability = Availability("the feed of ended sessions", "antiphon_sessions_unheard")

    async def run(self) -> None:
        """Follow, and begin again whenever that ends, until cancelled."""
        while True:
            try:
                await self._follow()
            except (DomainError, TimeoutError, grpc.aio.UsageError) as error:
                self._lost(error)
            await asyncio.sleep(PAUSE_S * random.uniform(0.5, 1.5))

    async def _follow(self) -> None:
        request = pb.FollowSessionsRequest(after_position=self._position)
        call = self._stub.FollowSessions(request)
        try:
            with remote_errors("auth"):
                while True:
                    async with asyncio.timeout(self._silence_s):
                        answer = await call.read()
                    if not isinstance(answer, pb.FollowSessionsResponse):  # EOF
                        return
                    self._learn(answer)
        finally:
            call.cancel()

    def _learn(self, answer: pb.FollowSessionsResponse) -> None:
        if answer.HasField("key_set"):
            self._keys.replace(_public(answer.key_set.keys))
        ended = [SessionId(one) for one in answer.ended_session_ids]
        self._ended.learn(ended, up_to_date=answer.up_to_date)
        self._position = answer.position
        if answer.up_to_date:
            self.availability.report(up=True)
            self.ready.set()

    def _lost(self, error: Exception) -> None:
        if not isinstance(error, DomainError) or error.reason in _BROKEN:
            self._position = None  # the store that is there next may have other ends there
        if self.ready.is_set():
            words = error.reason if isinstance(error, DomainError) else type(error).__name__
            self.availability.report(up=False, why=words)


def _public(keys: Iterable[JsonWebKey]) -> dict[str, Ed25519PublicKey]:
    """Those that can be read; a key of a later kind is none of ours."""
    found: dict[str, Ed25519PublicKey] = {}
    for key in keys:
        with contextlib.suppress(ValueError):
            found[key.kid] = Ed25519PublicKey.from_public_bytes(base64url.decoded(key.x))
    return found
