"""The stream on which a call's people are asked, as strange callers use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from antiphon.integration.v1 import tool_pb2
from antiphon.integration.v1 import tool_service_pb2 as pb
from antiphon.integration.v1.tool_service_pb2_grpc import (
    ToolServiceStub,
    add_ToolServiceServicer_to_server,
)
from antiphon_server.integration.tool_servicer import ToolServicer
from antiphon_server.integration.tools.model import Call, Result
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc import duplex
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from tests.e2e.refusals import reason_of
from tests.e2e.until import SOON_S
from tests.integration.tools.sources import TestSource, tool
from tests.integration.tools.test_calls import ID, ME, World, world
from tests.runtime.events_service import on_a_port

RUN = pb.RunToolRequest(
    workspace_id=ME.workspace_id,
    conversation_id=ME.conversation_id,
    turn_id=ME.turn_id,
    call=tool_pb2.ToolCall(tool_call_id=ID, tool="test.one", arguments_json="{}"),
)


async def hanging(call: Call) -> Result:
    """Never answers."""
    return await asyncio.Event().wait()  # type: ignore[return-value]


@asynccontextmanager
async def attended(it: World) -> AsyncIterator[Any]:
    """A stream to its tools, over a socket."""
    table = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    add_ToolServiceServicer_to_server(ToolServicer(it.catalogue, it.caller, it.results), table)
    async with on_a_port(table) as channel, asyncio.timeout(SOON_S):
        stub: Any = ToolServiceStub(channel)
        yield stub.AttendTool()


async def test_a_stream_on_which_nothing_is_asked_ends() -> None:
    """As it was asked to."""
    async with world(TestSource(tool())) as it, attended(it) as stream:
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
        assert await stream.code() is grpc.StatusCode.OK


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """For longer than what opens any other stream."""
    monkeypatch.setattr(duplex, "FIRST_S", 0.05)
    async with world(TestSource(tool())) as it, attended(it) as stream:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert reason_of(caught.value) == "DEADLINE_EXCEEDED"


async def test_an_answer_before_the_call_is_refused() -> None:
    """There is nothing that it could answer."""
    async with world(TestSource(tool())) as it, attended(it) as stream:
        await stream.write(pb.AttendToolRequest(answer=tool_pb2.ToolAnswer(question_id="ask_1")))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert reason_of(caught.value) == "INVALID_ARGUMENT"


async def test_a_second_call_on_the_stream_is_refused() -> None:
    """And the first is stopped."""
    source = TestSource(tool(), answer=hanging)
    async with world(source) as it, attended(it) as stream:
        await stream.write(pb.AttendToolRequest(run=RUN))
        await stream.write(pb.AttendToolRequest(run=RUN))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert reason_of(caught.value) == "INVALID_ARGUMENT"
        assert source.closed == len(source.called)
