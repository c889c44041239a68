"""How other processes of the installation are spoken to.

With the client's library, which a server that is alone does without.
"""

from typing import TYPE_CHECKING

import grpc

from antiphon_server.runtime.net.tls import TlsFiles, UnusableCertificate
from antiphon_server.settings import Settings

if TYPE_CHECKING:
    from antiphon_client.tls import Tls


def peer_tls(settings: Settings) -> "Tls | None":
    """What is shown to peers and whom to trust; None for in the clear.

    Raises UnusableCertificate.
    """
    files = settings.peer_tls
    return _read(files) if files is not None else None


def open_peer(address: str, tls: "Tls | None", *, spread: bool = False) -> grpc.aio.Channel:
    """A channel to another process, begun when it is used; ``spread`` over all its addresses."""
    from antiphon_client.address import open_channel

    return open_channel(address, tls, spread=spread)


def _read(files: TlsFiles) -> "Tls":
    from antiphon_client.tls import Tls

    assert files.client_ca is not None
    try:
        return Tls(
            files.client_ca.read_bytes(), files.certificate.read_bytes(), files.key.read_bytes()
        )
    except OSError as error:
        raise UnusableCertificate(f"{error.filename}: {error.strerror}") from error
