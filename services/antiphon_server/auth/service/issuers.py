"""Who issued an ID token, and about whom: identity is what the provider never changes."""

from typing import Any, Protocol

from antiphon_server.auth.model.identity_providers import IdentityProviderSettings, is_tenant
from antiphon_server.auth.service.id_tokens import Wrong
from antiphon_server.auth.service.provider_keys import ProviderKey

LONGEST_SUBJECT = 255
TEMPLATE = "{tenantid}"


class Issuer(Protocol):
    """What is special about one kind of provider."""

    @property
    def published(self) -> str:
        """The issuer identifier in its discovery document."""
        ...

    def accepts(self, issuer: str) -> bool:
        """Whether a redirect's ``iss`` (RFC 9207), or an identity's issuer, is this provider's."""
        ...

    def subject(self, claims: dict[str, Any], key: ProviderKey) -> tuple[str, str]:
        """The issuer and the subject that a token is about. Raises Wrong."""
        ...


class OneIssuer:
    """A provider with one issuer identifier; its subjects are the claim ``sub``."""

    def __init__(self, settings: IdentityProviderSettings) -> None:
        self.published = settings.issuer

    def accepts(self, issuer: str) -> bool:
        """See :meth:`Issuer.accepts`."""
        return issuer == self.published

    def subject(self, claims: dict[str, Any], key: ProviderKey) -> tuple[str, str]:
        """See :meth:`Issuer.subject`."""
        if claims.get("iss") != self.published:
            raise Wrong("issuer")
        return self.published, _text(claims.get("sub"))


class EntraIssuer:
    """Microsoft Entra ID, version 2.0: each tenant is an issuer, its subjects the claim ``oid``.

    ``sub`` differs from application to application, and e-mail addresses and names can be
    given to others; tenant and object id are for good. For several tenants discovery
    has a template for an issuer, and so have keys that sign for all.
    Source: https://learn.microsoft.com/entra/identity-platform/claims-validation
    """

    def __init__(self, settings: IdentityProviderSettings) -> None:
        self._settings = settings
        self._tenants = settings.allowed_tenants
        tenant = settings.tenant
        self.published = settings.issuer_of(tenant if is_tenant(tenant) else TEMPLATE)

    def accepts(self, issuer: str) -> bool:
        """See :meth:`Issuer.accepts`."""
        return any(issuer == self._settings.issuer_of(tenant) for tenant in self._tenants)

    def subject(self, claims: dict[str, Any], key: ProviderKey) -> tuple[str, str]:
        """See :meth:`Issuer.subject`."""
        tenant = claims.get("tid")
        if not is_tenant(tenant) or tenant not in self._tenants:
            raise Wrong("tenant")
        issuer = self._settings.issuer_of(str(tenant))
        of_key = key.issuer.replace(TEMPLATE, str(tenant)) or issuer
        if claims.get("iss") != issuer or of_key != issuer or claims.get("ver") != "2.0":
            raise Wrong("issuer")
        if not is_tenant(claims.get("oid")):
            raise Wrong("subject")
        return issuer, str(claims["oid"])


def issuer_rules(settings: IdentityProviderSettings) -> Issuer:
    """The rules of that kind of provider."""
    return EntraIssuer(settings) if settings.kind == "entra" else OneIssuer(settings)


def _text(subject: object) -> str:
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise Wrong("subject")
    if not subject.isascii() or not subject.isprintable():
        raise Wrong("subject")
    return subject
