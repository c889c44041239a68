"""The edge as the settings want it: what it is like, where it listens, and as a file."""

from collections.abc import Iterable

import msgspec

from antiphon_server.installation import SERVICES
from antiphon_server.mesh.contracts import Contracts
from antiphon_server.mesh.model import Address, CallRates, Edge
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime.composition.descriptor import Descriptor
from antiphon_server.runtime.configuration import WrongSetting, host_and_port
from antiphon_server.runtime.net.ports import kept_port
from antiphon_server.runtime.rpc.server import CannotListen
from antiphon_server.settings import Settings

LOOPBACK = "127.0.0.1"
_NO_CLIENT_CA = (
    "tls_client_ca: the edge asks its clients for no certificates; leave ANTIPHON_TLS_CLIENT_CA "
    "to servers, and to a proxy before the edge (ANTIPHON_PEER_CA is for who is behind it)"
)


def as_server(settings: Settings) -> Settings:
    """The edge judged as a server is: its port is what strangers reach.

    The registry is where nodes reach it, the port for figures the edge's own.
    """
    mesh = settings.mesh
    return msgspec.structs.replace(
        settings,
        host=mesh.edge_host,
        registry=str(Address(mesh.host, mesh.port)),
        admin_port=mesh.admin_port,
    )


def open_access_log(mesh: MeshSettings) -> None:
    """Make its folder, and the file. Raises WrongSetting: Envoy would tell its own log alone."""
    if mesh.access_log is None:
        return
    try:
        mesh.access_log.parent.mkdir(parents=True, exist_ok=True)
        mesh.access_log.open("a").close()
    except OSError as error:
        raise WrongSetting(
            f"access_log in ANTIPHON_MESH: {mesh.access_log}: {error.strerror}"
        ) from error


def refuse_client_ca(settings: Settings) -> None:
    """Raise WrongSetting if clients of the edge were to show certificates: it asks for none."""
    if settings.tls_client_ca is not None:
        raise WrongSetting(_NO_CLIENT_CA)


def edge_of(settings: Settings, inside: Address, known: Iterable[Descriptor] = SERVICES) -> Edge:
    """Before the ``known`` services, as the settings have it. Raises WrongSetting.

    Ports that are 0 have not been picked yet.
    """
    refuse_client_ca(settings)
    mesh = settings.mesh
    limited = mesh.calls_per_s or mesh.calls_per_s_of_one
    return Edge(
        Address(mesh.edge_host, mesh.edge_port),
        pages=_address("pages", mesh.pages),
        origins=mesh.origins,
        tls=settings.tls,
        reflects=settings.reflects,
        trusted_hops=mesh.trusted_hops,
        access_log=mesh.access_log,
        rates=CallRates(mesh.calls_per_s, mesh.calls_per_s_of_one) if limited else None,
        traces=_address("traces", mesh.traces),
        inside=inside,
        peers=settings.peer_tls,
        contracts=Contracts(known),
    )


def port_for_envoy(mesh: MeshSettings, host: str, name: str) -> int:
    """The port of that name, which an Envoy here or elsewhere listens on."""
    port: int = getattr(mesh, name)
    return picked(host, port, f"{name} in ANTIPHON_MESH") if mesh.envoy or not port else port


def picked(host: str, port: int, setting: str) -> int:
    """The port if it is free, or one that is in place of 0: every Envoy is told the same.

    An Envoy that can't listen tells its log alone. Raises CannotListen, which names the
    ``setting``.
    """
    try:
        return kept_port(host, port)
    except OSError as error:
        raise CannotListen(str(Address(host, port)), setting) from error


def rendered(settings: Settings, known: Iterable[Descriptor] = SERVICES) -> str:
    """Envoy's configuration as one file, with services where the settings say that they are.

    It checks no tokens: the keys are a control plane's, which has them from auth.

    Raises WrongSetting.
    """
    from antiphon_server.mesh.edge.static import services_at

    mesh, peers = settings.mesh, settings.peers
    edge = edge_of(settings, Address(LOOPBACK, mesh.inside_port), known)
    where: dict[str, list[Address]] = {
        name: [_of(name, peers.address(name))] for name in peers.names
    }
    where["mesh"] = [Address(mesh.host, mesh.port)]
    return services_at(edge, where)


def rendered_bootstrap(settings: Settings) -> str:
    """What an Envoy on this machine starts with that asks the control plane for all else."""
    from antiphon_server.mesh.edge.dynamic import bootstrap

    return bootstrap("edge", Address(LOOPBACK, settings.mesh.ads_port)).to_json(indent=2)


def _address(setting: str, text: str) -> Address | None:
    return _of(setting, text) if text else None


def _of(setting: str, text: str) -> Address:
    return Address(*host_and_port(setting, text))
