"""What auth can be told, and what it is told of the servers that share its stores."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.alarms import AlarmSettings
from antiphon_server.auth.service.local_operator import Living, nobody
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.cache.cache import MemoryCache
from antiphon_server.runtime.cache.known_names import KnownNames


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How long things live, who else vouches for people, and what is warned of.

    ``services`` are the names of those of the installation, which sign in by their statements.
    ``breached_passwords_file`` has hashes of passwords besides those of the package.
    """

    tokens: TokenSettings = field(default_factory=TokenSettings)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    identity_providers: Sequence[IdentityProviderSettings] = ()
    breached_passwords_file: Path | None = None
    services: Sequence[str] = ()
    test_user: bool = False


@dataclass(frozen=True, slots=True)
class OtherServers:
    """Those that may share the stores, if there are ``several``; by default there are none.

    They hear of revocations by ``messenger``. ``node`` names this server among them, ``living``
    says which of them run. ``names`` are those that other services remember.
    """

    several: bool = False
    messenger: RevocationMessenger = field(default_factory=MemoryMessenger)
    node: str = ""
    living: Living = nobody
    names: KnownNames = field(default_factory=lambda: KnownNames(MemoryCache()))
