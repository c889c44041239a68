"""How other processes of the installation are spoken to."""

from antiphon_client.tls import Tls
from antiphon_server.runtime.net.tls import TlsFiles, UnusableCertificate
from antiphon_server.settings import Settings


def peer_tls(settings: Settings) -> Tls | None:
    """What is shown to peers and whom to trust; None for in the clear.

    Raises UnusableCertificate.
    """
    files = settings.peer_tls
    return _read(files) if files is not None else None


def _read(files: TlsFiles) -> Tls:
    assert files.client_ca is not None
    try:
        return Tls(
            files.client_ca.read_bytes(), files.certificate.read_bytes(), files.key.read_bytes()
        )
    except OSError as error:
        raise UnusableCertificate(f"{error.filename}: {error.strerror}") from error
