"""Connections to identity providers: which may lead into private networks."""

from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.http_pool import HttpPool


class OidcPools:
    """Bounded connections, on the Internet alone but for those whom the operator trusts further.

    A provider says itself where its endpoints are. One that was taken over could name this
    machine's other ports, or those of its network.
    """

    def __init__(self, most: int) -> None:
        self._public = HttpPool(most, Dialler(EgressPolicy()))
        self._any = HttpPool(most)

    def of(self, settings: IdentityProviderSettings) -> HttpPool:
        """The connections for that provider."""
        return self._any if settings.is_private else self._public

    async def close(self) -> None:
        """Close every connection."""
        await self._public.close()
        await self._any.close()
