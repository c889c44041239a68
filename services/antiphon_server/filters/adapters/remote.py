"""Filters of others, asked by tools of connections: with their credentials and limits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf import json_format

from antiphon.context.v1 import filter_pb2
from antiphon.context.v1.remote_filter_service_pb2 import (
    RemoteFilterServiceScreenRequest,
    RemoteFilterServiceScreenResponse,
    RemoteFinding,
)
from antiphon.integration.v1.tool_service_pb2 import ConsultToolRequest
from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.model import Origin, Stage
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceAsyncStub

TIMEOUT_S = 35.0
"""Behind the longest that a filter may take."""
CHECK_S = 10.0
"""Tools of a connection that was never asked are waited for, for some seconds."""
_NOT_THERE = (Reason.TOOL_NOT_FOUND, Reason.TOOL_ARGUMENTS_INVALID)
MOST_BYTES = 3 * 1024 * 1024
"""So many a tool is asked with, as the contract of ConsultTool has it."""


class ToolServiceRemote:
    """See :class:`~antiphon_server.filters.ports.AsksRemote`, and ``KnowsTools`` there."""

    def __init__(self, tools: "ToolServiceAsyncStub") -> None:
        self._tools = tools

    async def ask(self, tool: str, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        """See :meth:`AsksRemote.ask`."""
        asked = _asked(texts, origin)
        if len(asked.encode()) > MOST_BYTES:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_BYTES} bytes")
        request = ConsultToolRequest(
            workspace_id=origin.workspace_id, name=tool, arguments_json=asked
        )
        with remote_errors("integration"):
            response = await self._tools.ConsultTool(request, timeout=TIMEOUT_S)
        if response.failed:
            raise DomainError(Reason.TOOL_FAILED, tool=tool)
        answer = _answer(tool, response.text)
        return [_found(tool, it, texts) for it in answer.findings]

    async def can_be_asked(self, tool: str, workspace_id: str) -> bool:
        """See :meth:`~antiphon_server.filters.ports.KnowsTools.can_be_asked`."""
        asked = _asked(["hello"], Origin(workspace_id, "", Stage.MESSAGE, ""))
        request = ConsultToolRequest(
            workspace_id=workspace_id, name=tool, arguments_json=asked, checks_only=True
        )
        try:
            with remote_errors("integration"):
                await self._tools.ConsultTool(request, timeout=CHECK_S)
        except DomainError as refused:
            return refused.reason not in _NOT_THERE
        return True


def _asked(texts: Sequence[str], origin: Origin) -> str:
    request = RemoteFilterServiceScreenRequest(
        texts=texts,
        stage=filter_pb2.FilterStage.ValueType(origin.stage),
        conversation_id=origin.conversation_id,
        author=origin.author,
    )
    return json_format.MessageToJson(request, indent=None, ensure_ascii=False)


def _answer(tool: str, said: str) -> RemoteFilterServiceScreenResponse:
    """Decode what it says. Raises DomainError TOOL_FAILED where the contract has it otherwise."""
    import protovalidate  # as for requests: 0.1 s and 12 MB

    answer = RemoteFilterServiceScreenResponse()
    try:
        json_format.Parse(said or "{}", answer, ignore_unknown_fields=True)
    except json_format.ParseError:
        raise DomainError(Reason.TOOL_FAILED, tool=tool) from None
    if protovalidate.collect_violations(answer, fail_fast=True):
        raise DomainError(Reason.TOOL_FAILED, tool=tool)
    return answer


def _found(tool: str, it: RemoteFinding, texts: Sequence[str]) -> Found:
    """Where it is. Raises DomainError TOOL_FAILED where there is no such place."""
    if not 0 <= it.text < len(texts):
        raise DomainError(Reason.TOOL_FAILED, tool=tool)
    before, length = sum(map(len, texts[: it.text])), len(texts[it.text])
    end = it.end or length
    if not 0 <= it.start <= end <= length:
        raise DomainError(Reason.TOOL_FAILED, tool=tool)
    return Found(before + it.start, before + end, it.category)
