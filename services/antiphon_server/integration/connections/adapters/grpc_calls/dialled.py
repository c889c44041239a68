"""A channel to where a place was vetted, which is vetted again before it is dialled again."""

import asyncio
import ssl
from collections.abc import Collection, Sequence
from pathlib import Path

import grpc

from antiphon_server.integration.connections.model import Limits
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.net.egress.dialling import Dialler, grpc_target
from antiphon_server.runtime.net.egress.names import Place

MOST_SENT = 4 * 1024 * 1024
MOST_METADATA = 16 * 1024
CONNECT_MS = 5_000
GRACE_S = 60.0
"""So long calls go on at least whose channel leads where the place is no longer."""
# gRPC's servers cut off who pings more often than every five minutes.
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 330_000, 20_000
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
_OPTIONS: list[tuple[str, int | str]] = [
    ("grpc.primary_user_agent", "antiphon"),
    ("grpc.max_send_message_length", MOST_SENT),
    # Between a soft and a hard limit gRPC would refuse at random.
    ("grpc.max_metadata_size", MOST_METADATA),
    ("grpc.absolute_max_metadata_size", MOST_METADATA),
    # Nothing compressed is taken (bit 0: as it is): what it unpacks to is not bounded.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # No call runs twice, and nobody's record in DNS says otherwise.
    ("grpc.enable_retries", 0),
    ("grpc.service_config_disable_resolution", 1),
    # Its sockets are its own: connections of other workspaces to the same place share none.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.min_reconnect_backoff_ms", CONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", 30_000),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
]


def trust() -> grpc.ChannelCredentials:
    """The authorities that this machine trusts, else those that gRPC brings; reads files."""
    places = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    found = next((it for it in map(Path, filter(None, places)) if it.is_file()), None)
    return grpc.ssl_channel_credentials(found.read_bytes() if found else None)


class Dialled:
    """Channels to one place, one at a time.

    A channel knows addresses alone, which it dials again by itself as long as the place has them.
    Once it has lost its socket it is handed out only when the place has been vetted again.
    """

    def __init__(
        self, place: Place, dialler: Dialler, trusted: grpc.ChannelCredentials, limits: Limits
    ) -> None:
        self._place, self._dialler, self._trusted = place, dialler, trusted
        self._most_bytes, self._grace_s = limits.max_bytes, max(GRACE_S, limits.call_s)
        self._channel: grpc.aio.Channel | None = None
        self._addresses: frozenset[str] = frozenset()
        self._left: set[grpc.aio.Channel] = set()
        self._lock, self._ending = asyncio.Lock(), TaskSet()

    async def channel(self) -> grpc.aio.Channel:
        """The channel. Raises DomainError EGRESS_DENIED, OSError."""
        channel = self._channel
        if channel is not None and channel.get_state() is grpc.ChannelConnectivity.READY:
            return channel
        return await self.vetted()

    async def vetted(self) -> grpc.aio.Channel:
        """The same, once its place was vetted again; a new one where its addresses are others, and
        in place of one that has failed: that would only try again after a pause of its own.

        Calls that run on the old one go on.
        """
        async with self._lock:
            try:
                place = self._place
                addresses = await self._dialler.vetted(place.host, place.port)
            except BaseException:
                self._let_go()
                raise
            if not self._is_good(addresses):
                self._let_go(grace=self._grace_s)
                self._channel, self._addresses = self._dialled(addresses), frozenset(addresses)
            assert self._channel is not None
            return self._channel

    async def close(self) -> None:
        """Close it, and end what runs on it."""
        self._let_go()
        for channel in list(self._left):
            await channel.close()
        await self._ending.stop()

    def _is_good(self, addresses: Collection[str]) -> bool:
        if self._channel is None or not self._addresses <= set(addresses):
            return False
        return self._channel.get_state() is not grpc.ChannelConnectivity.TRANSIENT_FAILURE

    def _dialled(self, addresses: Sequence[str]) -> grpc.aio.Channel:
        target, options = grpc_target(self._place.host, self._place.port, addresses)
        most = ("grpc.max_receive_message_length", self._most_bytes)
        given = [*_OPTIONS, most, *options]
        if self._place.encrypted:
            return grpc.aio.secure_channel(target, self._trusted, given)
        return grpc.aio.insecure_channel(target, given)

    def _let_go(self, grace: float | None = None) -> None:
        if self._channel is not None:
            self._left.add(self._channel)
            self._ending.spawn("integration.grpc.close", self._end(self._channel, grace))
            self._channel = None

    async def _end(self, channel: grpc.aio.Channel, grace: float | None) -> None:
        await channel.close(grace)
        self._left.discard(channel)
