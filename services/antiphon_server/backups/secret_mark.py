"""Tells whether a backup and a server have the same secret, which no backup holds."""

from antiphon_server.auth.adapters.server_secret import (
    SECRET_FILE,
    MasterSecret,
    given_secret,
    load_or_create,
)
from antiphon_server.settings import Settings


def secret_mark(settings: Settings) -> str:
    """Of the secret that is set, or in the data folder; empty if there is none.

    Raises OSError, ExposedFileError, UnusableSecretError.
    """
    given = given_secret(settings.secret_text, settings.secret_key_file)
    path = settings.data_dir / SECRET_FILE
    if given is None and not path.exists():
        return ""
    secret = MasterSecret(given) if given else load_or_create(path)
    # A derived key is an HMAC of its purpose (RFC 5869): who reads it learns nothing else.
    return secret.derive("mark in a backup").hex()


def place_of_secret(settings: Settings) -> str:
    """Where it is, for people."""
    if settings.secret_key is not None:
        return "ANTIPHON_SECRET_KEY"
    return str(settings.secret_key_file or settings.data_dir / SECRET_FILE)
