"""What connections are, and what is known of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NewType, TypeAlias

import msgspec
from msgspec.structs import replace

from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.concurrency.breaker import State as BreakerState
from antiphon_server.runtime.errors import DomainError, Reason

ProgramId = NewType("ProgramId", str)
RESERVED = frozenset({SourceName("antiphon")})
"""Names of sources that are built in."""
MOST_CONNECTIONS = 100
"""Of one workspace."""


class State(IntEnum):
    """Whether a connection can be used. Values are those of the contract's ConnectionState."""

    CONNECTING = 1
    UP = 2
    DEGRADED = 3
    DOWN = 4
    DISABLED = 5


USABLE = frozenset({State.UP, State.DEGRADED})
"""Calls are tried in these."""


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """Whether calls are made: since when (microseconds since 1970), and in how long they may be."""

    state: BreakerState = BreakerState.CLOSED
    since_us: int = 0
    retry_after_s: float = 0.0
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a connection: since when (microseconds since 1970), and why it is down.

    ``error_metadata`` are variables of the reason, among them the ``cause``, where one is known.
    """

    state: State
    since_us: int
    error_reason: str = ""
    latency_us: int = 0
    tools: int = 0
    error_metadata: Mapping[str, str] = field(default_factory=dict)
    breaker: BreakerStatus = BreakerStatus()

    @property
    def serves(self) -> bool:
        """Whether calls are made as they come."""
        return self.state in USABLE and self.breaker.state is BreakerState.CLOSED


class Mcp(msgspec.Struct, frozen=True, tag="mcp"):
    """An MCP server over HTTP."""

    url: str


class McpProgram(msgspec.Struct, frozen=True, tag="mcp_program"):
    """An MCP server as a program of the settings."""

    program: ProgramId


class OpenApi(msgspec.Struct, frozen=True, tag="openapi"):
    """A service over HTTP; its operations are below ``base_url``, "" for where it says itself.

    Its document is at ``url``, or was given: then ``digest`` is its SHA-256, and ``document`` is
    empty in what was stored, since it is kept apart.
    """

    url: str
    base_url: str = ""
    digest: str = ""
    document: bytes = b""


class WebSocketTool(msgspec.Struct, frozen=True):
    """A request and its answer; schema and request are JSON objects, "" for any and for `{}`."""

    name: str
    description: str = ""
    input_schema: str = ""
    request: str = ""
    arguments_member: str = ""


class WebSocket(msgspec.Struct, frozen=True, tag="web_socket"):
    """A server of WebSockets, whose protocol is told by the names of members of its messages.

    Without an ``id_member`` requests go one at a time, and the next message is the answer.
    """

    url: str
    subprotocol: str = ""
    tools: tuple[WebSocketTool, ...] = ()
    id_member: str = ""
    result_member: str = ""
    error_member: str = ""


class Grpc(msgspec.Struct, frozen=True, tag="grpc"):
    """A gRPC server; of its ``services`` those of these full names, () for all.

    What they are it is asked by reflection, unless a descriptor set was given: then ``digest`` is
    its SHA-256, and ``document`` is empty in what was stored, since it is kept apart. One of the
    settings has it in a ``file``, a path.
    """

    address: str
    services: tuple[str, ...] = ()
    digest: str = ""
    document: bytes = b""
    file: str = ""


class Newer(msgspec.Struct, frozen=True, tag="newer"):
    """What a newer server has stored and this one can't read. It is never stored by this one."""


Message: TypeAlias = str | bytes
"""A message on a WebSocket: text, or bytes."""
Target: TypeAlias = Mcp | McpProgram | OpenApi | WebSocket | Grpc | Newer


class Bearer(msgspec.Struct, frozen=True, tag="bearer"):
    """A secret as a bearer token."""

    secret: SecretName


class Header(msgspec.Struct, frozen=True, tag="header"):
    """A secret in a header of its own."""

    name: str
    secret: SecretName


class Basic(msgspec.Struct, frozen=True, tag="basic"):
    """A secret as a user's password."""

    user: str
    secret: SecretName


class OAuth(msgspec.Struct, frozen=True, tag="oauth"):
    """A person's grant to a client; "" to be registered, and for a client without a secret."""

    client_id: str = ""
    secret: SecretName = SecretName("")
    scopes: tuple[str, ...] = ()


Credential: TypeAlias = Bearer | Header | Basic | OAuth | None


class Limits(msgspec.Struct, frozen=True):
    """What one connection may cost."""

    call_s: float = 60.0
    max_bytes: int = 8 * 1024 * 1024
    max_calls: int = 16
    open_s: float = 20.0


class EgressRules(msgspec.Struct, frozen=True):
    """The hosts that a workspace's connections may call; none for all that the operator allows."""

    hosts: tuple[str, ...] = ()
    etag: str = ""


class Connection(msgspec.Struct, frozen=True):
    """A connection; ``workspace_id`` is "" for one of the installation.

    ``egress`` are the hosts that its workspace's connections may call, empty for all that the
    operator allows. They are stored by themselves, and stand here so that whatever they change is
    another connection, to which links are opened anew.
    """

    workspace_id: str
    name: SourceName
    target: Target
    title: str = ""
    credential: Credential = None
    limits: Limits = Limits()
    disabled: bool = False
    created_us: int = 0
    etag: str = ""
    allow_sampling: bool = False
    egress: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a service over HTTP; ``path`` is below the connection's own address."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a service over HTTP has answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


MOST_ANSWERED = 1024 * 1024
"""Bytes of an answer to what was forwarded."""
Forwarded: TypeAlias = HttpRequest | Message
Answered: TypeAlias = HttpAnswer | Message


def unsupported(connection: Connection) -> DomainError:
    """Such a connection takes no such request as it is; the error says what it takes."""
    match connection.target:
        case OpenApi():
            instead = "Forward with http"
        case WebSocket():
            instead = "Forward with message, or Relay"
        case _:
            instead = "CallTool"
    return DomainError(Reason.FORWARD_UNSUPPORTED, connection=connection.name, instead=instead)


def without_document(connection: Connection) -> Connection:
    """The connection as it is stored: what was given along is kept apart."""
    target = connection.target
    if not isinstance(target, OpenApi | Grpc) or not target.document:
        return connection
    return replace(connection, target=replace(target, document=b""))


def missing_document(connection: Connection, stored: Connection | None) -> bool:
    """Whether it names a document that was neither given along nor is kept with what is stored."""
    target = connection.target
    if not isinstance(target, OpenApi | Grpc) or target.document or not target.digest:
        return False
    kept = None if stored is None else stored.target
    return not isinstance(kept, type(target)) or kept.digest != target.digest


def leads_to(connection: Connection) -> str:
    """Where its calls go, whatever signs and limits them: its kind and its address, as a digest."""
    return hashlib.sha256(msgspec.json.encode(without_document(connection).target)).hexdigest()


def grantee(connection: Connection) -> str:
    """To what people grant: this very connection, at its address, by its client."""
    given = connection.credential
    client = (given.client_id, given.secret) if isinstance(given, OAuth) else ()
    what = (connection.created_us, connection.target, client)
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()
