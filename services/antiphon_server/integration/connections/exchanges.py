"""Requests to a server of WebSockets and their answers, as its connection tells them apart."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from antiphon_server.integration.connections.model import Message, WebSocket, WebSocketTool
from antiphon_server.integration.tools.model import (
    Definition,
    Json,
    Result,
    ResultPart,
    SourceName,
    ToolName,
)
from antiphon_server.integration.tools.untrusted import accepted
from antiphon_server.runtime.errors import DomainError, Reason, invalid

ANY_OBJECT = '{"type": "object"}'
BINARY = "application/octet-stream"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_GARBLED = (msgspec.MsgspecError, ValueError, RecursionError)


def definitions(source: SourceName, target: WebSocket) -> Mapping[ToolName, Definition]:
    """The tools that a connection declares. Raises DomainError INVALID_ARGUMENT."""
    for tool in target.tools:
        _template(tool)
    told = [_definition(source, tool) for tool in target.tools]
    taken = accepted(told)
    for wrong in taken.refused:
        raise invalid("connection.web_socket.tools", f"{wrong.name}: {wrong.why}")
    return taken.definitions


def request(
    target: WebSocket, tool: WebSocketTool, arguments: Mapping[str, Json], number: int
) -> str:
    """The message that asks; ``number`` is its id, where requests have one."""
    told = _template(tool)
    if tool.arguments_member:
        told[tool.arguments_member] = dict(arguments)
    else:
        told = {**arguments, **told}
    if target.id_member:
        told[target.id_member] = number
    return json.dumps(told, ensure_ascii=False)


def number_of(target: WebSocket, message: Message) -> int | None:
    """Which request a message answers by its id; None for none."""
    try:
        return msgspec.json.decode(_members.decode(message)[target.id_member], type=int)
    except (KeyError, *_GARBLED):
        return None


def result(target: WebSocket, tool: ToolName, message: Message) -> Result:
    """What an answer says. Raises DomainError TOOL_FAILED for one that lacks its result."""
    if not target.result_member and not target.error_member:
        return Result((_part(message),))
    try:
        members = _members.decode(message)
    except _GARBLED:
        raise _failed(tool, "its answer is no JSON object") from None
    if target.error_member and members.get(target.error_member, b"null") != b"null":
        return Result((_told(bytes(members[target.error_member])),), failed=True)
    if not target.result_member:
        return Result((_part(message),))
    if target.result_member not in members:
        raise _failed(tool, f"its answer has no {target.result_member}")
    return Result((_told(bytes(members[target.result_member])),))


def _definition(source: SourceName, tool: WebSocketTool) -> Definition:
    name = ToolName(f"{source}.{tool.name}")
    return Definition(name, tool.description, tool.input_schema or ANY_OBJECT)


def _template(tool: WebSocketTool) -> dict[str, Json]:
    try:
        told: dict[str, Json] = msgspec.json.decode(tool.request or "{}", type=dict[str, Any])
        return told
    except _GARBLED:
        field = "connection.web_socket.tools"
        raise invalid(field, f"{tool.name}: its request is no JSON object") from None


def _part(message: Message) -> ResultPart:
    if isinstance(message, str):
        return ResultPart("text", message)
    data = base64.b64encode(message).decode()
    return ResultPart("file", f"data:{BINARY};base64,{data}", BINARY)


def _told(value: bytes) -> ResultPart:
    """A string as it is; anything else as JSON."""
    try:
        return ResultPart("text", msgspec.json.decode(value, type=str))
    except _GARBLED:
        return ResultPart("text", value.decode(errors="replace"))


def _failed(tool: ToolName, why: str) -> DomainError:
    return DomainError(Reason.TOOL_FAILED, tool=tool, why=why)
