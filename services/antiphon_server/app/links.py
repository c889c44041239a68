"""The ways from each service to the others, in this process and elsewhere."""

import grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client.address import open_channel
from antiphon_server.app.guards import inside, unguarded
from antiphon_server.app.peer_tls import peer_tls
from antiphon_server.auth.adapters.service_identity import ServiceIdentity
from antiphon_server.auth.ports import ServerSecret
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.channels.peer_channel import Headers, PeerChannel
from antiphon_server.runtime.channels.routed_channel import RoutedChannel
from antiphon_server.runtime.installation import SERVICES, ServiceName
from antiphon_server.runtime.limits.counted_calls import CountedCalls
from antiphon_server.runtime.net.addresses import forwarded_for
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.telemetry.tracing import Tracing
from antiphon_server.settings import Settings

COUNTED = "counted calls"


class Links:
    """Channels on which a service reaches every other one, and does not see where it is.

    In this process they are local, else they lead to a peer, and carry the token of the
    service that calls. ``secret`` is the installation's, which proves who that is.
    """

    def __init__(
        self, settings: Settings, secret: ServerSecret | None, tracing: Tracing | None = None
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._traced: tuple[Headers, ...] = (tracing.headers,) if tracing else ()
        self.servers: list[LocalServer] = [unguarded()]
        self.identities: dict[ServiceName, ServiceIdentity] = {}
        several = settings.shares_store or bool(settings.elsewhere)
        self.counted = CountedCalls(secret.derive(COUNTED)) if several and secret else None
        tls = self._tls = peer_tls(settings)
        self.peers: dict[ServiceName, grpc.aio.Channel] = {
            name: open_channel(settings.peers.address(name), tls, spread=True)
            for name in settings.elsewhere
        }

    def of(self, service: ServiceName) -> grpc.aio.Channel:
        """For the service's own calls."""
        server = inside(service)
        self.servers.append(server)
        return self._routes(server, service)

    def of_guards(self) -> grpc.aio.Channel:
        """For what the guards of every call ask and note, in the name of the first service here.

        Which service was called makes no difference: all may ask it, and what is noted of a call
        names its actor itself.
        """
        return self._routes(self.servers[0], self._settings.services[0])

    def on_behalf(self, guarded: LocalServer) -> grpc.aio.Channel:
        """For calls that bring their callers' own credentials, and pass the guards again.

        Elsewhere they are told where those callers are, as by a proxy.
        """
        return self._routed(guarded, forwarded_for, *self._marks)

    def _routes(self, server: LocalServer, service: ServiceName) -> grpc.aio.Channel:
        return self._routed(server, *([self._identity(service).headers] if self.peers else ()))

    def _routed(self, server: LocalServer, *headers: Headers) -> grpc.aio.Channel:
        local = server.channel()
        if not self.peers:
            return local
        remote = {name: PeerChannel(to, *headers, *self._traced) for name, to in self.peers.items()}
        return RoutedChannel({name: remote.get(name, local) for name in SERVICES})

    def _identity(self, service: ServiceName) -> ServiceIdentity:
        known = self.identities.get(service)
        if known is None:
            assert self._secret is not None
            to_auth = self.peers.get("auth") or self.servers[0].channel()
            known = ServiceIdentity(service, self._secret, AuthServiceStub(to_auth))
            self.identities[service] = known
        return known

    def to_server(self, address: str) -> grpc.aio.Channel:
        """To another server that does the same, for calls that bring their own credentials."""
        public = self._settings.tls is not None and self._tls is None
        channel = open_channel(f"https://{address}" if public else address, self._tls)
        return PeerChannel(channel, *self._marks)

    @property
    def _marks(self) -> tuple[Headers, ...]:
        """What calls carry that go on for somebody whose call was counted here."""
        return (self.counted.headers,) if self.counted is not None else ()

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
