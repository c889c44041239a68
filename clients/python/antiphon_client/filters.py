"""Filters: what stands in front of all who work on what is said."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING

from antiphon.context.v1 import filter_service_pb2 as messages
from antiphon.context.v1.filter_pb2 import Filter, FilterStage, Screening
from antiphon.context.v1.filter_pb2 import Filters as ParentFilters
from antiphon.context.v1.message_pb2 import Part
from antiphon_client.caller import Caller, pages
from antiphon_client.conversations import NOTHING

if TYPE_CHECKING:
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub


class Filters:
    """What admins and operators do with filters; a parent is a workspace's id or "global".

    Errors: AntiphonError, as each RPC's comment says.
    """

    _filters: "FilterServiceAsyncStub"
    _caller: Caller

    async def get_filters(self, parent: str, revision: int = 0) -> ParentFilters:
        """The filters of a parent as they are, or as they were at a revision."""
        request = messages.GetFiltersRequest(parent=parent, revision=revision)
        return (await self._caller.call(self._filters.GetFilters, request)).filters

    async def set_filters(
        self,
        parent: str,
        filters: Sequence[Filter],
        *,
        comment: str = "",
        expected_revision: int | None = None,
    ) -> ParentFilters:
        """Replace all filters of a parent.

        With ``expected_revision`` only if nobody has set others since that was read.
        """
        request = messages.SetFiltersRequest(
            parent=parent, filters=filters, comment=comment, expected_revision=expected_revision
        )
        return (await self._caller.call(self._filters.SetFilters, request)).filters

    def list_filter_revisions(self, parent: str) -> AsyncGenerator[ParentFilters]:
        """What the filters of a parent were, the newest first, without the filters themselves."""

        async def fetch(page_token: str) -> messages.ListFilterRevisionsResponse:
            request = messages.ListFilterRevisionsRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._filters.ListFilterRevisions, request)

        return pages(fetch, lambda page: page.revisions)

    async def try_filters(
        self,
        parent: str,
        *texts: str,
        filters: Sequence[Filter] = (),
        metadata: Mapping[str, str] = NOTHING,
        stage: FilterStage.ValueType = FilterStage.FILTER_STAGE_UNSPECIFIED,
        type: str = "",
    ) -> messages.TryFiltersResponse:
        """What filters would do with a message of these texts: those that stand, or others."""
        request = messages.TryFiltersRequest(
            parent=parent,
            filters=filters,
            parts=[Part(text=text) for text in texts],
            metadata=metadata,
            stage=stage,
            type=type,
        )
        return await self._caller.call(self._filters.TryFilters, request)

    def list_screenings(self, parent: str, author: str = "") -> AsyncGenerator[Screening]:
        """What filters had to say in a workspace, or in all, the newest first."""

        async def fetch(page_token: str) -> messages.ListScreeningsResponse:
            request = messages.ListScreeningsRequest(
                parent=parent, author=author, page_token=page_token
            )
            return await self._caller.call(self._filters.ListScreenings, request)

        return pages(fetch, lambda page: page.screenings)
