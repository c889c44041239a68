"""What comes of gRPC's statuses."""

import grpc

from antiphon_server.integration.connections.adapters.grpc_calls.files import TooMuch, Unusable
from antiphon_server.integration.connections.faults import (
    Cause,
    Fault,
    fault_in_words,
    fault_of,
    unreachable,
)
from antiphon_server.integration.connections.model import Connection
from antiphon_server.integration.tools.model import Result, ResultPart, SourceName, ToolName
from antiphon_server.runtime.encoding.visible import visible
from antiphon_server.runtime.errors import DomainError, Reason, invalid

LONGEST = 2_000
NOT_THERE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_UNSENT = ("failed to connect", "dns resolution failed", "name resolution")
"""How gRPC's core begins to tell of calls that it has not sent; it has no code for them."""
_TOO_LONG = "received message larger than max"


def unavailable(connection: SourceName, error: grpc.aio.AioRpcError | OSError) -> DomainError:
    """It can't be reached."""
    if isinstance(error, OSError):
        return unreachable(connection, fault_of(error))
    fault = fault_in_words(error.details() or "")
    if fault is None and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        fault = Fault(Cause.TIMEOUT)
    return unreachable(connection, fault)


def of_http(error: grpc.aio.AioRpcError) -> bool:
    """Whether it was answered by HTTP alone, which gRPC makes a status of its own of."""
    fault = fault_in_words(error.details() or "")
    return fault is not None and fault.cause is Cause.HTTP_STATUS


def undescribed(connection: SourceName) -> DomainError:
    """It has no reflection, and no descriptor set was given."""
    return DomainError(Reason.DESCRIPTORS_REQUIRED, connection=connection)


def unusable(error: Unusable) -> DomainError:
    """What says what it has can't be used, or is too much."""
    if isinstance(error, TooMuch):
        return DomainError(Reason.LIMIT_EXCEEDED, limit=error.limit)
    return invalid("connection.grpc", f"with descriptors that can be used: {error}")


def outcome(error: grpc.aio.AioRpcError, connection: Connection, tool: ToolName) -> Result:
    """A failed result with the status's name and what the server says of it.

    Raises DomainError CONNECTION_UNAVAILABLE, TOOL_CALL_LOST, TOOL_TIMEOUT, TOOL_FAILED.
    """
    code, said = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE and said.lower().startswith(_UNSENT):
        raise unavailable(connection.name, error) from error
    if code is grpc.StatusCode.UNAVAILABLE:
        raise DomainError(Reason.TOOL_CALL_LOST, tool=tool) from error
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        timeout_ms = round(connection.limits.call_s * 1000)
        raise DomainError(Reason.TOOL_TIMEOUT, tool=tool, timeout_ms=timeout_ms) from error
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LONG in said.lower():
        why = f"its answer is longer than {connection.limits.max_bytes} bytes"
        raise DomainError(Reason.TOOL_FAILED, tool=tool, why=why) from error
    told = f"{code.name}: {visible(said[:LONGEST])}" if said else code.name
    return Result((ResultPart("text", told),), failed=True)
