"""The contract's messages about connections <-> the domain's types."""

from hashlib import sha256
from typing import Any

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.model_pb2 import BreakerState
from antiphon_server.integration.connections.faults import Cause
from antiphon_server.integration.connections.model import (
    Basic,
    Bearer,
    BreakerStatus,
    Connection,
    Credential,
    EgressRules,
    Grpc,
    Header,
    Limits,
    Mcp,
    McpProgram,
    OAuth,
    OpenApi,
    ProgramId,
    Status,
    Target,
    WebSocket,
    WebSocketTool,
)
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.times import duration, timestamp

TARGETS = ("mcp", "mcp_program", "openapi", "web_socket", "grpc")
CHANGEABLE = ("title", *TARGETS, "credential", "limits", "disabled", "allow_sampling")


def fields_of(mask: Any) -> frozenset[str]:
    """The domain's fields that an update is about. Raises DomainError INVALID_ARGUMENT."""
    return frozenset("target" if it in TARGETS else it for it in masked(mask, CHANGEABLE))


def connection(it: Connection, status: Status) -> pb.Connection:
    """Encode one."""
    encoded = pb.Connection(
        workspace_id=it.workspace_id,
        name=it.name,
        title=it.title,
        credential=_credential(it.credential),
        limits=_limits(it.limits),
        disabled=it.disabled,
        status=connection_status(status),
        etag=it.etag,
        allow_sampling=it.allow_sampling,
    )
    if it.created_us:
        encoded.create_time.CopyFrom(timestamp(it.created_us))
    _set_target(encoded, it.target)
    return encoded


def connection_status(it: Status) -> pb.ConnectionStatus:
    """Encode what is known of one."""
    encoded = pb.ConnectionStatus(
        state=pb.ConnectionState.ValueType(it.state),
        since_time=timestamp(it.since_us),
        error_reason=it.error_reason,
        tools=it.tools,
        error_cause=_cause(it.error_metadata.get("cause", "")),
        error_metadata={key: said for key, said in it.error_metadata.items() if key != "cause"},
    )
    if it.latency_us:
        encoded.latency.FromMicroseconds(it.latency_us)
    _put_breaker(encoded, it.breaker)
    return encoded


def _put_breaker(encoded: pb.ConnectionStatus, it: BreakerStatus) -> None:
    encoded.breaker = BreakerState.ValueType(it.state)
    encoded.breaker_since_time.CopyFrom(timestamp(it.since_us))
    encoded.breaker_by_hand = it.by_hand
    if it.retry_after_s:
        encoded.retry_after.CopyFrom(duration(it.retry_after_s))


def _cause(name: str) -> pb.ConnectionCause.ValueType:
    cause = Cause[name] if name in Cause.__members__ else 0
    return pb.ConnectionCause.ValueType(cause)


def egress_rules(it: EgressRules) -> pb.EgressRules:
    """Encode where a workspace's may call."""
    return pb.EgressRules(hosts=it.hosts, etag=it.etag)


def decoded_egress(it: pb.EgressRules) -> EgressRules:
    """What a request says of that."""
    return EgressRules(tuple(it.hosts), it.etag)


def decoded(it: pb.Connection, workspace_id: str) -> Connection:
    """What a request says of one."""
    return Connection(
        workspace_id,
        SourceName(it.name),
        _target(it),
        it.title,
        _decoded_credential(it.credential) if it.HasField("credential") else None,
        _decoded_limits(it.limits),
        it.disabled,
        etag=it.etag,
        allow_sampling=it.allow_sampling,
    )


def _set_target(encoded: pb.Connection, target: Target) -> None:
    match target:
        case Mcp(url):
            encoded.mcp.url = url
        case McpProgram(program):
            encoded.mcp_program.program = program
        case OpenApi(url, base_url, digest):
            encoded.openapi.url, encoded.openapi.base_url = url, base_url
            encoded.openapi.document_sha256 = bytes.fromhex(digest)
        case WebSocket():
            encoded.web_socket.CopyFrom(_web_socket(target))
        case Grpc(address, services, digest):
            encoded.grpc.address = address
            encoded.grpc.services.extend(services)
            encoded.grpc.descriptor_set_sha256 = bytes.fromhex(digest)


def _target(it: pb.Connection) -> Target:
    if it.HasField("mcp"):
        return Mcp(it.mcp.url)
    if it.HasField("openapi"):
        return _openapi(it.openapi)
    if it.HasField("web_socket"):
        return _decoded_web_socket(it.web_socket)
    if it.HasField("grpc"):
        return _grpc(it.grpc)
    return McpProgram(ProgramId(it.mcp_program.program))


def _web_socket(it: WebSocket) -> pb.WebSocketTarget:
    return pb.WebSocketTarget(
        url=it.url,
        subprotocol=it.subprotocol,
        tools=[
            pb.WebSocketTool(
                name=tool.name,
                description=tool.description,
                input_schema=tool.input_schema,
                request=tool.request,
                arguments_member=tool.arguments_member,
            )
            for tool in it.tools
        ],
        id_member=it.id_member,
        result_member=it.result_member,
        error_member=it.error_member,
    )


def _decoded_web_socket(it: pb.WebSocketTarget) -> WebSocket:
    tools = tuple(
        WebSocketTool(
            tool.name, tool.description, tool.input_schema, tool.request, tool.arguments_member
        )
        for tool in it.tools
    )
    return WebSocket(it.url, it.subprotocol, tools, it.id_member, it.result_member, it.error_member)


def _openapi(it: pb.OpenApiTarget) -> OpenApi:
    named = b"" if it.url else it.document_sha256
    return OpenApi(it.url, it.base_url, _digest(it.document, named), it.document)


def _grpc(it: pb.GrpcTarget) -> Grpc:
    digest = _digest(it.descriptor_set, it.descriptor_set_sha256)
    return Grpc(it.address, tuple(it.services), digest, it.descriptor_set)


def _digest(document: bytes, named: bytes) -> str:
    """Of what was given along, else of what is kept and was named."""
    return sha256(document).hexdigest() if document else named.hex()


def _credential(it: Credential) -> pb.Credential | None:
    match it:
        case Bearer(secret):
            return pb.Credential(bearer=secret)
        case Header(name, secret):
            return pb.Credential(header=pb.HeaderCredential(name=name, secret=secret))
        case Basic(user, secret):
            return pb.Credential(basic=pb.BasicCredential(user=user, secret=secret))
        case OAuth(client_id, client_secret, scopes):
            oauth = pb.OAuthCredential(
                client_id=client_id, client_secret=client_secret, scopes=scopes
            )
            return pb.Credential(oauth=oauth)
    return None


def _decoded_credential(it: pb.Credential) -> Credential:
    if it.HasField("header"):
        return Header(it.header.name, SecretName(it.header.secret))
    if it.HasField("basic"):
        return Basic(it.basic.user, SecretName(it.basic.secret))
    if it.HasField("oauth"):
        client, scopes = it.oauth.client_id, tuple(it.oauth.scopes)
        return OAuth(client, SecretName(it.oauth.client_secret), scopes)
    return Bearer(SecretName(it.bearer))


def _limits(it: Limits) -> pb.ConnectionLimits:
    encoded = pb.ConnectionLimits(max_result_bytes=it.max_bytes, max_calls=it.max_calls)
    encoded.call_timeout.FromMicroseconds(round(it.call_s * 1e6))
    return encoded


def _decoded_limits(it: pb.ConnectionLimits) -> Limits:
    default = Limits()
    return Limits(
        it.call_timeout.ToMicroseconds() / 1e6 if it.HasField("call_timeout") else default.call_s,
        it.max_result_bytes or default.max_bytes,
        it.max_calls or default.max_calls,
    )
