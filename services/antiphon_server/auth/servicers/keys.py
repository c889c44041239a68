"""API keys and signing keys: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.auth.model import KeyId
from antiphon_server.auth.servicers.rules import Rpcs
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.paging import page_limit


class KeyRpcs(Rpcs):
    """What programs sign in with, and what tokens are signed with."""

    async def CreateApiKey(
        self, request: pb.CreateApiKeyRequest, context: Any
    ) -> pb.CreateApiKeyResponse:
        ttl, scopes = encoding.ttl(request), encoding.scopes(request.scopes)
        key, secret = await self._rules.keys.create(
            current_principal(),
            request.user_id,
            request.label,
            ttl,
            scopes,
            self._repeatable(request),
        )
        return pb.CreateApiKeyResponse(api_key=encoding.api_key(key), secret=secret)

    async def ListApiKeys(
        self, request: pb.ListApiKeysRequest, context: Any
    ) -> pb.ListApiKeysResponse:
        caller, limit = current_principal(), page_limit(request.page_size)
        listed = encoding.api_keys_of(request.user_id or caller.user_id)
        after = encoding.position(request.page_token, listed)
        page = await self._rules.keys.list_keys(caller, request.user_id, after, limit)
        return pb.ListApiKeysResponse(
            api_keys=[encoding.api_key(key) for key in page],
            next_page_token=encoding.next_api_keys(page, limit, listed),
        )

    async def RevokeApiKey(
        self, request: pb.RevokeApiKeyRequest, context: Any
    ) -> pb.RevokeApiKeyResponse:
        caller, key_id, known = (
            current_principal(),
            KeyId(request.key_id),
            self._repeatable(request),
        )
        revoked = self._rules.keys.revoke(caller, key_id, known)
        await self._rules.requests.removed(known, revoked)
        return pb.RevokeApiKeyResponse()

    async def RotateSigningKeys(
        self, request: pb.RotateSigningKeysRequest, context: Any
    ) -> pb.RotateSigningKeysResponse:
        kid = await self._rules.key_rotation.rotate(
            compromised=request.compromised, request=self._repeatable(request)
        )
        return pb.RotateSigningKeysResponse(kid=kid)

    async def GetJwks(self, request: pb.GetJwksRequest, context: Any) -> pb.GetJwksResponse:
        return pb.GetJwksResponse(keys=encoding.web_keys(self._rules.signing_keys.valid()))
