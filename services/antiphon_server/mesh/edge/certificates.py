"""What Envoy shows by TLS, and whom it trusts.

A control plane tells it by secrets of their own (SDS): a renewed certificate is taken with the next
connection, and cuts none. A key's file is named and never told, so it stays where it is; told is
the certificate itself, for a secret that is told again as it was would not be read anew.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from envoy_data_plane.envoy.config.core.v3 import DataSource, WatchedDirectory
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    SdsSecretConfig,
    Secret,
    TlsCertificate,
    TlsParameters,
    TlsParametersTlsProtocol,
)

from antiphon_server.mesh.edge.terms import ADS
from antiphon_server.mesh.model import PEERS, PUBLIC, Edge
from antiphon_server.runtime.net.tls import Pem, TlsFiles

TLS = "envoy.transport_sockets.tls"
_AUTHORITY = "peers' authority"
_QUIET = WatchedDirectory(path="/")
"""Where nothing is moved to. In the key's own folder Envoy would see a new key before it is told
the certificate, and then take neither."""


def for_clients(files: TlsFiles, *, told: bool) -> CommonTlsContext:
    """What is shown to clients: of these files, or as the control plane has ``told``."""
    return _shown(PUBLIC, files, ("h2", "http/1.1"), told=told)


def for_peers(files: TlsFiles, *, told: bool) -> CommonTlsContext:
    """What is shown to services, of whom it is asked, too."""
    context = _shown(PEERS, files, ("h2",), told=told)
    if told:
        context.validation_context_sds_secret_config = _told(_AUTHORITY)
    else:
        assert files.client_ca is not None
        context.validation_context = CertificateValidationContext(trusted_ca=_file(files.client_ca))
    return context


def secrets(edge: Edge, found: Mapping[str, Pem]) -> list[Secret]:
    """What a control plane tells."""
    files = {PUBLIC: edge.tls, PEERS: edge.peers}
    told = [_secret(name, found[name], each) for name, each in files.items() if each is not None]
    if edge.peers is not None:
        authority = DataSource(inline_bytes=found[PEERS].client_ca)
        trusted = CertificateValidationContext(trusted_ca=authority)
        told.append(Secret(name=_AUTHORITY, validation_context=trusted))
    return told


def _secret(name: str, pem: Pem, files: TlsFiles) -> Secret:
    chain = DataSource(inline_bytes=pem.certificate)
    certificate = TlsCertificate(
        certificate_chain=chain, private_key=_file(files.key), watched_directory=_QUIET
    )
    return Secret(name=name, tls_certificate=certificate)


def _shown(name: str, files: TlsFiles, protocols: Sequence[str], *, told: bool) -> CommonTlsContext:
    context = CommonTlsContext(
        tls_params=TlsParameters(tls_minimum_protocol_version=TlsParametersTlsProtocol.TLSv1_2),
        alpn_protocols=list(protocols),
    )
    if told:
        context.tls_certificate_sds_secret_configs = [_told(name)]
    else:
        context.tls_certificates = [
            TlsCertificate(certificate_chain=_file(files.certificate), private_key=_file(files.key))
        ]
    return context


def _told(name: str) -> SdsSecretConfig:
    return SdsSecretConfig(name=name, sds_config=ADS)


def _file(path: Path) -> DataSource:
    return DataSource(filename=str(path.absolute()))
