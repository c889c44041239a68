"""Whose things a request is about."""

from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import invalid


def scope_of(scope: str) -> str:
    """The named scope, else the caller's own. Raises INVALID_ARGUMENT for a service's own."""
    if scope:
        return scope
    principal = current_principal()
    if principal.kind != "user":
        raise invalid("scope", "whose; a service has none of its own")
    return principal.actor
