"""A turn as its handler sees it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER, Role
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.worker_pb2 import (
    Ask,
    AskedQuestion,
    AskedToolCalls,
    AskedTurns,
    Output,
    OutputProgress,
    OutputToolCall,
)
from antiphon.integration.v1.integration_service_pb2 import GenerateFinished
from antiphon.integration.v1.model_pb2 import Usage
from antiphon.integration.v1.tool_pb2 import ToolAnswer
from antiphon_client.client import Client
from antiphon_client.text import text_of
from antiphon_client.worker import checked
from antiphon_client.worker.answers import Question, answer
from antiphon_client.worker.budgets import BudgetLeft, budgets_left
from antiphon_client.worker.calls import OwnCall, ToolEnd, asked_call, end_of
from antiphon_client.worker.delegation import Delegated, asked_turn, delegated
from antiphon_client.worker.handing_off import hand_off
from antiphon_client.worker.turn_client import client_of
from antiphon_client.worker.turns import Turn
from antiphon_client.worker.usage import plus


class Work:
    """A turn: what was asked, and ways to say what comes of it.

    Its handler's task is cancelled when the turn is stopped, expires, or is somebody else's: it
    lets go of what it uses, and raises again. Nothing more is said then, and what says something
    raises CancelledError, too.
    """

    def __init__(self, turn: Turn, worker: Client) -> None:
        assign = turn.assign
        self._turn = turn
        self._worker = worker
        self._client: Client | None = None
        self.usage: Usage | None = None
        """What models have consumed so far; None if none was asked."""
        self.model = ""
        """The one that answered last."""
        self.turn_id = assign.turn_id
        self.conversation_id = assign.conversation_id
        self.workspace_id = assign.workspace_id
        self.handler = assign.handler
        self.creator = assign.creator
        """Who asked: `users/user_…`."""
        self.message_id = assign.message_id
        self.parts: Sequence[Part] = list(assign.parts)
        self.type = assign.type
        """What the message is, e.g. `form.submitted`; empty of what people say."""
        self.metadata: Mapping[str, str] = dict(assign.metadata)
        """What programs say of the message; no model is told."""
        self.resumed_text = assign.text
        """What earlier attempts have said: the answer goes on behind it."""
        self.models: Sequence[str] = list(assign.models)
        """Those that were chosen, in order; none for the server's default."""
        self.max_output_tokens = assign.max_output_tokens
        self.budget_left: Mapping[str, BudgetLeft] = budgets_left(assign.budget_left)
        """What was left to it when it was assigned, by unit ("USD", "tokens", "calls"); a unit that
        is not there has no limit that is known. Others spend, too."""
        self.cursor = assign.cursor
        """The position in the conversation's log right before the turn."""
        self.traceparent = assign.traceparent

    @property
    def attempt(self) -> int:
        """The turn's fence: the number of its attempt, by now."""
        return self._turn.fence

    @property
    def message(self) -> str:
        """The text of its parts."""
        return text_of(self.parts)

    @property
    def deadline(self) -> datetime | None:
        """When the turn ends as EXPIRED, by the server's clock, which decides.

        Later by as long as it waits for people, or for turns, that it has asked from now on.
        """
        assign = self._turn.assign
        return assign.deadline.ToDatetime(UTC) if assign.HasField("deadline") else None

    @property
    def client(self) -> Client:
        """A client that speaks with the turn's grant: what it opens ends with the turn."""
        if self._client is None:
            self._client = client_of(self._turn, self._worker)
        return self._client

    async def write(self, text: str) -> None:
        """Append to the answer. Waits while too much is not stored yet."""
        await self._turn.outbox.write(text)

    async def progress(self, status: str, fraction: float | None = None) -> None:
        """Tell people what is going on: a short sentence, and how much is done (0-1)."""
        status, fraction = checked.status(status), checked.fraction(fraction)
        news = OutputProgress(status=status, fraction=fraction)
        await self._turn.outbox.put(Output(progress=news))

    def tool_call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> OwnCall:
        """Show people a call of a tool of one's own: `async with work.tool_call(…) as call`.

        Raises ValueError for a name or arguments that can't be.
        """
        told = checked.arguments(arguments or {})
        call = OutputToolCall(tool=checked.own_tool(tool), arguments_json=told)
        return OwnCall(self._turn.outbox, call)

    async def ask(self, message: str, schema: Mapping[str, Any] | None = None) -> ToolAnswer:
        """Ask the people of the conversation; the turn rests until somebody answers.

        What is said meanwhile goes out behind the answer, also if nobody waits for it any more.

        ``schema`` is the answer's JSON Schema, a flat object; without one it is agreed to or not.
        Whether it was is the answer's ``action``, TOOL_ANSWER_ACTION_ACCEPTED or DECLINED, and what
        was said its ``content_json``.
        """
        message, told = checked.question(message), checked.schema(schema)
        question = AskedQuestion(message=message, schema_json=told)
        return (await self._turn.ask(Ask(question=question))).answer

    async def call_tools(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[ToolEnd]:
        """Have the server call tools of the conversation side by side: names and arguments.

        Those that need an approval wait for a person. Returns what came of each, in order.
        """
        asked = AskedToolCalls(calls=[asked_call(name, arguments) for name, arguments in calls])
        answered = await self._turn.ask(Ask(tool_calls=asked))
        return [end_of(end) for end in answered.tool_calls.ends]

    async def call_tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolEnd:
        """Have the server call one tool of the conversation."""
        [end] = await self.call_tools([(name, arguments or {})])
        return end

    async def delegate(
        self, handler: str, message: str, *, time_limit_s: float | None = None
    ) -> Delegated:
        """Have another handler work on something, as a turn beside this one."""
        (end,) = await self.delegate_all([(handler, message)], time_limit_s=time_limit_s)
        return end

    async def delegate_all(
        self, wanted: Sequence[tuple[str, str]], *, time_limit_s: float | None = None
    ) -> list[Delegated]:
        """Have others work side by side: handlers and messages; returns their ends in order.

        They end with this turn, if not before. Each has at most the time that is left to it.
        """
        turns = [asked_turn(handler, message, time_limit_s) for handler, message in wanted]
        answered = await self._turn.ask(Ask(turns=AskedTurns(turns=turns)))
        return [delegated(end) for end in answered.turns.ends]

    async def generate(
        self,
        prompt: str = "",
        *,
        instructions: str = "",
        history: bool = True,
        models: Sequence[str] = (),
        max_output_tokens: int = 0,
        temperature: float | None = None,
    ) -> AsyncGenerator[str]:
        """What a model answers to the turn's message, or to ``prompt``, as it comes.

        It is told what was said before, unless ``history`` is False. What it consumes is summed up
        for the turn's end. Raises AntiphonError MODEL_*, BUDGET_EXCEEDED.
        """
        question = Question(prompt, instructions, history, models, max_output_tokens, temperature)
        asking = answer(self.client, self._turn, question, self._answered)
        async with aclosing(asking) as pieces:
            async for piece in pieces:
                yield piece

    def hand_off(
        self,
        reason: str = "",
        *,
        role: Role.ValueType = ROLE_MEMBER,
        expire_after: timedelta | None = None,
        otherwise_text: str = "",
        otherwise_handler: str = "",
    ) -> NoReturn:
        """Let people go on with the turn, behind what was written; nothing follows here.

        They have a day if not said; then the turn fails, or ``otherwise_text`` is answered, or
        ``otherwise_handler`` goes on. Raises ValueError for what can't be said.
        """
        hand_off(reason, role, expire_after, otherwise_text, otherwise_handler)

    def account(self, usage: Usage, model: str = "") -> None:
        """Note what was consumed otherwise than by :meth:`generate`, and who gave the answer."""
        self.usage = plus(self.usage, usage) if self.usage is not None else usage
        self.model = model or self.model

    def _answered(self, finished: GenerateFinished) -> None:
        self.account(finished.usage, finished.model)
