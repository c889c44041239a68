"""The models that the server can call, and what they have cost."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.integration.v1 import integration_service_pb2 as messages
from antiphon.integration.v1.model_pb2 import BreakerState, Model, ModelCall
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

ANSWER_S = 600.0
"""How long a model may take for an answer."""


class Models:
    """The integration service. Errors: AntiphonError, as each RPC's comment says."""

    _integration: "IntegrationServiceAsyncStub"
    _caller: Caller

    def list_models(self) -> AsyncGenerator[Model]:
        """The configured models, the default first."""

        async def fetch(page_token: str) -> messages.ListModelsResponse:
            request = messages.ListModelsRequest(page_token=page_token)
            return await self._caller.call(self._integration.ListModels, request)

        return pages(fetch, lambda page: page.models)

    def generate(
        self, request: messages.GenerateRequest, *, deadline: float = ANSWER_S
    ) -> AsyncGenerator[messages.GenerateResponse]:
        """Ask models, and get what one answers in steps; closing it stops the model.

        Every call is paid for, so none is made again.
        """
        return self._caller.stream(self._integration.Generate, request, deadline)

    async def set_model_breaker(self, model: str, breaker: "BreakerState.ValueType") -> Model:
        """Have every server ask a model no more (OPEN), or again (CLOSED); for operators."""
        request = messages.SetModelBreakerRequest(model=model, breaker=breaker)
        return (await self._caller.call(self._integration.SetModelBreaker, request)).model

    async def get_usage(
        self, workspace_id: str, turn_id: str = "", conversation_id: str = ""
    ) -> messages.GetUsageResponse:
        """What a workspace's calls consumed: the total, and the newest calls.

        Turns' ids are those of their conversations: give both for one turn.
        """
        request = messages.GetUsageRequest(
            workspace_id=workspace_id, turn_id=turn_id, conversation_id=conversation_id
        )
        return await self._caller.call(self._integration.GetUsage, request)

    def calls_of_turn(
        self, workspace_id: str, conversation_id: str, turn_id: str
    ) -> AsyncGenerator[ModelCall]:
        """All calls that were made for a turn, the newest first."""

        async def fetch(page_token: str) -> messages.GetUsageResponse:
            request = messages.GetUsageRequest(
                workspace_id=workspace_id,
                conversation_id=conversation_id,
                turn_id=turn_id,
                page_size=200,
                page_token=page_token,
            )
            return await self._caller.call(self._integration.GetUsage, request)

        return pages(fetch, lambda page: page.calls)
