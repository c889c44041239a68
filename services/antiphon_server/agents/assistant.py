"""Answers by a model: context -> model -> text."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from antiphon_server.agents.ports import Models, Prompt, Window
from antiphon_server.dispatcher.handling import HandlerInfo, LossPolicy, Work
from antiphon_server.runtime.errors import DomainError, Reason

DEFAULT_BUDGET_TOKENS = 3_000
PATIENCE_S = 60.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
T = TypeVar("T")
PromptT = TypeVar("PromptT", bound=Prompt)


class Assistant(Generic[PromptT]):
    """Gives a model the conversation and writes what it answers.

    A lost answer is not asked for again: what a model would say to the rest differs
    from what people have read, and would be paid twice. While a service that it needs is
    away it waits, up to ``patience_s`` seconds for each, and says so.
    """

    def __init__(
        self,
        window: Window[PromptT],
        models: Models[PromptT],
        budget_tokens: int = DEFAULT_BUDGET_TOKENS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._window = window
        self._models = models
        self._budget_tokens = budget_tokens
        self._patience_s = patience_s

    @property
    def info(self) -> HandlerInfo:
        """See :attr:`Handler.info`."""
        return HandlerInfo(
            "assistant",
            "Answers by a model that is given the conversation.",
            LossPolicy.FAIL,
            default=True,
        )

    async def run(self, work: Work) -> None:
        """See :meth:`Handler.run`."""
        prompt = await self._patiently(
            work, lambda: self._window.prompt(work.turn, self._budget_tokens, work.others)
        )
        work.leave_out(prompt.omitted)
        answer = _Answer(self._models, prompt)
        await self._patiently(work, lambda: answer.write(work))

    async def _patiently(self, work: Work, step: Callable[[], Awaitable[T]]) -> T:
        """Do the step, again while a service that it needs is away."""
        until, pause = time.monotonic() + self._patience_s, FIRST_PAUSE_S
        while True:
            try:
                return await step()
            except DomainError as error:
                if error.reason is not Reason.SERVICE_UNAVAILABLE or time.monotonic() > until:
                    raise
                await work.progress(f"waiting for the service {error.metadata['service']}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


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
                    if reply.status:
                        await work.progress(reply.status, reply.fraction)
                    if reply.usage is not None:
                        work.account(reply.usage, reply.model, reply.finish_reason)
        except DomainError as error:
            if self._begun and error.reason is Reason.SERVICE_UNAVAILABLE:
                raise DomainError(Reason.TURN_LOST) from error
            raise
