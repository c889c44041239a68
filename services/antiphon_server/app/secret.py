"""The secret that all processes of an installation share."""

from antiphon_server.auth.adapters.server_secret import (
    SECRET_FILE,
    MasterSecret,
    given_secret,
    load_or_create,
)
from antiphon_server.runtime.nodes import SecretMark
from antiphon_server.runtime.storage.database import Database
from antiphon_server.settings import Settings

AUDIENCE = "antiphon-mesh"
"""For whom services sign when they register: a statement for it is good for nothing else."""


def installation_secret(settings: Settings) -> MasterSecret:
    """The one that is given, or the one in the data folder, which is made if it is missing.

    Raises OSError, ExposedFileError or UnusableSecretError.
    """
    given = given_secret(settings.secret_text, settings.secret_key_file)
    return MasterSecret(given) if given else load_or_create(settings.data_dir / SECRET_FILE)


async def same_secret(secret: MasterSecret, database: Database) -> SecretMark:
    """The mark of the secret in a database that several servers share. Raises OtherSecret."""
    # A derived key is an HMAC of its purpose (RFC 5869): who reads it learns nothing else.
    mark = SecretMark(database, secret.derive("mark in a shared database").hex())
    await mark.check()
    return mark
