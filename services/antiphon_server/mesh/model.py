"""Where things are, and what an edge is to be like; nothing here knows Envoy's types."""

from dataclasses import dataclass, field
from pathlib import Path

from antiphon_server.mesh.contracts import Contracts, contracts
from antiphon_server.runtime.net.tls import TlsFiles
from antiphon_server.runtime.rpc.limits import Limits

SERVER = Limits()
PUBLIC, PEERS = "edge", "peers"
"""To whom a certificate is shown: to clients, and to peers."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name or an IP address) and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Such as ``127.0.0.1:7450`` and ``[::1]:7450``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CallRates:
    """How many calls a second an edge lets through: of all together, and of one address."""

    of_all: int
    of_one: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What may be under way through an edge."""

    requests: int = SERVER.rpcs
    """At once, to all servers of a service; what is more would be refused there."""
    stream_idle_s: float = 300.0
    """Every stream of the contracts says something at least every 25 s, or has no more to say.
    Not so health, which is none of theirs: who watches it hears nothing as long as all is well.
    Nor a call of a tool, which says nothing until its tool does. Both may go on."""
    stream_longest_s: float = SERVER.age_s
    """As long as a server keeps a connection; a client resumes by its cursor."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The configuration of the Envoy between clients and services.

    With port 0 in ``listen``, Envoy picks one. ``pages`` is an HTTP/1.1 server that gets every
    path that is not an RPC. ``origins`` are other origins whose pages may call (CORS), such as
    ``https://chat.example``. ``access_log`` receives one line of JSON per call. ``trusted_hops``
    is the number of proxies in front of it; only they can reach it, and their ``x-forwarded-for``
    tells callers apart.

    ``keys`` is an HTTP/1.1 server with the keys of access tokens under ``/keys``; a token that
    they have not signed is refused at once. ``rates`` limit calls. ``traces`` is an OTLP collector
    over gRPC. ``inside`` is the port through which services call each other; only they can reach
    it, and the called service checks access. ``peers`` is the certificate shown to services, whose
    certificates must come from ``client_ca``; None for plain text. ``contracts`` are the services
    it routes to; no other call passes.
    """

    listen: Address
    pages: Address | None = None
    origins: tuple[str, ...] = ()
    tls: TlsFiles | None = None
    reflects: bool = False
    access_log: Path | None = None
    keys: Address | None = None
    rates: CallRates | None = None
    traces: Address | None = None
    inside: Address | None = None
    trusted_hops: int = 0
    peers: TlsFiles | None = None
    passage: Passage = Passage()
    contracts: Contracts = field(default_factory=contracts)
