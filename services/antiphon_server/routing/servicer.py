"""RouteService: the contract's messages <-> the rules of routing."""

from collections import Counter
from typing import Any, TypeAlias

import grpc

from antiphon.context.v1.message_pb2 import Message
from antiphon.dispatcher.v1 import route_service_pb2 as pb
from antiphon.dispatcher.v1.route_service_pb2_grpc import RouteServiceServicer
from antiphon_server.dispatcher.routing_room import ConversationId, Conversations, Posted
from antiphon_server.routing.encoding import (
    content_of,
    decision_message,
    routes_message,
    rules_of,
)
from antiphon_server.routing.finding import MOST_TRIED, Finding, Tried
from antiphon_server.routing.routes import Routes
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)
from antiphon_server.runtime.trail.relay import TrailRelay

MOST_MOVED = 200
"""So many turns that would have gone elsewhere are named."""

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class RouteServicer(RouteServiceServicer):
    """Serves who sets routes, and who asks about them."""

    def __init__(
        self, routes: Routes, finding: Finding, conversations: Conversations, trail: TrailRelay
    ) -> None:
        self._routes, self._finding = routes, finding
        self._conversations, self._trail = conversations, trail

    async def GetRoutes(
        self, request: pb.GetRoutesRequest, context: Context
    ) -> pb.GetRoutesResponse:
        found = await self._routes.get(request.parent, request.revision)
        return pb.GetRoutesResponse(routes=routes_message(found))

    async def SetRoutes(
        self, request: pb.SetRoutesRequest, context: Context
    ) -> pb.SetRoutesResponse:
        rules = rules_of(request.rules)
        seen = request.expected_revision if request.HasField("expected_revision") else None
        found = await self._routes.set(request.parent, rules, request.comment, seen)
        await self._trail.tell()
        return pb.SetRoutesResponse(routes=routes_message(found))

    async def ListRouteRevisions(
        self, request: pb.ListRouteRevisionsRequest, context: Context
    ) -> pb.ListRouteRevisionsResponse:
        listed, limit = f"routes of {request.parent}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = number(position[0]) if position else 0
        found = await self._routes.revisions(request.parent, before, limit + 1)
        page, token = found[:limit], ""
        if len(found) > limit:
            token = encode_page_token(listed, str(page[-1].number))
        return pb.ListRouteRevisionsResponse(
            revisions=map(routes_message, page), next_page_token=token
        )

    async def ExplainRoute(
        self, request: pb.ExplainRouteRequest, context: Context
    ) -> pb.ExplainRouteResponse:
        view = await self._conversations.get(ConversationId(request.conversation_id))
        said = Message(parts=request.parts, type=request.type, metadata=request.metadata)
        posted = Posted(view, current_principal().actor, content_of(said))
        decision = await self._finding.decision(posted)
        return pb.ExplainRouteResponse(decision=decision_message(decision))

    async def TryRoutes(
        self, request: pb.TryRoutesRequest, context: Context
    ) -> pb.TryRoutesResponse:
        rules = rules_of(request.rules)
        response, counts = pb.TryRoutesResponse(), Counter[str]()
        most = request.max_turns or MOST_TRIED
        async for tried in self._finding.tried(request.parent, rules, most):
            response.tried += 1
            counts[tried.handler] += 1
            if tried.handler != tried.turn.order.handler:
                response.moved_total += 1
                if len(response.moved) < MOST_MOVED:
                    response.moved.append(_moved(tried))
        response.counts.update(counts)
        return response


def _moved(tried: Tried) -> pb.MovedTurn:
    turn = tried.turn
    return pb.MovedTurn(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        handler=turn.order.handler,
        decision=decision_message(tried.decision),
    )
