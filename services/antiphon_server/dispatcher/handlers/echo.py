"""Says what was said: to try out clients without a model."""

import asyncio
import re
from collections.abc import Callable, Sequence

from antiphon_server.dispatcher.handling import (
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    Turn,
    Work,
)

_WORDS = re.compile(r"\s*\S+|\s+$")


class Echo:
    """Repeats the message word by word, ``gap_s`` apart.

    ``text_of`` gives a message's text from its serialised content.
    """

    def __init__(self, text_of: Callable[[bytes], str], gap_s: float = 0.02) -> None:
        self._text_of = text_of
        self._gap_s = gap_s

    @property
    def info(self) -> HandlerInfo:
        """See :attr:`Handler.info`."""
        return HandlerInfo(
            "echo", "Repeats the message word by word; needs no model.", LossPolicy.RESUME
        )

    async def check(self, order: Order, workspace_id: str) -> None:
        """See :meth:`Handler.check`; it says what of it is text."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """See :meth:`Handler.lost`; it asks nobody."""

    async def run(self, work: Work) -> None:
        """See :meth:`Handler.run`."""
        text = self._text_of(work.turn.order.content)
        for word in _WORDS.findall(text[len(work.resumed_text) :]):
            await work.write(word)
            await asyncio.sleep(self._gap_s)
