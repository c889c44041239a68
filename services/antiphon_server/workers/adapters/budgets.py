"""What budgets leave, through the service that owns them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc

from antiphon.integration.v1.integration_service_pb2 import GetBudgetLeftRequest
from antiphon_server.dispatcher.handling import Turn
from antiphon_server.runtime.errors import DomainError

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

TIMEOUT_S = 1.0


class IntegrationBudgets:
    """A :class:`~antiphon_server.workers.ports.TurnBudgets` through the IntegrationService."""

    def __init__(self, integration: "IntegrationServiceAsyncStub") -> None:
        self._integration = integration

    async def left(self, turn: Turn) -> Sequence[bytes]:
        request = GetBudgetLeftRequest(
            workspace_id=turn.workspace_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            user_id=turn.user_id,
            api_keys=turn.api_keys,
            models=turn.order.models,
        )
        try:
            answer = await self._integration.GetBudgetLeft(request, timeout=TIMEOUT_S)
        except (grpc.aio.AioRpcError, DomainError):
            return ()
        return [it.SerializeToString() for it in answer.left]
