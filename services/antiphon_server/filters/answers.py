"""Answers are masked by the filters that look at them, as they stand when a turn begins."""

from typing import TYPE_CHECKING

import grpc

from antiphon.context.v1 import filter_service_pb2
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon_server.dispatcher.masking_room import Masking, Turn
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

TIMEOUT_S = 10.0
MOST_READY = 64
"""So many workspaces' masks are kept ready."""


class AnswerMasks:
    """See :class:`~antiphon_server.dispatcher.masking.Masks`."""

    def __init__(self, internal: grpc.aio.Channel) -> None:
        self._filters: FilterServiceAsyncStub = FilterServiceStub(internal)

    async def of(self, turn: Turn) -> Masking | None:
        """See :meth:`Masks.of`."""
        request = filter_service_pb2.GetAnswerFiltersRequest(workspace_id=turn.workspace_id)
        with remote_errors("context"):
            response = await self._filters.GetAnswerFilters(request, timeout=TIMEOUT_S)
        return None
