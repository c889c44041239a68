"""Routes: the rules by which turns find handlers where callers name none."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import route_service_pb2 as messages
from antiphon.dispatcher.v1.route_pb2 import RouteRule
from antiphon.dispatcher.v1.route_pb2 import Routes as ParentRoutes
from antiphon.events.v1.route_pb2 import RouteDecision
from antiphon_client.caller import Caller, pages
from antiphon_client.conversations import NOTHING

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.route_service_pb2_grpc import RouteServiceAsyncStub


class Routes:
    """What admins and operators do with routes; a parent is a workspace's id or "global".

    Errors: AntiphonError, as each RPC's comment says.
    """

    _routes: "RouteServiceAsyncStub"
    _caller: Caller

    async def get_routes(self, parent: str, revision: int = 0) -> ParentRoutes:
        """The rules of a parent as they are, or as they were at a revision."""
        request = messages.GetRoutesRequest(parent=parent, revision=revision)
        return (await self._caller.call(self._routes.GetRoutes, request)).routes

    async def set_routes(
        self,
        parent: str,
        rules: Sequence[RouteRule],
        *,
        comment: str = "",
        expected_revision: int | None = None,
    ) -> ParentRoutes:
        """Replace all rules of a parent.

        With ``expected_revision`` only if nobody has set others since that was read.
        """
        request = messages.SetRoutesRequest(
            parent=parent, rules=rules, comment=comment, expected_revision=expected_revision
        )
        return (await self._caller.call(self._routes.SetRoutes, request)).routes

    def list_route_revisions(self, parent: str) -> AsyncGenerator[ParentRoutes]:
        """What the rules of a parent were, the newest first, without the rules themselves."""

        async def fetch(page_token: str) -> messages.ListRouteRevisionsResponse:
            request = messages.ListRouteRevisionsRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._routes.ListRouteRevisions, request)

        return pages(fetch, lambda page: page.revisions)

    async def explain_route(
        self,
        conversation_id: str,
        text: str,
        *,
        type: str = "",
        metadata: Mapping[str, str] = NOTHING,
    ) -> RouteDecision:
        """Who would get a message in a conversation now, and why; nothing is posted."""
        request = messages.ExplainRouteRequest(
            conversation_id=conversation_id,
            parts=[Part(text=text)],
            type=type,
            metadata=metadata,
        )
        return (await self._caller.call(self._routes.ExplainRoute, request)).decision

    async def try_routes(
        self, parent: str, rules: Sequence[RouteRule], *, max_turns: int = 0
    ) -> messages.TryRoutesResponse:
        """What rules would have done with a parent's newest turns; nothing is changed."""
        request = messages.TryRoutesRequest(parent=parent, rules=rules, max_turns=max_turns)
        return await self._caller.call(self._routes.TryRoutes, request)
