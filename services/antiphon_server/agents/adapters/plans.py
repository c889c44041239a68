"""What prompts may hold, as the integration service says; remembered for a while."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.integration.v1 import integration_service_pb2
from antiphon_server.dispatcher.handling import Order
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

TIMEOUT_S = 30.0
KEPT_S = 10.0
MOST = 1_000
MOST_TOKENS = 2_000_000
"""Of what GetContext is asked for."""
_OLDER_SERVER = integration_service_pb2.PlanPromptResponse(max_prompt_tokens=3_000)
"""What prompts hold by an integration service of the version before."""


@dataclass(frozen=True, slots=True)
class _Kept:
    plan: integration_service_pb2.PlanPromptResponse
    until: float


class Plans:
    """The plans of the orders that came last."""

    def __init__(
        self,
        integration: "IntegrationServiceAsyncStub",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._integration = integration
        self._clock = clock
        self._kept = LruCache[tuple[tuple[str, ...], int], _Kept](MOST)

    async def budget(self, order: Order) -> int:
        """How many tokens a prompt may have. Raises DomainError MODEL_NOT_FOUND."""
        return min((await self._plan(order)).max_prompt_tokens, MOST_TOKENS)

    async def _plan(self, order: Order) -> integration_service_pb2.PlanPromptResponse:
        key, now = (order.models, order.max_output_tokens), self._clock()
        kept = self._kept.get(key)
        if kept is None or kept.until < now:
            kept = _Kept(await self._asked(order), now + KEPT_S)
            self._kept.put(key, kept)
        return kept.plan

    async def _asked(self, order: Order) -> integration_service_pb2.PlanPromptResponse:
        request = integration_service_pb2.PlanPromptRequest(
            models=order.models, max_output_tokens=order.max_output_tokens
        )
        try:
            with remote_errors("integration"):
                return await self._integration.PlanPrompt(request, timeout=TIMEOUT_S)
        except DomainError as error:
            if error.reason is not Reason.UNIMPLEMENTED:
                raise
            return _OLDER_SERVER
