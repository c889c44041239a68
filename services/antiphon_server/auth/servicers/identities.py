"""Identity providers and identities: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth.servicers import identity_encoding as encoding
from antiphon_server.auth.servicers.rules import Rpcs
from antiphon_server.runtime.access.principal import UserId, current_principal

_ALWAYS = (
    auth_pb2.LOGIN_METHOD_PASSWORD,
    auth_pb2.LOGIN_METHOD_API_KEY,
    auth_pb2.LOGIN_METHOD_DEVICE_CODE,
    auth_pb2.LOGIN_METHOD_CLIENT_CREDENTIALS,
)
_BY_PROVIDER = (auth_pb2.LOGIN_METHOD_AUTHORIZATION_CODE, auth_pb2.LOGIN_METHOD_ID_TOKEN)


class IdentityRpcs(Rpcs):
    """Signing in at identity providers, and whom their identities mean."""

    async def ListLoginMethods(
        self, request: pb.ListLoginMethodsRequest, context: Any
    ) -> pb.ListLoginMethodsResponse:
        known = self._rules.provider_login.providers
        return pb.ListLoginMethodsResponse(
            methods=[*_ALWAYS, *(_BY_PROVIDER if known else ())],
            providers=encoding.providers(known),
        )

    async def StartLogin(
        self, request: pb.StartLoginRequest, context: Any
    ) -> pb.StartLoginResponse:
        started = await self._rules.provider_login.start(request.provider, request.redirect_uri)
        return encoding.started_login(started)

    async def LinkIdentity(
        self, request: pb.LinkIdentityRequest, context: Any
    ) -> pb.LinkIdentityResponse:
        user_id = UserId(request.user_id)
        provider = self._rules.provider_login.provider(request.provider)
        linked = await self._rules.identity_links.link(
            user_id, provider, request.issuer, request.subject, self._repeatable(request)
        )
        return pb.LinkIdentityResponse(identity=encoding.identity(linked))

    async def UnlinkIdentity(
        self, request: pb.UnlinkIdentityRequest, context: Any
    ) -> pb.UnlinkIdentityResponse:
        known = self._repeatable(request)
        unlinked = self._rules.identity_links.unlink(request.issuer, request.subject, known)
        await self._rules.requests.removed(known, unlinked)
        return pb.UnlinkIdentityResponse()

    async def ListIdentities(
        self, request: pb.ListIdentitiesRequest, context: Any
    ) -> pb.ListIdentitiesResponse:
        found = await self._rules.identity_links.list_of(current_principal(), request.user_id)
        return pb.ListIdentitiesResponse(identities=[encoding.identity(one) for one in found])
