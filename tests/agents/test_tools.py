"""The assistant, when its model asks for tools: on a real log, with models that do as told."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from antiphon_server.agents.adapters.services import ModelReply
from antiphon_server.agents.adapters.tools import round_messages
from antiphon_server.agents.assistant import Assistant
from antiphon_server.agents.ports import AskedTool, PlannedTool, Round, ToolPlan
from antiphon_server.dispatcher.handling import (
    Attendance,
    CallOutcome,
    CallPaused,
    CallResult,
    Order,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    Turn,
    Usage,
)
from antiphon_server.dispatcher.model import State, ToolCallDecided
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.callers import Toolbox
from tests.dispatcher.world import CONVERSATION, turn_id, world

USAGE = Usage(10, 5, cost_micros=7)
TIME = PlannedTool("antiphon.time", "The time.", "{}", asks=False, repeatable=True)
SEND = PlannedTool("mail.send", "It sends.", "{}", asks=True, repeatable=False)


WIKI_IS_AWAY = DomainError(Reason.CONNECTION_UNAVAILABLE, connection="wiki", state="DOWN")
MAIL_IS_AWAY = DomainError(Reason.CONNECTION_UNAVAILABLE, connection="mail", state="DOWN")


@dataclass(frozen=True)
class Asked:
    """A prompt in whose conversation there are two tools."""

    omitted: int = 0
    tools: tuple[str, ...] = ("antiphon.time", "mail.send")


class Scripted:
    """A model that says and asks for what each step of ``script`` has: text, then calls."""

    def __init__(self, *script: tuple[str, list[tuple[str, str]]]) -> None:
        self.script = script
        self.rounds: list[list[Round]] = []
        self.toolbox = Toolbox()

    async def prompt(self, *_: object) -> Asked:
        return Asked()

    async def budget(self, order: Order) -> int:
        return 3_000

    async def plan(self, turn: Turn, names: Sequence[str]) -> ToolPlan:
        assert names == Asked().tools
        return ToolPlan([TIME, SEND], {"wiki.*": WIKI_IS_AWAY, "mail.list": MAIL_IS_AWAY})

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        return await self.toolbox.run(call, attendance)

    async def generate(
        self,
        turn: Turn,
        prompt: Asked,
        tools: Sequence[PlannedTool] = (),
        rounds: Sequence[Round] = (),
    ) -> AsyncGenerator[ModelReply, None]:
        assert tools == [TIME, SEND]
        self.rounds.append(list(rounds))
        text, calls = self.script[min(len(rounds), len(self.script) - 1)]
        if text:
            yield ModelReply(text=text)
        for tool, arguments in calls:
            yield ModelReply(call=AskedTool(ToolCallId(new_id("tool")), tool, arguments))
        yield ModelReply(usage=USAGE, model="some/model", finish_reason=1)

    async def lost(self, turn: Turn, text_bytes: int) -> None:
        raise AssertionError("no answer is lost")


async def test_it_asks_again_with_what_came_of_the_calls() -> None:
    """Until the model asks for no more; what it says before and behind stands apart."""
    time = ("antiphon.time", "{}")
    model = Scripted(("Let me look.", [time, time]), ("", [time]), ("It is noon.", []))
    async with world(more=[Assistant(model, model, model)]) as it:
        await it.dispatch(handler="assistant")
        turn = await it.ended()
        assert turn.state is State.SUCCEEDED
        assert (await it.messages())[-1] == ("Let me look.\n\nIt is noon.", False)
        first, second = model.rounds[2]
        assert (first.text, len(first.calls), second.text) == ("Let me look.", 2, "")
        assert {end.outcome for end in (*first.ends, *second.ends)} == {CallOutcome.SUCCEEDED}
        assert turn.outcome is not None
        assert turn.outcome.usage == Usage(30, 15, cost_micros=21)


async def test_what_can_not_be_called_is_told_to_the_model_and_asks_nobody() -> None:
    """A tool that it invented, arguments that are no object; the others' results are kept."""
    odd = [("mail.burn", "{}"), ("mail.send", "{oops"), ("mail.send", "[]"), ("antiphon.time", "")]
    model = Scripted(("", odd), ("Sorry.", []))
    async with world(more=[Assistant(model, model, model)]) as it:
        await it.dispatch(handler="assistant")
        assert (await it.ended()).state is State.SUCCEEDED
        ends = model.rounds[1][0].ends
        reasons = [end.error.reason if end.error else None for end in ends]
        invalid = Reason.TOOL_ARGUMENTS_INVALID
        assert reasons == [Reason.TOOL_NOT_FOUND, invalid, invalid, None]
        assert "tool_call_decided" not in await it.kinds(1)
        assert model.toolbox.runs.total() == 1


async def test_a_model_is_told_that_a_connection_is_down() -> None:
    """It asks for what it has read of before; what the conversation does not have is not there."""
    asked = [("wiki.read", "{}"), ("mail.list", "{}"), ("mail.burn", "{}")]
    model = Scripted(("", asked), ("Sorry.", []))
    async with world(more=[Assistant(model, model, model)]) as it:
        await it.dispatch(handler="assistant")
        assert (await it.ended()).state is State.SUCCEEDED
        errors = [end.error for end in model.rounds[1][0].ends]
        assert [error.reason for error in errors if error] == [
            Reason.CONNECTION_UNAVAILABLE,
            Reason.CONNECTION_UNAVAILABLE,
            Reason.TOOL_NOT_FOUND,
        ]
        assert model.toolbox.runs.total() == 0


async def test_a_model_that_never_has_enough_is_stopped() -> None:
    """After so many questions, with what it said kept."""
    model = Scripted(("Again.", [("antiphon.time", "{}")]))
    async with world(more=[Assistant(model, model, model, max_steps=3)]) as it:
        await it.dispatch(handler="assistant")
        assert (await it.failed()).reason is Reason.LIMIT_EXCEEDED
        assert model.toolbox.runs.total() == 3
        assert (await it.messages())[-1] == ("Again.\n\nAgain.\n\nAgain.", True)


async def test_after_a_restart_it_goes_on_behind_its_calls() -> None:
    """The model is told what it had said, asked for and got, though another life had asked it."""
    steps = ("Let me look.", [("antiphon.time", "{}")]), ("I send it.", [("mail.send", "{}")])
    model = Scripted(*steps, ("Sent.", []))
    async with world(more=[Assistant(model, model, model)]) as it:
        await it.dispatch(handler="assistant")
        await it.delivered("I send it.")
        await it.seen("tool_call_proposed")
        while (await it.kinds(1)).count("tool_call_proposed") < 2:
            pass
        await it.turns.drain(0.0)
        async with world(it.database, it.log, more=[Assistant(model, model, model)]) as after:
            await after.adopted()
            events = await after.history()
            asks = next(event for event in events if event.tool_call_proposed.asks)
            proposed = asks.tool_call_proposed
            wish = ToolCallDecided(ToolCallId(proposed.tool_call_id), True, "users/user_ben")
            digest = proposed.arguments_sha256
            await after.decisions.decide(CONVERSATION, turn_id(1), wish, digest)
            assert (await after.ended()).state is State.SUCCEEDED
            told = [(it.text, len(it.calls), it.ends[0].outcome) for it in model.rounds[-1]]
            done = CallOutcome.SUCCEEDED
            assert told == [("Let me look.", 1, done), ("I send it.", 1, done)]
            text = "Let me look.\n\nI send it.\n\nSent."
            assert (await after.messages())[-1] == (text, False)
            assert set(model.toolbox.runs.values()) == {1}


def test_a_model_is_told_when_to_try_again() -> None:
    """Of a connection that is left alone, as of all that say so."""
    call = ToolCall(ToolCallId("1"), "wiki.search", "{}")
    error = DomainError(
        Reason.CONNECTION_UNAVAILABLE,
        connection="wiki",
        state="LEFT_ALONE",
        breaker="OPEN",
        cause="TOOL_TIMEOUT",
        retry_after=11.2,
    )
    end = ToolCallFinished(call.call_id, CallOutcome.FAILED, error=error)
    _, told = round_messages(Round("", (call,), (end,)))
    assert [it.text for it in told.tool_result.parts] == [
        "Connection wiki has failed too often, so it is not called for a while. "
        "Why: calls of it took longer than they may",
        "It may be tried again in 12 s.",
    ]


def test_a_model_is_told_how_much_of_a_budget_there_is() -> None:
    """It tells people, who are not to count seconds of days."""
    call = ToolCall(ToolCallId("1"), "wiki.search", "{}")
    error = DomainError(
        Reason.BUDGET_EXCEEDED,
        budget="team",
        unit="calls",
        limit=2,
        spent=1,
        reserved=1,
        needed=1,
        retry_after=441_817.0,
    )
    end = ToolCallFinished(call.call_id, CallOutcome.FAILED, error=error)
    _, message = round_messages(Round("", (call,), (end,)))
    assert [it.text for it in message.tool_result.parts] == [
        "The budget team has too little left for what this call may take. Of 2 calls, 1 are spent "
        "and 1 reserved; it may take 1.",
        "It may be tried again in 5 days.",
    ]
