"""Calls of tools: bare, by a client's CallTool, and in turns."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon.integration.v1.tool_service_pb2 import (
    CallToolRequest,
    CallToolResponse,
    SetToolRuleRequest,
)
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from tests.proofs.bench.loads.client import Target, Window
from tests.proofs.bench.loads.http2 import Failed, connect
from tests.proofs.bench.loads.turns import CONVERSE, Conversing, Tally

CALL_TOOL = "/antiphon.integration.v1.ToolService/CallTool"
SOON_S = 30.0
Call = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """One client for ``seconds``, for how long a call takes; then ``clients``, for what it costs.

    The calls are those that ``bare`` (a module of tests/proofs/bench/bare) opens with ``given``; or
    those of ``tool`` with ``arguments`` at the target; or turns there that are asked ``said``.
    """

    seconds: float
    clients: int
    target: dict[str, Any] = field(default_factory=dict)
    bare: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    said: str = ""


async def run(job: Job) -> dict[str, Any]:
    """Returns ``took_s`` of one client, and ``cpu_ms`` a call of whoever made it.

    That is the server; of a bare call this process, which does nothing else. What they have
    started counts with them.
    """
    target = Target(**job.target) if job.target else Target("", 0)
    async with _opened(job, target) as calls:
        await asyncio.gather(*(call() for call in calls))  # what is imported at the first one
        took, ended = list[float](), 0
        alone = Window(replace(target, pid=target.pid or os.getpid()), job.seconds)

        async def timed() -> None:
            begun = time.perf_counter()
            await calls[0]()
            if alone.counts(begun):
                took.append(time.perf_counter() - begun)

        await alone.run([timed])
        window = Window(alone.target, job.seconds)

        def counted(call: Call) -> Call:
            async def counting() -> None:
                nonlocal ended
                await call()
                ended += window.counts(time.perf_counter())

            return counting

        await window.run([counted(call) for call in calls])
    cpu_ms = window.cpu_s / max(ended, 1) * 1000
    return {"took_s": took, "cpu_ms": cpu_ms, "per_s": ended / job.seconds}


@asynccontextmanager
async def _opened(job: Job, target: Target) -> AsyncIterator[Sequence[Call]]:
    if job.bare:
        module = import_module(f"tests.proofs.bench.bare.{job.bare}")
        async with module.opened(**job.given) as call:
            yield [call] * job.clients
        return
    async with target.channel() as channel:
        made = [await _conversation(target, channel, job.tool) for _ in range(job.clients)]
    if job.said:
        yield [await _turn(target, name, job.said) for name, _ in made]
    else:
        yield [await _called(target, workspace, job) for _, workspace in made]


async def _conversation(target: Target, channel: Any, tool: str) -> tuple[str, str]:
    """A new one that may call the tool without asking, and its workspace."""
    told: dict[str, Any] = {"metadata": target.metadata, "timeout": SOON_S}
    request = CreateConversationRequest(tools=[tool])
    made = (await ContextServiceStub(channel).CreateConversation(request, **told)).conversation
    rule = SetToolRuleRequest(workspace_id=made.workspace_id, name=tool, rule=TOOL_RULE_ALWAYS)
    await ToolServiceStub(channel).SetToolRule(rule, **told)
    return made.conversation_id, made.workspace_id


async def _called(target: Target, workspace: str, job: Job) -> Call:
    connection = await connect(target, CALL_TOOL)
    body = CallToolRequest(
        workspace_id=workspace, name=job.tool, arguments_json=json.dumps(job.arguments)
    ).SerializeToString()

    async def call() -> None:
        answers: list[bytes] = []
        await connection.stream(answers.append, body).done
        answer = CallToolResponse.FromString(answers[0])
        if answer.result.failed or not answer.result.parts:
            raise Failed(f"no result: {answer}")

    return call


async def _turn(target: Target, name: str, said: str) -> Call:
    tally = Tally(Window(target, 0), 0)
    conversing = await Conversing.open(await connect(target, CONVERSE), name, tally)

    async def call() -> None:
        await conversing.answered(said)
        if not conversing.received:
            raise Failed("the turn said nothing")

    return call
