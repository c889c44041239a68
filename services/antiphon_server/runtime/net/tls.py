"""The server's side of TLS: its certificate, read again whenever the files change.

gRPC's core takes TLS 1.2 and 1.3 only, and no connection that did not agree on ``h2`` (ALPN).
"""

import logging
import math
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc

from antiphon_server.runtime.net.handshakes import Handshakes

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
    """What the files hold; the certificate holds from ``begins`` to ``ends`` (Unix seconds)."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    begins: float
    ends: float

    def holds(self, now: float) -> bool:
        """Whether clients take it, as far as time goes."""
        return self.begins <= now < self.ends


class FollowedFiles:
    """What is in the files, ``first`` and later. Raises UnusableCertificate for the first ones.

    New ones that can't be used, such as a certificate whose key has not been written yet, are
    left alone until they can. So is one that is over, or has not begun, while that in use holds.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen = _stamp(files)
        self.first = self._used = _read(files)
        self._waiting: Pem | None = None

    @property
    def ends(self) -> float:
        """When the certificate that is in use is over, in Unix seconds."""
        return self._used.ends

    def renewed(self) -> Pem | None:
        """What they hold if that is new, and can be used."""
        stamp = _stamp(self._files)
        if stamp != self._seen:
            self._seen = stamp  # what can't be used is read once, however many ask
            self._waiting = self._read_again(stamp)
        found, now = self._waiting, time.time()
        if found is None or (self._used.holds(now) and not found.holds(now)):
            return None
        self._used, self._waiting = found, None
        log.info("a new certificate is in use")
        return found

    def _read_again(self, stamp: _Stamp) -> Pem | None:
        try:
            found = _read(self._files)
        except UnusableCertificate as error:
            log.warning("the new certificate is not used: %s", error)
            return None
        if _stamp(self._files) != stamp:
            return None  # they change just now: what was read may not fit together
        now = time.time()
        if self._used.holds(now) and not found.holds(now):
            log.error("the new certificate is not used, as the old one holds: %s", _span(found))
        return found


class ServerTls:
    """Credentials of a port that follow their files: renewing a certificate needs no restart.

    The files are looked at when a client connects. Raises UnusableCertificate.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._asks = files.client_ca is not None
        self.handshakes = Handshakes()
        self._followed = FollowedFiles(files)

    @property
    def ends(self) -> float:
        """When the certificate that is in use is over, in Unix seconds."""
        return self._followed.ends

    def credentials(self) -> grpc.ServerCredentials:
        """What a port is opened with."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._followed.first),
            self._changed,  # type: ignore[arg-type] # None means no change, say gRPC's docs
            require_client_authentication=self._asks,
        )

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What the files hold if that is new; called by gRPC's threads, one at a time.

        They do so whenever a client connects.
        """
        self.handshakes.began()
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
        certificate = files.certificate.read_bytes()
        return Pem(certificate, files.key.read_bytes(), clients, *_times(certificate))
    except OSError as error:
        raise UnusableCertificate(f"{error.filename}: {error.strerror}") from error


def _times(certificate: bytes) -> tuple[float, float]:
    """From when to when it holds; always, if it does not say so in a way that can be read."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        found = load_pem_x509_certificate(certificate)
        return found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
    except ValueError:
        return -math.inf, math.inf


def _span(pem: Pem) -> str:
    begins, ends = (
        datetime.fromtimestamp(each, UTC).isoformat(" ") for each in (pem.begins, pem.ends)
    )
    return f"the new one holds from {begins} to {ends}"


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
