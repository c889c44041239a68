"""Whether the identity providers in the settings answer as they should, for `antiphon doctor`."""

from collections.abc import AsyncIterator
from math import ceil

from antiphon_client.provider_login import ProviderLogin
from antiphon_client.tls import Tls
from antiphon_server.auth.adapters.oidc import OidcPools, OidcWire
from antiphon_server.auth.adapters.oidc.token_endpoint import exchange
from antiphon_server.auth.model.identities import Handshake
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports.identity_providers import ClientRefused, ProviderWire, Unanswered
from antiphon_server.auth.service.id_tokens import Wrong
from antiphon_server.auth.service.issuers import issuer_rules
from antiphon_server.auth.service.provider_keys import read_keys
from antiphon_server.auth.service.provider_metadata import Metadata, metadata_url, read_metadata
from antiphon_server.cli.console import in_a_line
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors import DomainError
from antiphon_server.settings import read_settings

_NOBODYS = Handshake("http://127.0.0.1/callback", "", "", "a" * 43)


async def faults_of_providers() -> AsyncIterator[tuple[str, str]]:
    """Each provider's name, and what is wrong with it; empty if nothing is.

    Of settings that can't be read others tell.
    """
    try:
        providers = read_settings().identity_providers
    except WrongSetting:
        return
    pools = OidcPools(1)
    try:
        for each in providers:
            yield each.name, await _fault(each, OidcWire(pools.of(each)))
    finally:
        await pools.close()


async def left_alone_at(address: str, tls: Tls | None) -> list[str]:
    """What is said of those that the server there does not ask now. Raises AntiphonError."""
    async with ProviderLogin(address, tls=tls) as login:
        providers = (await login.methods()).providers
    return [
        f"{in_a_line(it.name)} has failed too often, so the server sends nobody there for "
        f"{ceil(it.retry_after.ToTimedelta().total_seconds())} s"
        for it in providers
        if it.unavailable
    ]


async def _fault(settings: IdentityProviderSettings, wire: ProviderWire) -> str:
    published = issuer_rules(settings).published
    try:
        metadata = read_metadata(await wire.get(metadata_url(settings)), published)
        read_keys(await wire.get(metadata.jwks_uri))
    except Unanswered as error:
        return str(error)
    return await _refusal(settings, metadata, wire)


async def _refusal(
    settings: IdentityProviderSettings, metadata: Metadata, wire: ProviderWire
) -> str:
    """How it refuses this client; with a code that is none it refuses in any case."""
    try:
        await exchange(settings, metadata, wire, _NOBODYS, "none")
    except ClientRefused as error:
        return str(error)
    except (Unanswered, Wrong, DomainError):  # another answer says nothing of the client
        pass
    return ""
