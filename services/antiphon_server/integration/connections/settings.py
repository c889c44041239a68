"""The installation's own connections, and the programs that connections may start."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from antiphon_server.integration.connections.model import (
    RESERVED,
    Bearer,
    Connection,
    Grpc,
    Mcp,
    McpProgram,
    OpenApi,
    ProgramId,
    Target,
    WebSocket,
)
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.configuration import Secret
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.net.egress.names import place_of

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
MAX_PROGRAMS = 16
HTTP = ("http", "https")


class ProgramSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that speaks MCP by stdio. It has no variables but these and a plain PATH."""

    command: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, Secret] = {}
    folder: Path | None = None


class GrpcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gRPC server: which of its services to offer, and the file of its descriptor set, if any.

    The file is read again with each probe.
    """

    address: str
    services: tuple[str, ...] = ()
    descriptors: Path | None = None

    @property
    def target(self) -> Grpc:
        """The target."""
        return Grpc(self.address, self.services, file=str(self.descriptors or ""))


class ConnectionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A connection that all workspaces may use.

    ``mcp`` is an address, ``program`` an id, ``openapi`` a document's address, whose operations are
    below ``base_url`` where that is given, ``websocket`` an address or all that is to be said of a
    server of WebSockets, ``grpc`` an address or all that is to be said of a gRPC server. The token
    is ``bearer``, or the value of the environment variable named by ``bearer_env``.
    ``allow_sampling`` lets an MCP server have models asked. One that is ``private`` the server
    alone calls, for what it is named for elsewhere in the settings: no workspace has it.
    """

    name: Name
    title: str = ""
    mcp: str = ""
    program: str = ""
    openapi: str = ""
    base_url: str = ""
    websocket: str | WebSocket = ""
    grpc: str | GrpcSettings = ""
    bearer: Secret | None = None
    bearer_env: str = ""
    allow_sampling: bool = False
    private: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for what makes no sense."""
        if sum(map(bool, self._places)) != 1:
            raise ValueError(
                f"connections: {self.name}: give one of mcp, program, openapi, websocket and grpc"
            )
        if self.base_url and not self.openapi:
            raise ValueError(f"connections: {self.name}: a base_url belongs to openapi")
        for field, address, schemes in self._addresses:
            _check_address(f"connections: {self.name}: {field}", address, schemes)
        if self.bearer_env and not self.token:
            raise ValueError(
                f"connections: {self.name}: the variable {self.bearer_env} (bearer_env) holds no "
                "token"
            )

    @property
    def token(self) -> str:
        """The bearer token, or an empty string."""
        found = self.bearer.reveal() if self.bearer else ""
        return found or os.environ.get(self.bearer_env, "")

    @property
    def connection(self) -> Connection:
        """The connection; its secret has its own name."""
        name = SourceName(self.name)
        credential = Bearer(SecretName(self.name)) if self.token else None
        sampling = self.allow_sampling
        return Connection("", name, self._target, self.title, credential, allow_sampling=sampling)

    @property
    def _addresses(self) -> Iterator[tuple[str, str, Collection[str]]]:
        """Each that is given: its field, itself, and the schemes that it may have."""
        websocket = self.websocket.url if isinstance(self.websocket, WebSocket) else self.websocket
        grpc = self.grpc.address if isinstance(self.grpc, GrpcSettings) else self.grpc
        given = {
            "mcp": (self.mcp, HTTP),
            "openapi": (self.openapi, HTTP),
            "base_url": (self.base_url, HTTP),
            "websocket": (websocket, ("ws", "wss")),
            "grpc": (grpc, HTTP),
        }
        return ((field, address, kinds) for field, (address, kinds) in given.items() if address)

    @property
    def _places(self) -> tuple[str | WebSocket | GrpcSettings, ...]:
        return self.mcp, self.program, self.openapi, self.websocket, self.grpc

    @property
    def _target(self) -> Target:
        if self.mcp:
            return Mcp(self.mcp)
        if self.openapi:
            return OpenApi(self.openapi, self.base_url)
        if self.program:
            return McpProgram(ProgramId(self.program))
        if isinstance(self.grpc, GrpcSettings):
            return self.grpc.target
        if self.grpc:
            return Grpc(self.grpc)
        told = self.websocket
        return told if isinstance(told, WebSocket) else WebSocket(told)


def _check_address(field: str, address: str, schemes: Collection[str]) -> None:
    """Raises ValueError for what is no address of one of the schemes."""
    try:
        place = place_of(address)
    except DomainError as error:
        wrong = error.metadata["why"]
    else:
        if place.scheme in schemes:
            return
        wrong = f"it is of {place.scheme}"
    first = next(iter(schemes))
    raise ValueError(
        f"{field}: {address!r} is no address that can be called ({wrong}): write it like "
        f"{first}://localhost:8080, or {first}s://…"
    )


def check_connections(
    connections: Collection[ConnectionSettings], programs: Collection[str]
) -> None:
    """Raises ValueError for a name that is used twice or reserved, and for an unknown program."""
    names = [it.name for it in connections]
    for name in names:
        if name in RESERVED or names.count(name) > 1:
            raise ValueError(f"connections: the name {name} is taken")
    for it in connections:
        if it.program and it.program not in programs:
            raise ValueError(f"connections: {it.name}: programs has no {it.program}")
