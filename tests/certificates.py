"""Certificates of an authority that nobody else knows."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from antiphon_client import Tls
from antiphon_server.runtime.net.tls import TlsFiles

LONG_AGO = datetime.now(UTC) - timedelta(days=30)


@dataclass(slots=True)
class Authority:
    """Issues certificates into a folder."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def trust(self) -> Tls:
        """How a client trusts it."""
        return Tls(self.ca.cert_pem.bytes())

    @property
    def file(self) -> Path:
        """Its own certificate."""
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(path)
        return path

    def files(self, *names: str, expired: bool = False, stem: str = "tls") -> TlsFiles:
        """A certificate for the names, and its key; those of before are replaced."""
        names = names or ("localhost", "127.0.0.1")
        ends = LONG_AGO + timedelta(days=1) if expired else None
        issued = self.ca.issue_cert(*names, not_before=LONG_AGO, not_after=ends)
        found = TlsFiles(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        found.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        found.key.write_bytes(issued.private_key_pem.bytes())
        found.key.chmod(0o600)
        return found
