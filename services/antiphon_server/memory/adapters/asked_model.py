"""A model that memory asks in the background, through the service that pays and is paid for it."""

from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2, message_pb2
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon_server.memory.model import ConversationId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # they exist for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

TIMEOUT_S, ANSWER_S = 10.0, 120.0
MAX_OUTPUT_TOKENS = 4096
KNOWN = 10_000


class IntegrationModel:
    """An :class:`~antiphon_server.memory.ports.AskedModel`: the conversation's workspace pays."""

    def __init__(
        self,
        name: str,
        integration: "IntegrationServiceAsyncStub",
        context: "ContextServiceAsyncStub",
    ) -> None:
        self._name, self._integration, self._context = name, integration, context
        self._workspaces = LruCache[ConversationId, str](KNOWN)

    async def answer(self, conversation_id: ConversationId, instructions: str, text: str) -> str:
        """See :meth:`AskedModel.answer`."""
        parts = [message_pb2.Part(text=text)]
        request = pb.GenerateRequest(
            workspace_id=await self._workspace(conversation_id),
            conversation_id=conversation_id,
            models=[self._name],
            instructions=instructions,
            messages=[pb.PromptMessage(role=message_pb2.MESSAGE_ROLE_USER, parts=parts)],
            max_output_tokens=MAX_OUTPUT_TOKENS,
            temperature=0.0,
        )
        call = self._integration.Generate(request, timeout=ANSWER_S)
        told = list[str]()
        try:
            with remote_errors("integration"):
                async for response in call:
                    if response.WhichOneof("step") == "delta":
                        told.append(response.delta.text)
        finally:
            call.cancel()
        return "".join(told)

    async def _workspace(self, conversation_id: ConversationId) -> str:
        """It never changes."""
        if (known := self._workspaces.get(conversation_id)) is not None:
            return known
        request = context_service_pb2.GetConversationRequest(conversation_id=conversation_id)
        with remote_errors("context"):
            found = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        self._workspaces.put(conversation_id, found.conversation.workspace_id)
        return found.conversation.workspace_id
