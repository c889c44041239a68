"""Messages of conversations, through the service that owns them."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2
from antiphon_server.integration.tools.ports import SaidMessage
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 10.0
PAGE = 200


class ContextMessages:
    """See :class:`~antiphon_server.integration.tools.ports.Messages`."""

    def __init__(self, context: "ContextServiceAsyncStub") -> None:
        self._context = context

    async def newest(self, conversation_id: str) -> AsyncIterator[SaidMessage]:
        request = context_service_pb2.ListMessagesRequest(
            conversation_id=conversation_id, page_size=PAGE
        )
        while True:
            with remote_errors("context"):
                page = await self._context.ListMessages(request, timeout=TIMEOUT_S)
            for it in page.messages:
                text = "\n".join(part.text for part in it.parts if part.HasField("text"))
                yield SaidMessage(it.author, text, it.create_time.ToJsonString(), it.turn_id)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
