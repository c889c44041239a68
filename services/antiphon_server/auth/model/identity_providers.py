"""The identity providers that people may sign in at, as configured."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from antiphon_server.auth.model.identities import ProviderName
from antiphon_server.auth.model.urls import is_loopback_redirect, is_private, is_safe, split
from antiphon_server.runtime.configuration import WrongSetting

_NAME = r"^[a-z0-9][a-z0-9._-]*$"
_TENANT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENTRA = re.compile(r"(https?://[^/]+/)([^/]+)(/v2\.0)")
_MANY_TENANTS = ("common", "organizations")

Text = Annotated[str, Meta(min_length=1, max_length=256)]


class IdentityProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration of an identity provider.

    ``name`` is the public name. The client secret is read from the environment variable
    ``client_secret_env``; a public client has none. ``redirect_uris`` are those of web pages;
    loopback URIs need not be listed. ``audiences`` are further clients, beside ``client_id``,
    whose ID tokens backends may exchange. ``tenants`` are the Microsoft Entra tenants that may
    sign in. ``private_network`` allows endpoints in private networks. With ``sign_up``, an unknown
    person who signs in gets an account.
    """

    name: Annotated[str, Meta(pattern=_NAME, max_length=64)]
    issuer: str
    client_id: Text
    kind: Literal["oidc", "entra"] = "oidc"
    display_name: Annotated[str, Meta(max_length=128)] = ""
    client_secret_env: str = ""
    scopes: tuple[Text, ...] = ("openid", "profile", "email")
    redirect_uris: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    audiences: Annotated[tuple[Text, ...], Meta(max_length=100)] = ()
    tenants: Annotated[tuple[str, ...], Meta(max_length=10_000)] = ()
    sign_up: bool = False
    private_network: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for what makes no sense."""
        _check_issuer(self.issuer)
        if "openid" not in self.scopes:
            raise ValueError("the scopes must include openid")
        for uri in self.redirect_uris:
            if not is_safe(uri) and not is_loopback_redirect(uri):
                raise ValueError(f"the redirect URI {uri!r} must be https without a fragment")
        if self.client_secret_env and not self.client_secret:
            raise ValueError(f"the variable {self.client_secret_env} holds no client secret")
        if self.kind == "entra":
            _check_entra(self)
        elif self.tenants:
            raise ValueError('only kind "entra" has tenants')

    @property
    def provider_name(self) -> ProviderName:
        """The public name."""
        return ProviderName(self.name)

    @property
    def client_secret(self) -> str:
        """The client secret, or an empty string. It is read on each access and never cached."""
        return os.environ.get(self.client_secret_env, "") if self.client_secret_env else ""

    @property
    def is_private(self) -> bool:
        """Whether its endpoints may be in private networks, by setting or because its issuer is."""
        parts = split(self.issuer)
        host = parts.hostname if parts else None
        return self.private_network or is_private(host or "")

    @property
    def tenant(self) -> str:
        """Entra's tenant in the issuer: an id, ``common`` or ``organizations``."""
        found = _ENTRA.fullmatch(self.issuer)
        return found[2] if found else ""

    @property
    def allowed_tenants(self) -> frozenset[str]:
        """The ids of the Entra tenants that may sign in."""
        return frozenset(self.tenants or [self.tenant])

    def issuer_of(self, tenant: str) -> str:
        """The issuer identifier of an Entra tenant."""
        return _ENTRA.sub(rf"\g<1>{tenant}\g<3>", self.issuer)


def is_tenant(text: object) -> bool:
    """Whether it is an id as Entra writes them: a UUID in lower case."""
    return isinstance(text, str) and _TENANT.fullmatch(text) is not None


def one_of_each_name(providers: Sequence[IdentityProviderSettings]) -> None:
    """Raise WrongSetting if two have one name."""
    for name, count in Counter(provider.name for provider in providers).items():
        if count > 1:
            raise WrongSetting(f"identity_providers: {count} of them are called {name!r}")


def _check_issuer(issuer: str) -> None:
    parts = split(issuer)
    if parts is None or not is_safe(issuer) or parts.query or issuer.endswith("#"):
        raise ValueError(
            f"the issuer {issuer!r} must be an https URL without query; http only on this machine"
        )


def _check_entra(settings: IdentityProviderSettings) -> None:
    tenant = settings.tenant
    if not is_tenant(tenant) and tenant not in _MANY_TENANTS:
        raise ValueError(
            "Entra's issuer is https://login.microsoftonline.com/TENANT/v2.0 with the tenant's "
            "id, or with organizations or common instead of it"
        )
    if not all(map(is_tenant, settings.tenants)):
        raise ValueError("tenants are ids in lower case, such as those the Entra portal shows")
    if tenant in _MANY_TENANTS and not settings.tenants:
        raise ValueError(f"with the issuer of {tenant}, name the tenants that may sign in")
    if is_tenant(tenant) and not settings.allowed_tenants <= {tenant}:
        raise ValueError("an issuer of one tenant lets no other tenant in")
