"""A handler that calls tools, and tools that count how often they are run."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from antiphon.context.v1 import message_pb2
from antiphon_server.dispatcher.handling import (
    Answer,
    AskedCall,
    Attendance,
    CallPaused,
    CallResult,
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    Question,
    QuestionId,
    Resumed,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    Turn,
    Work,
)

FORM = '{"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}'


def call(number: int, step: int = 1, arguments: str = "{}") -> ToolCall:
    """Call ``number`` of the tool that is named like it."""
    return ToolCall(ToolCallId(f"tool_{number:08}"), f"test.tool_{number}", arguments, step)


def question(name: str) -> Question:
    """A question for a colour."""
    return Question(QuestionId(f"ask_{name}"), "Which colour?", FORM)


@dataclass
class Toolbox:
    """Tools that answer with their name.

    Those of ``pausing`` ask so many questions in so many rounds before, those of ``asking`` one
    while they are held open.
    """

    runs: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    failing: dict[str, Exception] = field(default_factory=dict)
    pausing: Mapping[ToolCallId, list[int]] = field(default_factory=dict)
    asking: set[str] = field(default_factory=set)
    resumed: list[Resumed] = field(default_factory=list)
    said: list[Answer] = field(default_factory=list)

    async def run(self, asked: ToolCall, attendance: Attendance) -> CallResult | CallPaused:
        self.runs[f"{asked.call_id}{attendance.resumed.state.decode()}"] += 1
        rounds = len(attendance.resumed.state)
        wanted = self.pausing.get(asked.call_id, [])
        if attendance.resumed.state:
            self.resumed.append(attendance.resumed)
        if rounds < len(wanted):
            many = range(wanted[rounds])
            asks = [question(f"{asked.call_id[5:]}_{rounds}_{number}") for number in many]
            return CallPaused(tuple(asks), b"." * (rounds + 1))
        try:
            if asked.call_id in self.asking:
                self.said.append(await attendance.ask(question(asked.call_id[5:])))
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
    """Says something, makes its calls in the steps they have, and says something more."""

    info = HandlerInfo("caller", "", LossPolicy.FAIL)

    def __init__(
        self,
        asked: Callable[[], Sequence[AskedCall]],
        tools: Toolbox,
        before: str = "before ",
        after: str = "after",
    ) -> None:
        self._before, self._after = before, after
        self._asked = asked
        self._tools = tools
        self.ends: list[ToolCallFinished] = []

    async def check(self, order: Order, workspace_id: str) -> None:
        """It takes anything."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """It has nothing elsewhere."""

    async def run(self, work: Work) -> None:
        if not work.past_calls:
            await work.write(self._before)
        asked = self._asked()
        for step in sorted({it.call.step for it in asked}):
            its = [it for it in asked if it.call.step == step]
            self.ends.extend(await work.call(its, self._tools.run))
        await work.write(self._after)
