"""What a backup says of itself."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import msgspec

from antiphon_server.app.schemas import DATABASE_FILE, OF_SEVERAL
from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.heads import Heads
from antiphon_server.installation import SERVICES
from antiphon_server.runtime.storage.migrations import known_revisions

MANIFEST = "manifest.json"
POSTGRES_DUMP = "antiphon.pgdump"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True):
    """``content`` names the file beside it: an SQLite database, or a dump of Postgres.

    ``revisions`` are the services' tables'. ``secret_mark`` is made of the installation's secret,
    and tells nothing of it.
    """

    made_at: Annotated[datetime, msgspec.Meta(tz=True)]
    antiphon: str
    content: str
    size: int
    sha256: str
    heads: Heads
    revisions: dict[str, str]
    secret_mark: str
    format: int = FORMAT

    @property
    def is_sqlite(self) -> bool:
        """Whether it is of a server with its own database."""
        return self.content == DATABASE_FILE

    def check(self) -> None:
        """Raises BackupFailed for what a newer version has made."""
        newer = f"it was made by a newer version of Antiphon ({self.antiphon}); install that one"
        if self.format > FORMAT or self.content not in (DATABASE_FILE, POSTGRES_DUMP):
            raise BackupFailed(newer)
        versions = version_folders()
        for service, revision in self.revisions.items():
            if service not in versions or revision not in known_revisions(versions[service]):
                raise BackupFailed(newer)


def manifest_of(
    content: str, measured: tuple[int, str], heads: Heads, revisions: dict[str, str], mark: str
) -> Manifest:
    """The manifest of a copy with this size and SHA-256 that was made just now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Manifest(now, version("antiphon"), content, *measured, heads, revisions, mark)


def version_folders() -> dict[str, Path]:
    """Where the revisions are that this version knows."""
    schemas = {each.name: each.schema() for each in SERVICES} | OF_SEVERAL
    return {name: schema[0] for name, schema in schemas.items()}
