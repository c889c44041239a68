"""Whom commands trust when a server shows its certificate."""

import contextlib
import os
import ssl
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from antiphon_client import Tls
from antiphon_server.cli.console import CommandError
from antiphon_server.cli.options import CA_VARIABLE
from antiphon_server.cli.paths import ca_file
from antiphon_server.cli.server_file import told_in

_CERTIFICATE_VARIABLE, _KEY_VARIABLE = "ANTIPHON_CLIENT_CERT", "ANTIPHON_CLIENT_KEY"
_RECORD_TYPES = (b"\x15", b"\x16")  # alert, handshake: RFC 8446, section 5.1
Spoken = Literal["tls", "plain", ""]


def tls_for(address: str, data_dir: Path, ca: Path | None = None) -> Tls | None:
    """How to secure the connection; None for a plain one. Raises CommandError.

    The server of this data folder is known by its own certificate, any other by the
    authorities of ``ca`` or ``ANTIPHON_CA``, of its login, or else by the public ones.
    """
    if urlsplit(address).scheme != "https":
        return None
    certificate, key = _named(_CERTIFICATE_VARIABLE), _named(_KEY_VARIABLE)
    if ca is not None:
        return Tls(_content(ca, "--ca"), certificate, key)
    own = _own_certificate(address, data_dir)
    if own is not None:
        return Tls(own, certificate, key, server_name=_name_of(own))
    kept = ca_file(address)
    authorities = _named(CA_VARIABLE) or (kept.read_bytes() if kept.exists() else None)
    return Tls(authorities, certificate, key)


def keep_ca(address: str, ca: Path | None) -> None:
    """Remember whom a login was told to trust, or that it was told nobody."""
    kept = ca_file(address)
    if ca is None:
        kept.unlink(missing_ok=True)
    else:
        kept.write_bytes(_content(ca, "--ca"))


def hello() -> bytes:
    """The first words of a client that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is said after the first words
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def spoken(answer: bytes) -> Spoken:
    """What a server speaks that answers to :func:`hello` like this."""
    if not answer:
        return ""
    return "tls" if answer[:1] in _RECORD_TYPES else "plain"


def _own_certificate(address: str, data_dir: Path) -> bytes | None:
    """The certificate of the data folder's server, if that is what listens there."""
    told = told_in(data_dir)
    if not told.get("certificate") or told.get("address") != address:
        return None
    try:
        return Path(told["certificate"]).read_bytes()
    except OSError:
        return None


def _name_of(certificate: bytes) -> str:
    """A name that the certificate is for: it need not be this machine's."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return ""
    return next((str(name.value).replace("*", "any") for name in names), "")


def _named(variable: str) -> bytes | None:
    """The content of the file that a variable names."""
    path = os.environ.get(variable)
    return _content(Path(path), variable) if path else None


def _content(path: Path, name: str) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {path}: {error.strerror}") from None
