"""AuthService: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceServicer
from antiphon_server.auth import encoding
from antiphon_server.auth.model import SignedIn
from antiphon_server.auth.servicers.device_logins import DeviceLoginRpcs
from antiphon_server.auth.servicers.identities import IdentityRpcs
from antiphon_server.auth.servicers.identity_encoding import code_answer, held_token
from antiphon_server.auth.servicers.keys import KeyRpcs
from antiphon_server.auth.servicers.passwords import PasswordRpcs
from antiphon_server.auth.servicers.sessions import SessionRpcs
from antiphon_server.auth.servicers.users import UserRpcs
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.addresses import current_address


class AuthServicer(
    UserRpcs,
    PasswordRpcs,
    DeviceLoginRpcs,
    SessionRpcs,
    KeyRpcs,
    IdentityRpcs,
    AuthServiceServicer,
):
    """The RPCs of ``antiphon.auth.v1.AuthService``."""

    async def Login(self, request: pb.LoginRequest, context: Any) -> pb.LoginResponse:
        if request.WhichOneof("credential") == "service":
            pair = await self._rules.assertions.login(request.service.assertion)
            return pb.LoginResponse(tokens=encoding.tokens(pair))
        signed_in = await self._sign_in(request, current_address())
        return encoding.signed_in(signed_in)

    async def _sign_in(self, request: pb.LoginRequest, address: str) -> SignedIn:
        device = request.device
        match request.WhichOneof("credential"):
            case "password":
                given = request.password
                return await self._rules.login.by_password(
                    given.name, given.password, device, address
                )
            case "api_key":
                return await self._rules.login.by_api_key(request.api_key.api_key, device, address)
            case "client":
                client = request.client
                return await self._rules.login.by_client(
                    client.client_id, client.client_secret, device, address
                )
            case "authorization_code":
                answer = code_answer(request.authorization_code)
                return await self._rules.provider_login.by_code(answer, device, address)
            case "id_token":
                return await self._rules.provider_login.by_id_token(
                    held_token(request.id_token), device, address
                )
            case "device_code":
                return await self._rules.device_logins.claim(request.device_code.device_code)
            case "service" | None:
                raise DomainError(Reason.UNIMPLEMENTED)

    async def Refresh(self, request: pb.RefreshRequest, context: Any) -> pb.RefreshResponse:
        pair = await self._rules.sessions.refresh(request.refresh_token, current_address())
        return pb.RefreshResponse(tokens=encoding.tokens(pair))
