"""A handler that calls tools, and tools that count how often they are run."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from antiphon.context.v1 import message_pb2
from antiphon_server.dispatcher.handling import (
    AskedCall,
    CallResult,
    HandlerInfo,
    LossPolicy,
    Order,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    Work,
)


def call(number: int, step: int = 1, arguments: str = "{}") -> ToolCall:
    """Call ``number`` of the tool that is named like it."""
    return ToolCall(ToolCallId(f"tool_{number:08}"), f"test.tool_{number}", arguments, step)


@dataclass
class Toolbox:
    """Tools that answer with their name; ``of`` says what one does instead."""

    runs: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    failing: dict[str, Exception] = field(default_factory=dict)

    async def run(self, asked: ToolCall) -> CallResult:
        self.runs[asked.call_id] += 1
        try:
            if asked.call_id in self.held:
                await self.held[asked.call_id].wait()
        except asyncio.CancelledError:
            self.cancelled[asked.call_id] += 1
            raise
        if asked.call_id in self.failing:
            raise self.failing[asked.call_id]
        message = message_pb2.Message(parts=[message_pb2.Part(text=asked.tool)])
        return CallResult(message.SerializeToString())


class Caller:
    """Says "before", makes its calls in the steps they have, and says how each ended."""

    info = HandlerInfo("caller", "", LossPolicy.FAIL)

    def __init__(self, asked: Callable[[], Sequence[AskedCall]], tools: Toolbox) -> None:
        self._asked = asked
        self._tools = tools
        self.ends: list[ToolCallFinished] = []

    async def check(self, order: Order) -> None:
        """It takes anything."""

    async def run(self, work: Work) -> None:
        if not work.past_calls:
            await work.write("before ")
        asked = self._asked()
        for step in sorted({it.call.step for it in asked}):
            its = [it for it in asked if it.call.step == step]
            self.ends.extend(await work.call(its, self._tools.run))
        await work.write("after")
