"""The limits of the port: each one figure, and why it is that.

docs/guides/limits.md is the same for operators; a test holds them equal.
"""

import resource
from dataclasses import dataclass

MIB = 1 << 20
MOST_CONNECTIONS = 4000
OWN_FILES = 256
"""File descriptors that the process keeps for its store, its logs and model endpoints."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the transport takes from a client. Times in seconds.

    ``streams`` are per connection; ``rpcs`` are those of all connections together.
    """

    # The largest post is far below; histories are read in pages.
    message_bytes: int = 4 * MIB
    # A token of 1 KB, trace context and a proxy's headers fit several times.
    metadata_bytes: int = 16 << 10
    # What waits, of a client that opens and resets streams without end, is no more than this
    # either (grpc.http.overload_protection), and everybody else waits for that. A client has a
    # few streams; a proxy that carries those of many opens more connections.
    streams: int = 100
    # A quiet connection costs 15 KB, so this many cost 60 MB; see allowed_connections.
    connections: int = MOST_CONNECTIONS
    # A stream costs 30 KB: 300 MB at most, then callers are told to come back.
    rpcs: int = 10_000
    # Checks are not counted, so that a full server is not taken for a dead one. Watches go on
    # without end and without a token: a few balancers and supervisors have one each.
    health_watches: int = 100
    # A client says its preface at once, and acknowledges the settings; who does not
    # within this time is not one.
    handshake_s: float = 10.0
    # The largest request comes within it over 70 KB/s; most are here at once.
    request_s: float = 60.0
    # Without a call for so long a connection is closed; a client dials again when it calls.
    idle_s: float = 600.0
    # A peer that is gone without a word is found out in 80 s.
    keepalive_s: float = 60.0
    keepalive_timeout_s: float = 20.0
    # Clients may ping every 10 s, half of it because pings arrive with jitter ...
    client_ping_s: float = 10.0
    # ... and one that pings faster is cut off at the third ping that came too early.
    ping_strikes: int = 2
    # No connection lives for ever, however stuck a stream on it is. gRPC spreads it by
    # 10 %, so that not all clients come back at once; without a grace it would wait for ever.
    age_s: float = 24 * 3600.0
    age_grace_s: float = 60.0

    def arguments(self) -> list[tuple[str, int]]:
        """The same as gRPC's channel arguments."""
        return [
            ("grpc.so_reuseport", 0),
            # Nothing compressed is taken (bit 0: as it is). To unpack 7 KB that become 8 MiB
            # holds up everybody else, and requests are small.
            ("grpc.compression_enabled_algorithms_bitset", 1),
            # Larger than what is accepted: the transport's own refusal has no ErrorInfo.
            ("grpc.max_receive_message_length", 2 * self.message_bytes),
            ("grpc.max_send_message_length", self.message_bytes),
            # Between a soft and a hard limit gRPC would refuse at random.
            ("grpc.max_metadata_size", self.metadata_bytes),
            ("grpc.absolute_max_metadata_size", self.metadata_bytes),
            ("grpc.max_concurrent_streams", self.streams),
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.server_handshake_timeout_ms", _ms(self.handshake_s)),
            # The limit of headers holds from when the client has acknowledged the settings.
            ("grpc.http2.settings_timeout", _ms(self.handshake_s)),
            ("grpc.max_connection_idle_ms", _ms(self.idle_s)),
            ("grpc.max_connection_age_ms", _ms(self.age_s)),
            ("grpc.max_connection_age_grace_ms", _ms(self.age_grace_s)),
            ("grpc.keepalive_time_ms", _ms(self.keepalive_s)),
            ("grpc.keepalive_timeout_ms", _ms(self.keepalive_timeout_s)),
            # The one above alone ends nothing (grpc/grpc#39239).
            ("grpc.http2.ping_timeout_ms", _ms(self.keepalive_timeout_s)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", _ms(self.client_ping_s / 2)),
            ("grpc.http2.max_ping_strikes", self.ping_strikes),
        ]


def allowed_connections(most: int = MOST_CONNECTIONS) -> int:
    """How many connections this process has file descriptors for, at most ``most``.

    Raises the soft limit of descriptors as far as it may. Without one left, the store could
    open no file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    if soft < most + OWN_FILES:
        soft = most + OWN_FILES if hard == resource.RLIM_INFINITY else min(most + OWN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(most, max(soft - OWN_FILES, soft // 2))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
