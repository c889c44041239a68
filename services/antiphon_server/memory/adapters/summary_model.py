"""A model that writes summaries, through the service that asks models."""

from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2, message_pb2
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.summaries.model import Reply
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # these exist for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

TIMEOUT_S = 10.0
ANSWERED_WITHIN_S = 120.0
MOST_ANSWER_TOKENS = 600
MOST_ANSWER = 16_384
"""Characters; a model that says more is stopped."""


class IntegrationModel:
    """A :class:`~antiphon_server.memory.summaries.ports.Model` by its name in the configuration.

    The conversation and its workspace pay, and nobody in person: nobody has asked for it.
    """

    def __init__(
        self,
        name: str,
        context: "ContextServiceAsyncStub",
        integration: "IntegrationServiceAsyncStub",
    ) -> None:
        self._name, self._context, self._integration = name, context, integration

    async def write(self, conversation_id: ConversationId, instructions: str, said: str) -> Reply:
        request = pb.GenerateRequest(
            workspace_id=await self._workspace(conversation_id),
            conversation_id=conversation_id,
            models=[self._name],
            instructions=instructions,
            messages=[
                pb.PromptMessage(
                    role=message_pb2.MESSAGE_ROLE_USER, parts=[message_pb2.Part(text=said)]
                )
            ],
            max_output_tokens=MOST_ANSWER_TOKENS,
        )
        call = self._integration.Generate(request, timeout=ANSWERED_WITHIN_S)
        pieces, size, model = list[str](), 0, self._name
        try:
            with remote_errors("integration"):
                async for step in call:
                    pieces.append(step.delta.text)
                    size += len(step.delta.text)
                    model = step.finished.model or model
                    if size > MOST_ANSWER:
                        break
        finally:
            call.cancel()
        return Reply("".join(pieces), model)

    async def _workspace(self, conversation_id: ConversationId) -> str:
        request = context_service_pb2.GetConversationRequest(conversation_id=conversation_id)
        with remote_errors("context"):
            found = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        return found.conversation.workspace_id
