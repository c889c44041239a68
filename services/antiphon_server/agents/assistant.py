"""Answers by a model: context -> model -> text."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from antiphon_server.agents.ports import Models, Prompt, Window
from antiphon_server.dispatcher.handling import HandlerInfo, LossPolicy, Order, Work
from antiphon_server.runtime.concurrency.retry import RetryPolicy, retrying
from antiphon_server.runtime.concurrency.retry_policies import ANSWER
from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")
PromptT = TypeVar("PromptT", bound=Prompt)


class Assistant(Generic[PromptT]):
    """Gives a model the conversation and writes what it answers.

    A lost answer is not asked for again: what a model would say to the rest differs
    from what people have read, and would be paid twice. While a service that it needs is
    away it waits, as long as its ``patience`` allows for each, and says so.
    """

    def __init__(
        self,
        window: Window[PromptT],
        models: Models[PromptT],
        patience: RetryPolicy = ANSWER,
    ) -> None:
        self._window = window
        self._models = models
        self._patience = patience

    @property
    def info(self) -> HandlerInfo:
        """See :attr:`Handler.info`."""
        return HandlerInfo(
            "assistant",
            "Answers by a model that is given the conversation.",
            LossPolicy.FAIL,
            default=True,
        )

    async def check(self, order: Order) -> None:
        """See :meth:`Handler.check`."""
        await self._models.check(order)

    async def run(self, work: Work) -> None:
        """See :meth:`Handler.run`."""
        budget = await self._patiently(work, lambda: self._models.budget(work.turn.order))
        prompt = await self._patiently(
            work, lambda: self._window.prompt(work.turn, budget, work.others)
        )
        work.leave_out(prompt.omitted)
        answer = _Answer(self._models, prompt)
        await self._patiently(work, lambda: answer.write(work))

    async def _patiently(self, work: Work, step: Callable[[], Awaitable[T]]) -> T:
        """Do the step, again while a service that it needs is away."""

        async def waiting(error: DomainError, _failures: int) -> None:
            await work.progress(f"waiting for the service {error.metadata['service']}")

        return await retrying(step, self._patience, DomainError, _is_away, waiting)


def _is_away(error: DomainError) -> bool:
    return error.reason is Reason.SERVICE_UNAVAILABLE


class _Answer(Generic[PromptT]):
    """A model's answer to a prompt, asked for again only if nothing came of it."""

    def __init__(self, models: Models[PromptT], prompt: PromptT) -> None:
        self._models = models
        self._prompt = prompt
        self._begun = False

    async def write(self, work: Work) -> None:
        """Write the answer as it comes. Raises DomainError MODEL_*, or one of
        SERVICE_UNAVAILABLE while nothing came and TURN_LOST after that.
        """
        try:
            async with aclosing(self._models.generate(work.turn, self._prompt)) as replies:
                async for reply in replies:
                    self._begun = True
                    if reply.text:
                        await work.write(reply.text)
                    if reply.left_out is not None:
                        omitted, described = reply.left_out
                        work.leave_out(self._prompt.omitted + omitted, described)
                    if reply.status:
                        await work.progress(reply.status, reply.fraction)
                    if reply.usage is not None:
                        ending = reply.finish_reason, reply.output_limit
                        work.account(reply.usage, reply.model, *ending)
        except DomainError as error:
            if self._begun and error.reason is Reason.SERVICE_UNAVAILABLE:
                raise DomainError(Reason.TURN_LOST) from error
            raise
