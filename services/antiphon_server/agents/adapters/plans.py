"""What prompts may hold, as the integration service says; remembered for a while."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.context.v1 import message_pb2
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
        return (await self._plan(order)).max_prompt_tokens

    async def check(self, order: Order) -> None:
        """Raise DomainError PART_NOT_ACCEPTED if none of its models takes all its parts."""
        models = (await self._plan(order)).models
        if not models or any(order.kinds <= _names(model.accepts) for model in models):
            return
        first = models[0]
        kind = min(order.kinds - _names(first.accepts), default=min(order.kinds))
        raise DomainError(Reason.PART_NOT_ACCEPTED, model=first.name, kind=kind)

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


def _names(kinds: "Iterable[message_pb2.PartKind.ValueType]") -> frozenset[str]:
    """The kinds by the names that an order has for them: those of the fields of a part."""
    fields = message_pb2.Part.DESCRIPTOR.fields_by_number
    return frozenset(fields[kind].name for kind in kinds if kind in fields)
