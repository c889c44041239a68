"""What a server has said of how it wants to be worked with."""

from dataclasses import dataclass

from antiphon.dispatcher.v1.worker_pb2 import Welcome

_KEPT = 0.8
_UNANSWERED = 0.3
"""So that there is time left to go on by another connection."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How often to beat, how long a turn stays a worker's, in seconds; outputs on their way."""

    heartbeat_s: float = 2.0
    lease_s: float = 8.0
    window: int = 64

    @property
    def kept_s(self) -> float:
        """How long a turn is worked on without a beat that names it."""
        return self.lease_s * _KEPT

    @property
    def silence_s(self) -> float:
        """When a heartbeat that is not answered says that the connection is dead."""
        return max(self.lease_s * _UNANSWERED, self.heartbeat_s)


def terms_of(welcome: Welcome) -> Terms:
    """As the server says; where it does not, as it does as a rule."""
    usual = Terms()
    return Terms(
        welcome.heartbeat.ToNanoseconds() / 1e9 or usual.heartbeat_s,
        welcome.lease.ToNanoseconds() / 1e9 or usual.lease_s,
        welcome.max_unacknowledged or usual.window,
    )
