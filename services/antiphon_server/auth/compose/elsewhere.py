"""What a process guards its calls with that has no auth service of its own."""

import time
from dataclasses import dataclass

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.verification_service_pb2_grpc import VerificationServiceStub
from antiphon_server.auth.adapters.remote_events import RemoteSecurityEvents
from antiphon_server.auth.adapters.session_follower import SessionFollower
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.ended_sessions import EndedSessions
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.public_keys import PublicKeys
from antiphon_server.auth.service.session_feed import MARGIN_S
from antiphon_server.auth.service.token_reader import TokenReader
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.verifier import Verifier


@dataclass(frozen=True, slots=True)
class AuthElsewhere:
    """The same as of :class:`~antiphon_server.auth.compose.Auth`, as far as guards need it.

    ``follower.run`` and ``coalesced.run`` are its background tasks.
    """

    verifier: Verifier
    coalesced: Coalesced
    liveness: Liveness
    signing_keys: PublicKeys
    follower: SessionFollower


def compose_elsewhere(
    auth: grpc.aio.Channel, settings: TokenSettings, service: str, clock: Clock = time.time
) -> AuthElsewhere:
    """What stands on a channel to the auth service, which speaks as that ``service``.

    All services of a process share it: what any of them does outside of a call stands in the
    trail as that one's.
    """
    keys, liveness = PublicKeys(), Liveness()
    ended = EndedSessions(liveness, clock, settings.longest_life + 2 * MARGIN_S)
    return AuthElsewhere(
        Verifier(TokenReader(keys, settings), keys, ended, liveness, clock),
        Coalesced(RemoteSecurityEvents(AuditServiceStub(auth)), clock, own=f"services/{service}"),
        liveness,
        keys,
        SessionFollower(VerificationServiceStub(auth), keys, ended),
    )
