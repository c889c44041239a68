"""What auth can be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.service.alarms import AlarmSettings
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.concurrency.breaker import USUAL, Limits

OF_PROVIDERS = replace(USUAL, slow_s=5.0, probe_s=10.0)
"""A call of a provider ends after 10 s; half of that is slow for whoever waits for it."""


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How long things live, who else vouches for people, and what is warned of.

    ``services`` are the names of those of the installation, which sign in by their statements.
    ``breached_passwords_file`` has hashes of passwords besides those of the package.
    ``provider_breaker`` says when an identity provider is left alone.
    """

    tokens: TokenSettings = field(default_factory=TokenSettings)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    identity_providers: Sequence[IdentityProviderSettings] = ()
    breached_passwords_file: Path | None = None
    services: Sequence[str] = ()
    test_user: bool = False
    provider_breaker: Limits = OF_PROVIDERS
