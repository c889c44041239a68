"""Identity providers that speak OpenID Connect, Microsoft Entra ID among them."""

from collections.abc import Sequence

from antiphon_server.auth.adapters.oidc.endpoints import OidcWire
from antiphon_server.auth.adapters.oidc.pools import OidcPools
from antiphon_server.auth.adapters.oidc.provider import OidcProvider
from antiphon_server.auth.model.identities import ProviderName
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.single_use import SingleUse
from antiphon_server.runtime.concurrency.breaker import Limits
from antiphon_server.runtime.concurrency.completion import Completion


def oidc_providers(
    settings: Sequence[IdentityProviderSettings],
    pools: OidcPools,
    completion: Completion,
    single_use: SingleUse,
    clock: Clock,
    limits: Limits,
) -> dict[ProviderName, OidcProvider]:
    """The providers of these settings by their names; nothing is asked or imported yet."""
    return {
        each.provider_name: OidcProvider(
            each, OidcWire(pools.of(each)), completion, single_use, clock, limits
        )
        for each in settings
    }


__all__ = ["OidcPools", "OidcProvider", "OidcWire", "oidc_providers"]
