"""Answers by a model: context -> model -> text, and tools in between."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Generic, TypeVar

from antiphon_server.agents.handing import left_over, order_of
from antiphon_server.agents.ports import (
    AskedTool,
    Models,
    Prompt,
    Reply,
    Round,
    ToolPlan,
    Tools,
    Window,
)
from antiphon_server.agents.rounds import GAP, asked, garbled, last_text, past_rounds
from antiphon_server.dispatcher.handling import (
    AskedCall,
    HandlerInfo,
    LeftOut,
    LossPolicy,
    Order,
    PastCall,
    ToolCall,
    Turn,
    Usage,
    Work,
)
from antiphon_server.runtime.concurrency.retry import RetryPolicy, retrying
from antiphon_server.runtime.concurrency.retry_policies import ANSWER, TURN
from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")
PromptT = TypeVar("PromptT", bound=Prompt)
MAX_STEPS = 16
"""So often a turn asks models: one that calls tools for ever costs money for ever."""


class Assistant(Generic[PromptT]):
    """Gives a model the conversation, makes the calls it asks for, and writes what it answers.

    A lost answer is not asked for again: what a model would say to the rest differs
    from what people have read, and would be paid twice. While a service that it needs is
    away it waits, as long as its ``patience`` allows for each, and says so.
    """

    def __init__(
        self,
        window: Window[PromptT],
        models: Models[PromptT],
        tools: Tools,
        patience: RetryPolicy = ANSWER,
        max_steps: int = MAX_STEPS,
    ) -> None:
        self._window = window
        self._models = models
        self._tools = tools
        self._patience = patience
        self._max_steps = max_steps

    @property
    def info(self) -> HandlerInfo:
        """See :attr:`Handler.info`."""
        return HandlerInfo(
            "assistant",
            "Answers by a model that is given the conversation.",
            LossPolicy.FAIL,
            default=True,
        )

    async def check(self, order: Order, workspace_id: str) -> None:
        """See :meth:`Handler.check`; what no model takes, models are told of in words."""

    async def run(self, work: Work) -> None:
        """See :meth:`Handler.run`."""
        budget = await self._patiently(work, lambda: self._models.budget(work.turn.order))
        prompt = await self._patiently(
            work, lambda: self._window.prompt(work.turn, budget, work.others)
        )
        work.leave_out(LeftOut(prompt.omitted))
        plan = ToolPlan()
        if prompt.tools:
            plan = await self._patiently(work, lambda: self._tools.plan(work.turn, prompt.tools))
        rounds = await self._past(work, plan) if work.past_calls else []
        if (order := left_over(work.turn, rounds)) is not None:
            work.hand_off(order)
        answer = _Answer(self._models, prompt, plan, rounds)
        await self._go_on(work, answer)

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """See :meth:`Handler.lost`; the call that a model was answering is settled by it."""
        if said := last_text(calls, text):
            await self._models.lost(turn, len(said.encode()))

    async def _past(self, work: Work, plan: ToolPlan) -> list[Round]:
        """Go on with the calls that an earlier attempt has left."""
        rounds = []
        for text, calls in past_rounds(work.past_calls, work.resumed_text):
            wanted = [asked(it.call, plan) for it in calls]
            rounds.append(await self._made(work, text, wanted))
        return rounds

    async def _go_on(self, work: Work, answer: "_Answer[PromptT]") -> None:
        """Ask the model until it asks for no more calls."""
        first = len(answer.rounds) + 1
        for step in range(first, self._max_steps + 1):
            text, calls = await self._patiently(work, lambda: answer.write(work))
            if not calls:
                return
            wanted = [_wanted(it, step, answer.plan) for it in calls]
            made = await self._made(work, text, wanted)
            if (order := order_of(made)) is not None:
                work.hand_off(order)
            answer.rounds.append(made)
        raise DomainError(
            Reason.LIMIT_EXCEEDED, limit=f"{self._max_steps} questions to models a turn"
        )

    async def _made(self, work: Work, text: str, wanted: Sequence[AskedCall]) -> Round:
        ends = await work.call(
            wanted, lambda call, people: self._tools.run(work.turn, call, people)
        )
        return Round(text, [it.call for it in wanted], ends)

    async def _patiently(self, work: Work, step: Callable[[], Awaitable[T]]) -> T:
        """Do the step, again while a service that it needs is away."""

        async def waiting(error: DomainError, _failures: int) -> None:
            await work.progress(f"waiting for the service {error.metadata['service']}")

        return await retrying(step, self._patience, DomainError, _is_away, waiting)


def _is_away(error: DomainError) -> bool:
    return error.reason is Reason.SERVICE_UNAVAILABLE


def _wanted(it: AskedTool, step: int, plan: ToolPlan) -> AskedCall:
    told = plan.named(it.tool)
    bound = told.digest if told is not None and told.asks else b""
    call = ToolCall(it.call_id, it.tool, it.arguments, step, bound)
    return asked(call, plan, garbled(it.tool, it.arguments))


class _Answer(Generic[PromptT]):
    """A model's answer to a prompt, in ``rounds`` where it calls tools.

    A step of it is asked for again only if nothing came of it.
    """

    def __init__(
        self,
        models: Models[PromptT],
        prompt: PromptT,
        plan: ToolPlan,
        rounds: list[Round],
    ) -> None:
        self.plan = plan
        self.rounds = rounds
        self._models = models
        self._prompt = prompt
        self._used: Usage | None = None

    async def write(self, work: Work) -> tuple[str, list[AskedTool]]:
        """Write the model's next text as it comes; returns it, and what the model asks for.

        Raises DomainError MODEL_*, or one of SERVICE_UNAVAILABLE while nothing came and
        TURN_LOST after that.
        """
        begun = False
        text: list[str] = []
        calls: list[AskedTool] = []
        said_before = any(it.text for it in self.rounds)
        asking = self._models.generate(work.turn, self._prompt, self.plan.tools, self.rounds)
        try:
            async with aclosing(asking) as replies:
                async for reply in replies:
                    begun = True
                    if reply.text:
                        if said_before and not text:
                            await work.write(GAP)
                        text.append(reply.text)
                        await work.write(reply.text)
                    if reply.call is not None:
                        calls.append(reply.call)
                    if reply.left_out is not None:
                        it = reply.left_out
                        work.leave_out(replace(it, omitted=self._prompt.omitted + it.omitted))
                    if reply.status:
                        await work.progress(reply.status, reply.fraction)
                    if reply.usage is not None:
                        self._account(work, reply)
        except DomainError as error:
            if begun and _is_away(error):
                await self._note_loss(work, "".join(text))
                raise DomainError(Reason.TURN_LOST) from error
            raise
        return "".join(text), calls

    async def _note_loss(self, work: Work, text: str) -> None:
        """The service is gone, and another one of its kind, or it itself, is there again soon."""

        async def told() -> None:
            await self._models.lost(work.turn, len(text.encode()))

        if text:
            with suppress(DomainError):  # the turn is lost in any case
                await retrying(told, TURN, DomainError, _is_away)

    def _account(self, work: Work, reply: Reply) -> None:
        assert reply.usage is not None
        self._used = self._used.plus(reply.usage) if self._used else reply.usage
        work.account(self._used, reply.model, reply.finish_reason, reply.output_limit)
