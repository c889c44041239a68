"""The server's side of TLS: its certificate, read again whenever the files change.

gRPC's core takes TLS 1.2 and 1.3 only, and no connection that did not agree on ``h2`` (ALPN).
"""

import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import grpc

log = logging.getLogger(__name__)
_Stamp = tuple[tuple[int, int, int] | None, ...]


class UnusableCertificate(Exception):
    """A certificate, key or list of authorities can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the certificate with its chain, its key, and who signs clients' certificates.

    With ``client_ca`` every client needs a certificate of one of those authorities (mTLS).
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """The files that there are."""
        return [path for path in (self.certificate, self.key, self.client_ca) if path]


@dataclass(frozen=True, slots=True)
class Pem:
    """What the files hold."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None


class FollowedFiles:
    """What is in the files, ``first`` and later. Raises UnusableCertificate for the first ones.

    New ones that can't be used, such as a certificate whose key has not been written yet, are
    left alone until they can.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen = _stamp(files)
        self.first = _read(files)

    def renewed(self) -> Pem | None:
        """What they hold if that is new, and can be used."""
        stamp = _stamp(self._files)
        if stamp == self._seen:
            return None
        self._seen = stamp  # what can't be used is read once, however many ask
        try:
            found = _read(self._files)
        except UnusableCertificate as error:
            log.warning("the new certificate is not used: %s", error)
            return None
        if _stamp(self._files) != stamp:
            return None  # they change just now: what was read may not fit together
        log.info("a new certificate is in use")
        return found


class ServerTls:
    """Credentials of a port that follow their files: renewing a certificate needs no restart.

    The files are looked at when a client connects. Raises UnusableCertificate.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._asks = files.client_ca is not None
        self._followed = FollowedFiles(files)

    def credentials(self) -> grpc.ServerCredentials:
        """What a port is opened with."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._followed.first),
            self._changed,  # type: ignore[arg-type] # None means no change, say gRPC's docs
            require_client_authentication=self._asks,
        )

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What the files hold if that is new; called by gRPC's threads, one at a time."""
        found = self._followed.renewed()
        return _configuration(found) if found is not None else None


def _configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pem.key, pem.certificate)], pem.client_ca)


def _stamp(files: TlsFiles) -> _Stamp:
    """What differs when a file was replaced or rewritten."""
    return tuple(map(_stamp_of, files.paths))


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(files: TlsFiles) -> Pem:
    _check_pair(files)
    try:
        clients = files.client_ca.read_bytes() if files.client_ca else None
        return Pem(files.certificate.read_bytes(), files.key.read_bytes(), clients)
    except OSError as error:
        raise UnusableCertificate(f"{error.filename}: {error.strerror}") from error


def _check_pair(files: TlsFiles) -> None:
    """GRPC would say nothing of a wrong pair, and refuse every client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
    except ssl.SSLError as error:
        raise UnusableCertificate(_why(error, files)) from error
    except OSError as error:
        names = " or ".join(map(str, files.paths))
        raise UnusableCertificate(f"{names}: {error.strerror}") from error


def _why(error: ssl.SSLError, files: TlsFiles) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{files.key} is not the key of {files.certificate}"
    names = ", ".join(map(str, files.paths))
    return f"one of {names} is no PEM file, or its key has a password"
