"""IntegrationService: the contract's messages <-> the rules."""

from dataclasses import replace
from typing import Any, TypeAlias

import grpc

from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1 import model_pb2
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceServicer
from antiphon_server.integration import budget_encoding, encoding
from antiphon_server.integration.breakers.model import model_target
from antiphon_server.integration.breakers.switches import Switches
from antiphon_server.integration.budgets.left import BudgetsLeft
from antiphon_server.integration.ledger.usage import UsageReports
from antiphon_server.integration.models.catalogue import Catalogue, ConfiguredModel
from antiphon_server.integration.models.generation import Generator
from antiphon_server.integration.models.lost import LostAnswers
from antiphon_server.integration.models.model import Step
from antiphon_server.integration.models.paying import Paying
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.access_recheck import AccessRecheck
from antiphon_server.runtime.rpc.paging import page_limit

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class IntegrationServicer(IntegrationServiceServicer):
    """Serves models and the ledger."""

    def __init__(
        self,
        catalogue: Catalogue,
        generator: Generator,
        reports: UsageReports,
        recheck: AccessRecheck,
        paying: Paying,
        switches: Switches,
        lost: LostAnswers,
        trail: TrailRelay | None = None,
        left: BudgetsLeft | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._generator = generator
        self._reports = reports
        self._recheck, self._paying = recheck, paying
        self._switches, self._trail = switches, trail
        self._lost, self._left = lost, left
        self._prompts = encoding.remembered_prompts()

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        limit = page_limit(request.page_size)
        models, next_page_token = self._catalogue.page(limit, request.page_token)
        described = [await self._described(model) for model in models]
        return pb.ListModelsResponse(models=described, next_page_token=next_page_token)

    async def SetModelBreaker(
        self, request: pb.SetModelBreakerRequest, context: Context
    ) -> pb.SetModelBreakerResponse:
        model = self._catalogue.named(request.model)
        is_open = request.breaker == model_pb2.BREAKER_STATE_OPEN
        await self._switches.switch(model_target(model.name), open=is_open)
        if self._trail is not None:
            await self._trail.tell()
        return pb.SetModelBreakerResponse(model=await self._described(model))

    async def Generate(  # type: ignore[override]
        self, request: pb.GenerateRequest, context: Context
    ) -> None:
        async def emit(step: Step) -> None:
            await context.write(encoding.response(step))

        order = encoding.order(request, self._prompts)
        order = replace(order, payer=await self._paying.admitted(order.payer))
        answering = self._generator.run(order, emit)
        await self._recheck.during(context, request.workspace_id, answering)

    async def PlanPrompt(
        self, request: pb.PlanPromptRequest, context: Context
    ) -> pb.PlanPromptResponse:
        models = self._catalogue.chosen(request.models)
        rooms = [(model, await model.room(request.max_output_tokens)) for model in models]
        return encoding.plan_response(rooms)

    async def ReportLostAnswer(
        self, request: pb.ReportLostAnswerRequest, context: Context
    ) -> pb.ReportLostAnswerResponse:
        created_us = request.turn_create_time.ToMicroseconds()
        await self._lost.answered(encoding.lost_payer(request), created_us, request.text_bytes)
        return pb.ReportLostAnswerResponse()

    async def GetBudgetLeft(
        self, request: pb.GetBudgetLeftRequest, context: Context
    ) -> pb.GetBudgetLeftResponse:
        if self._left is None:
            return pb.GetBudgetLeftResponse()
        targets = [model.name for model in self._catalogue.chosen(request.models)]
        left = await self._left.of(encoding.turn_payer(request), targets)
        return pb.GetBudgetLeftResponse(left=map(budget_encoding.left, left))

    async def CountTokens(
        self, request: pb.CountTokensRequest, context: Context
    ) -> pb.CountTokensResponse:
        model = self._catalogue.named(request.model)
        tokens, exact = await model.count(encoding.prompt_messages(request.messages))
        return pb.CountTokensResponse(tokens=tokens, exact=exact)

    async def GetUsage(self, request: pb.GetUsageRequest, context: Context) -> pb.GetUsageResponse:
        wanted = encoding.usage_filter(request)
        page = await self._reports.page(wanted, request.page_size, request.page_token)
        return encoding.usage_response(page, to_operator=current_principal().operates)

    async def _described(self, model: ConfiguredModel) -> model_pb2.Model:
        default, is_operator = self._catalogue.named("").name, current_principal().operates
        return encoding.model(await model.described(), default, to_operator=is_operator)
