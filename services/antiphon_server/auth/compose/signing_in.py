"""The ways in: by password or key, from a device, by an identity provider, as a service."""

from dataclasses import dataclass

from antiphon_server.auth.adapters.oidc import OidcPools, oidc_providers
from antiphon_server.auth.compose.accounts import Accounts
from antiphon_server.auth.compose.base import Base
from antiphon_server.auth.compose.recording import Recording
from antiphon_server.auth.compose.tokens import Tokens
from antiphon_server.auth.service.device_decisions import DeviceDecisions
from antiphon_server.auth.service.device_guesses import DeviceGuesses
from antiphon_server.auth.service.device_logins import DeviceLogins, UserCodes
from antiphon_server.auth.service.identities import Identities
from antiphon_server.auth.service.identity_links import IdentityLinks
from antiphon_server.auth.service.login import Login
from antiphon_server.auth.service.login_flows import LoginFlows
from antiphon_server.auth.service.provider_login import ProviderLogin
from antiphon_server.auth.service.service_assertions import ServiceAssertions

MOST_CONNECTIONS = 64  # to identity providers


@dataclass(frozen=True, slots=True)
class SigningIn:
    """Who lets people, programs, devices and services in. ``pools`` are to be closed."""

    login: Login
    device_logins: DeviceLogins
    device_decisions: DeviceDecisions
    provider_login: ProviderLogin
    identity_links: IdentityLinks
    assertions: ServiceAssertions
    pools: OidcPools


def compose_signing_in(
    base: Base,
    recording: Recording,
    tokens: Tokens,
    accounts: Accounts,
) -> SigningIn:
    """The ways in to those accounts."""
    stores, clock, completion = base.stores, base.clock, base.completion
    log, sign_ins = recording.security_events, recording.sign_ins
    users, sessions, attempts = accounts.users, accounts.sessions, accounts.attempts
    codes, pools = UserCodes(base.secret), OidcPools(MOST_CONNECTIONS)
    return SigningIn(
        login=Login(
            stores.users, accounts.passwords, attempts, accounts.api_keys, sessions, sign_ins
        ),
        device_logins=DeviceLogins(stores.device_logins, codes, users, sessions, clock),
        device_decisions=DeviceDecisions(
            stores.device_logins,
            codes,
            DeviceGuesses(attempts),
            users,
            sessions,
            sign_ins,
            log,
            completion,
            clock,
        ),
        provider_login=ProviderLogin(
            oidc_providers(
                base.settings.identity_providers,
                pools,
                completion,
                tokens.single_use,
                clock,
                base.settings.provider_breaker,
            ),
            LoginFlows(tokens.single_use, base.secret, clock),
            Identities(stores.identities, users, completion, log, clock, base.settings.services),
            sessions,
            sign_ins,
        ),
        identity_links=IdentityLinks(
            stores.identities, users, accounts.endings, completion, log, clock
        ),
        assertions=ServiceAssertions(
            base.secret,
            tokens.single_use,
            tokens.access_tokens,
            sign_ins,
            log,
            clock,
            tokens.settings.audience,
            base.settings.services,
        ),
        pools=pools,
    )
