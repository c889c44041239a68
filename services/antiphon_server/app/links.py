"""The ways from each service to the others, in this process and elsewhere."""

from collections.abc import Callable, Iterable

import grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.app.guards import inside, unguarded
from antiphon_server.app.peer_tls import open_peer, peer_tls
from antiphon_server.auth.adapters.service_identity import ServiceIdentity
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.channels.peer_channel import Headers, PeerChannel
from antiphon_server.runtime.channels.routed_channel import RoutedChannel
from antiphon_server.runtime.composition.descriptor import Descriptor
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.limits.counted_calls import CountedCalls
from antiphon_server.runtime.net.addresses import forwarded_for
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.peers import PeerHealth
from antiphon_server.settings import Settings

COUNTED = "counted calls"


class ProcessLinks:
    """Channels on which a service reaches those that it calls, and does not see where they are.

    In this process they are local, else they lead to a peer, and carry the token of the
    service that calls.
    """

    def __init__(
        self, settings: Settings, infrastructure: Infrastructure, known: Iterable[Descriptor]
    ) -> None:
        self._settings = settings
        self._secret = secret = infrastructure.secret
        tracing = infrastructure.tracing
        self._traced: tuple[Headers, ...] = (tracing.headers,) if tracing else ()
        self.servers: list[LocalServer] = [unguarded()]
        self.identities: dict[str, ServiceIdentity] = {}
        several = settings.has_given_secret and (settings.shares_store or settings.elsewhere)
        self.counted = CountedCalls(secret.derive(COUNTED)) if several else None
        tls = self._tls = peer_tls(settings)
        self.peers: dict[str, grpc.aio.Channel] = {
            name: open_peer(settings.peers.address(name), tls, spread=True)
            for name in settings.elsewhere
        }
        self._full_names = {each.name: each.full_name() for each in known}

    def of(self, service: Descriptor, guarded: LocalServer) -> Links:
        """A service's ways to others; calls on behalf of callers pass the guards again."""
        return Links(
            self.internal(service),
            self._on_behalf(service, guarded),
            self.to_server,
            self._to_peer(service),
            frozenset(self.peers),
            self.trusted,
        )

    def internal(self, service: Descriptor) -> grpc.aio.Channel:
        """For the service's own calls."""
        server = inside(service.name)
        self.servers.append(server)
        return self._routed(server, _called(service), *self._signed_by(service.name))

    def of_guards(self) -> grpc.aio.Channel:
        """For what the guards of every call ask and note, in the name of the first service here.

        Which service was called makes no difference: all may ask it, and what is noted of a call
        names its actor itself.
        """
        settings = self._settings
        signed = self._signed_by(settings.services[0])
        return self._routed(self.servers[0], settings.all_services, *signed)

    def _on_behalf(self, service: Descriptor, guarded: LocalServer) -> grpc.aio.Channel:
        """Elsewhere they are told where those callers are, as by a proxy."""
        return self._routed(guarded, _called(service), forwarded_for, *self._marks)

    def _signed_by(self, service: str) -> tuple[Headers, ...]:
        return (self._identity(service).headers,) if self.peers else ()

    def _routed(
        self, server: LocalServer, called: Iterable[str], *headers: Headers
    ) -> grpc.aio.Channel:
        """To those that are called, and to nobody else."""
        local = server.channel()
        remote = {name: PeerChannel(to, *headers, *self._traced) for name, to in self.peers.items()}
        return RoutedChannel({name: remote.get(name, local) for name in called})

    def _identity(self, service: str) -> ServiceIdentity:
        known = self.identities.get(service)
        if known is None:
            to_auth = self.peers.get("auth") or self.servers[0].channel()
            known = ServiceIdentity(service, self._secret, AuthServiceStub(to_auth))
            self.identities[service] = known
        return known

    def to_server(self, address: str) -> grpc.aio.Channel:
        """To another server that does the same, for calls that bring their own credentials."""
        return PeerChannel(self._open_server(address), *self._marks)

    def _open_server(self, address: str) -> grpc.aio.Channel:
        public = self._settings.tls is not None and self._tls is None
        return open_peer(f"https://{address}" if public else address, self._tls)

    def _to_peer(self, service: Descriptor) -> Callable[[str], grpc.aio.Channel]:
        """To another server that does the same, for the service's own calls."""
        several = self._settings.shares_store and self._settings.has_given_secret
        signed = (self._identity(service.name).headers,) if several else ()
        return lambda address: PeerChannel(self._open_server(address), *signed, *self._traced)

    @property
    def _marks(self) -> tuple[Headers, ...]:
        """What calls carry that go on for somebody whose call was counted here."""
        return (self.counted.headers,) if self.counted is not None else ()

    def watch_peers(self, lifecycle: Lifecycle, health: Health) -> None:
        """Show which of the services elsewhere are reached."""
        lifecycle.on_stop("peers", self.close)
        for name, channel in self.peers.items():
            watch = PeerHealth(name, self._full_names[name], channel, health)
            lifecycle.spawn(f"peer.{name}.health", watch.run(), vital=False)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Let every service sign in that has to; the part ``identities`` says that all have."""
        for name, identity in self.identities.items():
            lifecycle.spawn(f"identity.{name}", identity.run())
        if self.identities:
            await health.set("identities", serving=False)
            lifecycle.spawn("identities", self._signed_in(health), vital=False)

    async def trusted(self) -> None:
        """Return when the auth service has accepted this process's secret."""
        for identity in self.identities.values():
            await identity.signed_in.wait()

    async def _signed_in(self, health: Health) -> None:
        await self.trusted()
        await health.set("identities", serving=True)

    async def close(self) -> None:
        """Close the channels to peers."""
        for channel in self.peers.values():
            await channel.close()


def _called(service: Descriptor) -> tuple[str, ...]:
    return (*service.calls, *service.calls_later)
