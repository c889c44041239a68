"""What the rules of identity need from the outside."""

from collections.abc import Callable
from dataclasses import dataclass

from antiphon_server.auth.ports.api_keys import ApiKeyStore
from antiphon_server.auth.ports.attempts import AttemptStore
from antiphon_server.auth.ports.device_logins import DeviceLoginStore
from antiphon_server.auth.ports.endings import EndingStore
from antiphon_server.auth.ports.expiring import Expiring
from antiphon_server.auth.ports.identities import IdentityStore
from antiphon_server.auth.ports.password_resets import PasswordResetStore
from antiphon_server.auth.ports.passwords import PasswordHasher
from antiphon_server.auth.ports.places import PlaceStore
from antiphon_server.auth.ports.profiles import ProfileStore
from antiphon_server.auth.ports.requests import RequestStore
from antiphon_server.auth.ports.secrets import SecretFile, ServerSecret
from antiphon_server.auth.ports.security_events import SecurityEventStore
from antiphon_server.auth.ports.session_events import SessionEvents
from antiphon_server.auth.ports.sessions import SessionStore
from antiphon_server.auth.ports.signing_keys import SigningKeyStore
from antiphon_server.auth.ports.users import UserStore

Clock = Callable[[], float]
"""Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores of the auth service."""

    users: UserStore
    requests: RequestStore
    sessions: SessionStore
    endings: EndingStore
    expiring: Expiring
    api_keys: ApiKeyStore
    signing_keys: SigningKeyStore
    attempts: AttemptStore
    security_events: SecurityEventStore
    places: PlaceStore
    password_resets: PasswordResetStore
    device_logins: DeviceLoginStore
    identities: IdentityStore
    profiles: ProfileStore


__all__ = [
    "ApiKeyStore",
    "AttemptStore",
    "Clock",
    "PasswordHasher",
    "SecretFile",
    "ServerSecret",
    "SessionEvents",
    "SessionStore",
    "SigningKeyStore",
    "Stores",
    "UserStore",
]
