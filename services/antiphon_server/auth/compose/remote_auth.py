"""What a process guards its calls with that has no auth service of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.verification_service_pb2_grpc import VerificationServiceStub
from antiphon_server.auth.adapters.remote_events import RemoteSecurityEvents
from antiphon_server.auth.adapters.session_follower import SessionFollower
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.ended_sessions import EndedSessions
from antiphon_server.auth.service.liveness import Listener, Liveness
from antiphon_server.auth.service.public_keys import PublicKeys
from antiphon_server.auth.service.session_feed import MARGIN_S
from antiphon_server.auth.service.token_reader import TokenReader
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.verifier import Verifier
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.process.optional_part import show_availability
from antiphon_server.runtime.rpc.health import Health


@dataclass(frozen=True, slots=True)
class AuthElsewhere:
    """A :class:`~antiphon_server.auth.compose.guarding.Guarding` that follows the auth service.

    ``follower.run`` and ``coalesced.run`` are its background tasks.
    """

    verifier: Verifier
    coalesced: Coalesced
    liveness: Liveness
    signing_keys: PublicKeys
    follower: SessionFollower

    def on_session_end(self, listener: Listener) -> None:
        """Tell of each session that ends, as soon as the auth service does."""
        self.liveness.on_end(listener)

    def on_keys_withdrawn(self, listener: Callable[[], None]) -> None:
        """Tell whenever a key stops being valid."""
        self.signing_keys.on_withdrawn(listener)

    async def start_guarding(self, lifecycle: Lifecycle, health: Health) -> None:
        """Follow the auth service; until it has answered nobody is let in."""

        async def able() -> None:
            await self.follower.ready.wait()
            await health.set("tokens", serving=True)

        await health.set("tokens", serving=False)
        lifecycle.on_stop("security events", lambda: self.coalesced.flush(all_of_it=True))
        lifecycle.spawn("auth.follower", self.follower.run())
        lifecycle.spawn("auth.audit", self.coalesced.run())
        lifecycle.spawn("auth.ready", able())
        await show_availability("sessions", self.follower.availability, lifecycle, health)


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
