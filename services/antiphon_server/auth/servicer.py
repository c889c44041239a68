"""AuthService: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceServicer
from antiphon_server.auth import encoding
from antiphon_server.auth.model import SignedIn
from antiphon_server.auth.service.device_decisions import DeviceDecisions
from antiphon_server.auth.service.device_logins import DeviceLogins
from antiphon_server.auth.service.identity_links import IdentityLinks
from antiphon_server.auth.service.key_custody import KeyCustody
from antiphon_server.auth.service.key_rotation import KeyRotation
from antiphon_server.auth.service.login import Login
from antiphon_server.auth.service.password_changes import PasswordChanges
from antiphon_server.auth.service.password_resets import PasswordResets
from antiphon_server.auth.service.provider_login import ProviderLogin
from antiphon_server.auth.service.service_assertions import ServiceAssertions
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.user_updates import UserUpdates
from antiphon_server.auth.service.users import Users
from antiphon_server.auth.servicers.device_logins import DeviceLoginRpcs
from antiphon_server.auth.servicers.identities import IdentityRpcs
from antiphon_server.auth.servicers.identity_encoding import code_answer, held_token
from antiphon_server.auth.servicers.keys import KeyRpcs
from antiphon_server.auth.servicers.passwords import PasswordRpcs
from antiphon_server.auth.servicers.sessions import SessionRpcs
from antiphon_server.auth.servicers.users import UserRpcs
from antiphon_server.runtime.addresses import current_address
from antiphon_server.runtime.errors import DomainError, Reason


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

    def __init__(
        self,
        users: Users,
        user_updates: UserUpdates,
        password_changes: PasswordChanges,
        password_resets: PasswordResets,
        device_logins: DeviceLogins,
        device_decisions: DeviceDecisions,
        login: Login,
        sessions: Sessions,
        keys: KeyCustody,
        signing_keys: SigningKeys,
        provider_login: ProviderLogin,
        identity_links: IdentityLinks,
        key_rotation: KeyRotation,
        assertions: ServiceAssertions,
    ) -> None:
        self._users = users
        self._user_updates = user_updates
        self._password_changes = password_changes
        self._password_resets = password_resets
        self._device_logins = device_logins
        self._device_decisions = device_decisions
        self._login = login
        self._sessions = sessions
        self._keys = keys
        self._signing_keys = signing_keys
        self._provider_login = provider_login
        self._identity_links = identity_links
        self._key_rotation = key_rotation
        self._assertions = assertions

    async def Login(self, request: pb.LoginRequest, context: Any) -> pb.LoginResponse:
        if request.WhichOneof("credential") == "service":
            pair = await self._assertions.login(request.service.assertion)
            return pb.LoginResponse(tokens=encoding.tokens(pair))
        signed_in = await self._sign_in(request, current_address())
        return encoding.signed_in(signed_in)

    async def _sign_in(self, request: pb.LoginRequest, address: str) -> SignedIn:
        device = request.device
        match request.WhichOneof("credential"):
            case "password":
                given = request.password
                return await self._login.by_password(given.name, given.password, device, address)
            case "api_key":
                return await self._login.by_api_key(request.api_key.api_key, device, address)
            case "client":
                client = request.client
                return await self._login.by_client(
                    client.client_id, client.client_secret, device, address
                )
            case "authorization_code":
                answer = code_answer(request.authorization_code)
                return await self._provider_login.by_code(answer, device, address)
            case "id_token":
                return await self._provider_login.by_id_token(
                    held_token(request.id_token), device, address
                )
            case "device_code":
                return await self._device_logins.ask(request.device_code.device_code)
        raise DomainError(Reason.UNIMPLEMENTED)

    async def Refresh(self, request: pb.RefreshRequest, context: Any) -> pb.RefreshResponse:
        pair = await self._sessions.refresh(request.refresh_token, current_address())
        return pb.RefreshResponse(tokens=encoding.tokens(pair))
