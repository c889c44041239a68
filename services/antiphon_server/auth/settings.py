"""What auth can be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.service.alarms import AlarmSettings
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.service.token_settings import TokenSettings


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
