"""FilterService: the contract's messages <-> the rules of filters."""

from typing import Any, TypeAlias

import grpc

from antiphon.context.v1 import filter_pb2
from antiphon.context.v1 import filter_service_pb2 as pb
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceServicer
from antiphon_server.filters.chain import Chain
from antiphon_server.filters.encoding import (
    filters_message,
    filters_of,
    held_for,
    screening_message,
    screening_of,
    verdict_message,
)
from antiphon_server.filters.model import Origin, Screened, Stage
from antiphon_server.filters.ports import KnowsTools, ScreeningStore
from antiphon_server.filters.screening import Filters, Screener, look
from antiphon_server.filters.texts import room_of, texts_of, with_texts
from antiphon_server.filters.tools import check_tools
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.revisions.model import GLOBAL, Revision
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)
from antiphon_server.runtime.trail.relay import TrailRelay

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class FilterServicer(FilterServiceServicer):
    """Serves who sets filters, who asks about them, and the services that screen by them."""

    def __init__(
        self,
        filters: Filters,
        screener: Screener,
        store: ScreeningStore,
        trail: TrailRelay,
        tools: KnowsTools,
    ) -> None:
        self._filters, self._screener, self._tools = filters, screener, tools
        self._store, self._trail = store, trail

    async def GetFilters(
        self, request: pb.GetFiltersRequest, context: Context
    ) -> pb.GetFiltersResponse:
        found = await self._filters.get(request.parent, request.revision)
        return pb.GetFiltersResponse(filters=filters_message(found))

    async def SetFilters(
        self, request: pb.SetFiltersRequest, context: Context
    ) -> pb.SetFiltersResponse:
        rules = filters_of(request.filters)
        seen = request.expected_revision if request.HasField("expected_revision") else None
        standing = await self._filters.get(request.parent)
        await check_tools(self._tools, request.parent, rules, standing.rules)
        found = await self._filters.set(request.parent, rules, request.comment, seen)
        await self._trail.tell()
        return pb.SetFiltersResponse(filters=filters_message(found))

    async def ListFilterRevisions(
        self, request: pb.ListFilterRevisionsRequest, context: Context
    ) -> pb.ListFilterRevisionsResponse:
        listed, limit = f"filters of {request.parent}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = number(position[0]) if position else 0
        found = await self._filters.revisions(request.parent, before, limit + 1)
        page, token = found[:limit], ""
        if len(found) > limit:
            token = encode_page_token(listed, str(page[-1].number))
        return pb.ListFilterRevisionsResponse(
            revisions=map(filters_message, page), next_page_token=token
        )

    async def TryFilters(
        self, request: pb.TryFiltersRequest, context: Context
    ) -> pb.TryFiltersResponse:
        workspace_id = "" if request.parent == GLOBAL else request.parent
        stage = Stage(request.stage or Stage.MESSAGE)
        origin = Origin(workspace_id, "", stage, current_principal().actor)
        texts = texts_of(request.parts, request.metadata, request.type)
        room = room_of(request.parts, request.metadata)
        return _tried(request, await look(await self._trial(request), texts, origin, room))

    async def _trial(self, request: pb.TryFiltersRequest) -> list[Chain]:
        chains = list(await self._screener.chains(request.parent))
        if not request.filters:
            return chains
        trial = await self._filters.trial(request.parent, filters_of(request.filters))
        others = [it for it in chains if it.parent != request.parent]
        return [*others, trial]  # the installation's come first

    async def ListScreenings(
        self, request: pb.ListScreeningsRequest, context: Context
    ) -> pb.ListScreeningsResponse:
        listed = f"screenings of {request.parent} {request.author}"
        position = decode_page_token(request.page_token, listed, fields=2)
        before = (number(position[0]), position[1]) if position else None
        workspace_id = "" if request.parent == GLOBAL else request.parent
        limit = page_limit(request.page_size)
        found = await self._store.list(workspace_id, request.author, before, limit + 1)
        page, token = found[:limit], ""
        if len(found) > limit:
            last = page[-1]
            token = encode_page_token(listed, str(last.created_us), last.screening_id)
        return pb.ListScreeningsResponse(
            screenings=map(screening_message, page), next_page_token=token
        )

    async def Screen(self, request: pb.ScreenRequest, context: Context) -> pb.ScreenResponse:
        origin = Origin(
            request.workspace_id,
            request.conversation_id,
            Stage(request.stage),
            request.author,
            request.turn_id,
            request.tool_call_id,
        )
        texts = texts_of(request.parts, request.metadata, request.type)
        room = room_of(request.parts, request.metadata, request.most_bytes)
        screened = await self._screener.screen(texts, origin, room, holds=request.holds)
        response = pb.ScreenResponse(action=filter_pb2.FilterAction.ValueType(screened.action))
        if (held_by := screened.held_by) is not None:
            response.held_for = held_for(held_by)
        if screened.is_cut:
            parts, metadata = with_texts(request.parts, request.metadata, screened.texts)
            response.parts.extend(parts)
            response.metadata.update(metadata)
        return response

    async def GetAnswerFilters(
        self, request: pb.GetAnswerFiltersRequest, context: Context
    ) -> pb.GetAnswerFiltersResponse:
        chains = await self._screener.chains(request.workspace_id)
        found = [Revision(it.parent, it.revision, tuple(it.at(Stage.ANSWER))) for it in chains]
        return pb.GetAnswerFiltersResponse(
            filters=[filters_message(it) for it in found if it.rules]
        )

    async def RecordScreening(
        self, request: pb.RecordScreeningRequest, context: Context
    ) -> pb.RecordScreeningResponse:
        await self._screener.record(screening_of(request.screening))
        return pb.RecordScreeningResponse()


def _tried(request: pb.TryFiltersRequest, screened: Screened) -> pb.TryFiltersResponse:
    response = pb.TryFiltersResponse(
        action=filter_pb2.FilterAction.ValueType(screened.action),
        refused=screened.refused,
        verdicts=map(verdict_message, screened.verdicts),
    )
    if not screened.refused:
        parts, metadata = with_texts(request.parts, request.metadata, screened.texts)
        response.parts.extend(parts)
        response.metadata.update(metadata)
    return response
