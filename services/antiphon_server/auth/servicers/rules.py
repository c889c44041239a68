"""What the RPCs of AuthService call."""

from dataclasses import dataclass

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.auth.model import Request
from antiphon_server.auth.service.device_decisions import DeviceDecisions
from antiphon_server.auth.service.device_logins import DeviceLogins
from antiphon_server.auth.service.identity_links import IdentityLinks
from antiphon_server.auth.service.key_custody import KeyCustody
from antiphon_server.auth.service.key_rotation import KeyRotation
from antiphon_server.auth.service.login import Login
from antiphon_server.auth.service.password_changes import PasswordChanges
from antiphon_server.auth.service.password_resets import PasswordResets
from antiphon_server.auth.service.provider_login import ProviderLogin
from antiphon_server.auth.service.requests import Requests
from antiphon_server.auth.service.service_assertions import ServiceAssertions
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.user_updates import UserUpdates
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.cache.known_names import KnownNames

Repeatable = (
    pb.CreateApiKeyRequest
    | pb.CreatePasswordResetRequest
    | pb.LinkIdentityRequest
    | pb.RevokeApiKeyRequest
    | pb.RotateSigningKeysRequest
    | pb.UnlinkIdentityRequest
)


@dataclass(frozen=True, slots=True)
class AuthRules:
    """The rules of identity, by what they are about."""

    requests: Requests
    users: Users
    user_updates: UserUpdates
    password_changes: PasswordChanges
    password_resets: PasswordResets
    device_logins: DeviceLogins
    device_decisions: DeviceDecisions
    login: Login
    sessions: Sessions
    keys: KeyCustody
    signing_keys: SigningKeys
    provider_login: ProviderLogin
    identity_links: IdentityLinks
    key_rotation: KeyRotation
    assertions: ServiceAssertions
    known_names: KnownNames


class Rpcs:
    """Some of AuthService's RPCs."""

    def __init__(self, rules: AuthRules) -> None:
        self._rules = rules

    def _repeatable(self, request: Repeatable) -> Request | None:
        """The request in hand, by which its repetition is known."""
        return self._rules.requests.of(
            current_principal(), request.request_id, encoding.body(request)
        )
