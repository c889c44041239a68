"""Answers by a model: context -> model -> text."""

from contextlib import aclosing

from antiphon_server.dispatcher.model import HandlerInfo, LossPolicy
from antiphon_server.dispatcher.ports import Models, Window, Work

DEFAULT_BUDGET_TOKENS = 3_000


class Assistant:
    """Gives a model the conversation and writes what it answers.

    A lost answer is not asked for again: what a model would say to the rest differs
    from what people have read, and would be paid twice.
    """

    def __init__(
        self, window: Window, models: Models, budget_tokens: int = DEFAULT_BUDGET_TOKENS
    ) -> None:
        self._window = window
        self._models = models
        self._budget_tokens = budget_tokens

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
        turn = work.turn
        prompt = await self._window.prompt(turn, self._budget_tokens, work.others)
        async with aclosing(self._models.generate(turn, prompt)) as replies:
            async for reply in replies:
                if reply.text:
                    await work.write(reply.text)
                if reply.status:
                    await work.progress(reply.status)
                if reply.usage is not None:
                    work.account(reply.usage, reply.model, reply.finish_reason)
