"""All tables of identity: whoever has this ``metadata`` has every one of them."""

from antiphon_server.auth.adapters import (
    account_tables,
    audit_tables,
    device_login_tables,
    ending_tables,
    identity_tables,
    password_reset_tables,
    profile_tables,
)
from antiphon_server.auth.adapters.metadata import metadata

__all__ = [
    "account_tables",
    "audit_tables",
    "device_login_tables",
    "ending_tables",
    "identity_tables",
    "metadata",
    "password_reset_tables",
    "profile_tables",
]
