"""What stands before each call by a connection: its breaker, which counts what comes of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from antiphon_server.integration.connections.health import Health
from antiphon_server.integration.connections.outcomes import Outcome, Outcomes, outcome_of
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.concurrency.breaker import BreakerOpen, Passage
from antiphon_server.runtime.errors import DomainError, Reason

LEFT_ALONE = "LEFT_ALONE"
"""The state of CONNECTION_UNAVAILABLE while the breaker is open."""
T = TypeVar("T")


class Guard:
    """Lets calls of the connection ``name`` pass, or refuses them."""

    def __init__(self, name: SourceName, outcomes: Outcomes, health: Health) -> None:
        self._name, self._outcomes, self._health = name, outcomes, health

    async def sent(
        self, send: Callable[[Link], Awaitable[T]], over: Callable[[], bool] = lambda: False
    ) -> T:
        """Send by the link, and count what comes of it.

        Whoever cancels a call that is not ``over`` says nothing of the connection. Raises
        DomainError as :meth:`check` does.
        """
        try:
            with self._outcomes.breaker.passing() as passage:
                try:
                    came = await send(await self._health.linked())
                except DomainError as error:
                    self._remember(passage, outcome_of(error))
                    raise
                except asyncio.CancelledError:
                    if over():
                        self._remember(passage, Outcome(Reason.TOOL_TIMEOUT))
                    raise
                self._remember(passage, outcome_of(came))
                return came
        except BreakerOpen as refused:
            raise self._refusal(refused) from None

    def check(self) -> None:
        """Raises DomainError CONNECTION_UNAVAILABLE if nothing is sent now."""
        try:
            self._outcomes.breaker.check()
        except BreakerOpen as refused:
            raise self._refusal(refused) from None

    @property
    def why(self) -> Mapping[str, str]:
        """Why it is left alone, as variables of CONNECTION_UNAVAILABLE."""
        breaker = self._outcomes.breaker
        if breaker.by_hand:
            return {"state": LEFT_ALONE, "breaker": "BY_HAND"}
        said = self._outcomes.failure.said
        return {"state": LEFT_ALONE, "breaker": breaker.state.name, **said}

    def _refusal(self, refused: BreakerOpen) -> DomainError:
        error = DomainError(
            Reason.CONNECTION_UNAVAILABLE,
            connection=self._name,
            retry_after=refused.retry_after_s,
        )
        error.metadata.update(self.why)
        return error

    def _remember(self, passage: Passage, outcome: Outcome) -> None:
        """Keep what came of a call; the first of many failures is a reason to look at once."""
        if self._outcomes.remember(passage, outcome):
            self._health.suspect()
