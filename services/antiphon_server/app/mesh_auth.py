"""What the control plane has of auth: the way to it, the keys of tokens, and who may ask it."""

import time
from collections.abc import Sequence

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client.address import open_channel
from antiphon_server.app.peer_tls import peer_tls
from antiphon_server.app.secret import AUDIENCE
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.adapters.service_identity import ServiceIdentity
from antiphon_server.auth.compose.remote_auth import AuthElsewhere, compose_elsewhere
from antiphon_server.auth.service.service_statements import (
    CONTROL_PLANE,
    StatementReader,
    StatementVerifier,
)
from antiphon_server.mesh.keys import Jwk
from antiphon_server.mesh.model import Address
from antiphon_server.mesh.registry import Registry
from antiphon_server.runtime.access.permissions import Rule
from antiphon_server.runtime.access.policy import Decision, Question, decide
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import TokenRechecker, TokenVerifier
from antiphon_server.runtime.channels.peer_channel import PeerChannel
from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.settings import Settings


def auth_of_mesh(
    settings: Settings,
    secret: MasterSecret,
    inside: Address,
    registry: Registry,
    lifecycle: Lifecycle,
) -> AuthElsewhere:
    """The way to the auth service: through Envoy, which knows where it is."""
    if settings.mesh.envoy:
        channel = open_channel(str(inside))
    else:
        channel = open_channel(settings.peers.address("auth"), peer_tls(settings))
    lifecycle.on_stop("auth", channel.close)
    identity = ServiceIdentity(CONTROL_PLANE, secret, AuthServiceStub(channel))
    auth = compose_elsewhere(
        PeerChannel(channel, identity.headers), settings.auth.tokens, CONTROL_PLANE
    )
    lifecycle.spawn("identity", _sign_in(identity, registry), vital=False)
    lifecycle.spawn("auth.follower", auth.follower.run(), vital=False)
    return auth


async def _sign_in(identity: ServiceIdentity, registry: Registry) -> None:
    """As soon as there is somebody to sign in with."""
    version = -1
    while not any(each.announced.key.service == "auth" for each in registry.instances()):
        version = await registry.later_than(version)
    await identity.run()


def jwks(auth: AuthElsewhere) -> list[Jwk]:
    """The keys that tokens are signed with, as far as they are known by now."""
    return [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "kid": kid,
            "x": base64url.encoded(key.public_bytes_raw()),
        }
        for kid, key in auth.signing_keys.known().items()
    ]


def verifier_of_mesh(
    secret: MasterSecret, auth: AuthElsewhere, services: Sequence[str]
) -> TokenRechecker:
    """Who calls the registry; ``secret`` is the one that services sign their statements with."""
    statements = StatementReader(secret, AUDIENCE, time.time, services)
    return _Either(StatementVerifier(statements), auth.verifier)


class _Either:
    """Services show statements, people tokens."""

    def __init__(self, statements: TokenVerifier, tokens: TokenVerifier) -> None:
        self._statements = statements
        self._tokens = tokens

    async def verify(self, token: str) -> Principal:
        """See :meth:`TokenVerifier.verify`."""
        try:
            return await self._statements.verify(token)
        except DomainError:
            return await self._tokens.verify(token)

    async def recheck(self, token: str, principal: Principal) -> None:
        """See :meth:`TokenRechecker.recheck`; here a token that ends ends a watch, too."""
        await self._tokens.verify(token)


class RegistryRules:
    """What the registry declares takes no roles: rules alone decide."""

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        """See :meth:`AccessPolicy.decide`."""
        return decide(Question(principal, rule, resource))
