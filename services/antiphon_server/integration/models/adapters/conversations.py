"""Conversations, through the service that owns them, and the policy of who may do what there."""

from typing import TYPE_CHECKING

from antiphon.context.v1.context_service_pb2 import GetConversationRequest
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy, rule_of
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

GENERATE = "/antiphon.integration.v1.IntegrationService/Generate"
TIMEOUT_S = 10.0


class ContextConversations:
    """See :class:`~antiphon_server.integration.models.ports.Conversations`."""

    def __init__(self, context: "ContextServiceAsyncStub", policy: AccessPolicy) -> None:
        self._context, self._policy = context, policy
        self._rule = rule_of(GENERATE)

    async def admit(self, caller: Principal, conversation_id: str) -> str:
        enforce(await self._policy.decide(caller, self._rule, conversation_id))
        request = GetConversationRequest(conversation_id=conversation_id)
        with remote_errors("context"):
            response = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        return response.conversation.workspace_id
