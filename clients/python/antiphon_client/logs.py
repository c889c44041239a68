"""The log without a stream."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from antiphon.events.v1 import event_service_pb2 as messages
from antiphon.events.v1.event_pb2 import EventKind
from antiphon_client.caller import Caller

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub


class Logs:
    """The event service's unary calls. Errors: AntiphonError, as each RPC's comment says."""

    _events: "EventServiceAsyncStub"
    _caller: Caller

    async def get_head(self, scope: str) -> messages.GetHeadResponse:
        """Where a log begins and ends."""
        request = messages.GetHeadRequest(scope=scope)
        return await self._caller.call(self._events.GetHead, request)

    async def read_events(
        self,
        scope: str,
        cursor: str = "",
        *,
        page_size: int = 0,
        kinds: Iterable[EventKind.ValueType] = (),
    ) -> messages.ReadEventsResponse:
        """A page of the log after a position; go on from the response's cursor."""
        request = messages.ReadEventsRequest(
            scope=scope, cursor=cursor, page_size=page_size, kinds=kinds
        )
        return await self._caller.call(self._events.ReadEvents, request)
