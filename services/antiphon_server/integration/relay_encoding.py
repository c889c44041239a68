"""The contract's messages about relays <-> the domain's types."""

from typing import TypeVar

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon_server.integration.connections.model import Message
from antiphon_server.integration.connections.relay_frames import (
    Draining,
    Ended,
    Frame,
    Opened,
    Progress,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import status_of
from antiphon_server.runtime.rpc.times import duration, timestamp

Response = TypeVar("Response", pb.RelayResponse, pb.OpenRelayResponse)
LIMIT_S = 3600.0
"""How long a relay may be open whose client does not say."""


def limit_s(request: pb.OpenRelayRequest) -> float:
    """How long it may be open."""
    limit = request.time_limit
    return limit.seconds + limit.nanos / 1e9 if request.HasField("time_limit") else LIMIT_S


def message(said: pb.SocketMessage) -> Message:
    """Decode what is said.

    Raises DomainError UNIMPLEMENTED for what this version does not know, and might send as nothing.
    """
    match said.WhichOneof("data"):
        case "text":
            return said.text
        case "binary":
            return said.binary
        case _:
            raise DomainError(Reason.UNIMPLEMENTED)


def socket_message(said: Message) -> pb.SocketMessage:
    """Encode what is said."""
    if isinstance(said, str):
        return pb.SocketMessage(text=said)
    return pb.SocketMessage(binary=said)


def response(frame: Frame, kind: type[Response]) -> Response:
    """Encode a frame."""
    match frame:
        case Opened(relay_id, expires_us):
            opened = pb.RelayOpened(relay_id=relay_id, expire_time=timestamp(expires_us))
            return kind(opened=opened)
        case Progress(sent, received):
            return kind(progress=pb.RelayProgress(sent=sent, received=received))
        case Draining(after_s):
            return kind(draining=pb.RelayDraining(reconnect_after=duration(after_s)))
        case Ended():
            return kind(ended=_ended(frame))
        case _:
            return kind(message=socket_message(frame))


def _ended(ended: Ended) -> pb.RelayEnded:
    error = status_of(ended.error) if ended.error is not None else None
    reason = pb.RelayCloseReason.ValueType(ended.reason)
    return pb.RelayEnded(reason=reason, error=error, code=ended.code, text=ended.text)
