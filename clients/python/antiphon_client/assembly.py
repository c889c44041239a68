"""What models are shown of conversations, and were."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.memory.v1 import assembly_service_pb2 as messages
from antiphon.memory.v1 import summary_service_pb2
from antiphon.memory.v1.summary_pb2 import Summary
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.memory.v1.assembly_service_pb2_grpc import AssemblyServiceAsyncStub
    from antiphon.memory.v1.summary_service_pb2_grpc import SummaryServiceAsyncStub


class Assembly:
    """Puts together what a model should be shown, and explains what one was.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _assembly: "AssemblyServiceAsyncStub"
    _summaries: "SummaryServiceAsyncStub"
    _caller: Caller

    async def assemble_context(
        self, conversation_id: str, query: str = "", *, max_tokens: int = 0, message_id: str = ""
    ) -> messages.AssembleContextResponse:
        """The newest messages that fit, and those of the older ones that matter to a query."""
        request = messages.AssembleContextRequest(
            conversation_id=conversation_id,
            query=query,
            max_tokens=max_tokens,
            message_id=message_id,
        )
        return await self._caller.call(self._assembly.AssembleContext, request)

    async def explain_context(
        self, conversation_id: str, turn_id: str
    ) -> messages.ExplainContextResponse:
        """What a turn's model was shown, and why."""
        request = messages.ExplainContextRequest(conversation_id=conversation_id, turn_id=turn_id)
        return await self._caller.call(self._assembly.ExplainContext, request)

    def list_summaries(
        self, conversation_id: str, level: int | None = None
    ) -> AsyncGenerator[Summary]:
        """What a conversation was summarised as, the lowest level first; of one level alone."""

        async def fetch(page_token: str) -> summary_service_pb2.ListSummariesResponse:
            return await self.summaries_page(conversation_id, level, page_token)

        return pages(fetch, lambda page: page.summaries)

    async def summaries_page(
        self, conversation_id: str, level: int | None = None, page_token: str = ""
    ) -> summary_service_pb2.ListSummariesResponse:
        """A page of them, and how many are still to be made."""
        request = summary_service_pb2.ListSummariesRequest(
            conversation_id=conversation_id, level=level, page_token=page_token
        )
        return await self._caller.call(self._summaries.ListSummaries, request)
