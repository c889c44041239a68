"""The assistant, when what it needs is away."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import cast

import pytest

from antiphon_server.agents.adapters.services import ModelReply
from antiphon_server.agents.assistant import Assistant
from antiphon_server.agents.ports import PlannedTool, Round, ToolPlan
from antiphon_server.agents.rounds import GAP
from antiphon_server.dispatcher.handling import (
    Attendance,
    CallResult,
    LeftOut,
    PastCall,
    ToolCall,
    ToolCallId,
    Work,
)
from antiphon_server.dispatcher.model import ConversationId, Order, Policy, Turn, TurnId
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import ANSWER
from antiphon_server.runtime.errors import DomainError, Reason, unavailable

TURN = Turn(
    TurnId("turn_00000001"),
    ConversationId("conv_00000001"),
    "users/user_anna",
    1,
    b"",
    Order(b"", "echo", Policy.QUEUE),
)


@dataclass(frozen=True)
class Asked:
    """A prompt without ``omitted`` older messages."""

    omitted: int = 0
    tools: tuple[str, ...] = ()


class Page:
    """A turn's work, of which is kept what was written."""

    turn = TURN
    others: set[TurnId] = set()  # noqa: RUF012
    past_calls: tuple[PastCall, ...] = ()

    def __init__(self) -> None:
        self.text = ""
        self.told: list[str] = []
        self.omitted = 0

    async def write(self, text: str) -> None:
        self.text += text

    async def progress(self, sentence: str, fraction: float | None = None) -> None:
        self.told.append(sentence if fraction is None else f"{sentence}: {fraction:.0%}")

    def leave_out(self, left_out: LeftOut) -> None:
        self.omitted = left_out.omitted


class Away:
    """A service that is away for the first ``times``; then, and before it, ``pieces`` come."""

    def __init__(self, times: int, pieces: int = 0) -> None:
        self.asked = 0
        self.lost_bytes: list[int] = []
        self.deaf = 0
        self._times = times
        self._pieces = pieces

    async def prompt(self, *_: object) -> Asked:
        self.asked += 1
        if self.asked <= self._times:
            raise unavailable("context")
        return Asked(3)

    async def budget(self, order: Order) -> int:
        return 3_000

    async def plan(self, turn: Turn, names: Sequence[str]) -> ToolPlan:
        raise AssertionError("no tools are named")

    async def run(self, turn: Turn, call: ToolCall, attendance: Attendance) -> CallResult:
        raise AssertionError("no tools are named")

    async def generate(
        self,
        turn: Turn,
        prompt: Asked,
        tools: Sequence[PlannedTool] = (),
        rounds: Sequence[Round] = (),
    ) -> AsyncGenerator[ModelReply, None]:
        self.asked += 1
        for _ in range(self._pieces):
            yield ModelReply(text="a")
        if self.asked <= self._times:
            raise unavailable("integration")
        yield ModelReply(status="reading", fraction=0.5)
        yield ModelReply(text="!")

    async def lost(self, turn: Turn, text_bytes: int) -> None:
        self.lost_bytes.append(text_bytes)
        if len(self.lost_bytes) <= self.deaf:
            raise unavailable("integration")


async def answered(window: Away, models: Away, patience: RetryPolicy = ANSWER) -> Page:
    """What the assistant wrote."""
    page = Page()
    assistant = Assistant(window, models, models, patience=patience)
    await assistant.run(cast(Work, page))
    return page


async def test_it_waits_for_who_is_away_and_says_so() -> None:
    """Each step is tried again, and nothing is written twice."""
    page = await answered(Away(1), Away(1))
    assert page.text == "!"
    waits = ["waiting for the service context", "waiting for the service integration"]
    assert page.told == [*waits, "reading: 50%"]
    assert page.omitted == 3


async def test_it_does_not_wait_for_ever() -> None:
    """When its patience is over the turn fails with the reason."""
    with pytest.raises(DomainError) as caught:
        await answered(Away(0), Away(100), patience=RetryPolicy(0.1, within_s=0.0))
    assert caught.value.reason is Reason.SERVICE_UNAVAILABLE


async def test_an_answer_that_had_begun_is_not_asked_for_again() -> None:
    """It is lost: people have read its beginning, and it was paid for."""
    models = Away(100, pieces=2)
    with pytest.raises(DomainError) as caught:
        await answered(Away(0), models)
    assert caught.value.reason is Reason.TURN_LOST
    assert models.asked == 1
    assert models.lost_bytes == [2]


async def test_what_came_of_a_lost_answer_is_told_when_the_service_is_there_again() -> None:
    """It did not live to write down what the answer has cost."""
    models = Away(100, pieces=2)
    models.deaf = 2
    with pytest.raises(DomainError) as caught:
        await answered(Away(0), models)
    assert caught.value.reason is Reason.TURN_LOST
    assert models.lost_bytes == [2] * 3


@pytest.mark.parametrize(("behind", "told"), [("", []), (f"{GAP}wört", [5])])
async def test_only_what_came_behind_the_newest_calls_is_lost(behind: str, told: list[int]) -> None:
    """What was said before them was settled then."""
    models = Away(0)
    calls = [PastCall(ToolCall(ToolCallId("tool_1"), "x.y", "{}"), text_before=6)]
    await Assistant(Away(0), models, models).lost(TURN, f"before{behind}", calls)
    assert models.lost_bytes == told
