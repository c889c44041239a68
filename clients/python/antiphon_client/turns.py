"""Turns without a stream: dispatch, look, stop."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_UNSPECIFIED, TurnPolicy
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as messages
from antiphon.dispatcher.v1.turn_pb2 import Handler, Turn
from antiphon.events.v1.event_pb2 import ToolCallProposed, ToolCallQuestionAsked
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED, ToolAnswerAction
from antiphon_client.caller import Caller, pages
from antiphon_client.conversations import NOTHING
from antiphon_client.ids import new_turn_id

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceAsyncStub


class Turns:
    """The dispatcher service. Errors: AntiphonError, as each RPC's comment says."""

    _dispatcher: "DispatcherServiceAsyncStub"
    _caller: Caller

    async def dispatch(
        self,
        conversation_id: str,
        text: str,
        *,
        new_conversation: messages.NewConversation | None = None,
        turn_id: str = "",
        handler: str = "",
        models: Sequence[str] = (),
        policy: TurnPolicy.ValueType = TURN_POLICY_UNSPECIFIED,
        max_output_tokens: int = 0,
        type: str = "",
        metadata: Mapping[str, str] = NOTHING,
    ) -> messages.DispatchResponse:
        """Post a message and start a turn; follow from the response's cursor to see it all.

        With a ``new_conversation`` that is made before: leave the id empty, the turn says it.
        ``type`` is what the message is for programs, as `form.submitted`; ``metadata`` what they
        say of it.
        """
        request = messages.DispatchRequest(
            conversation_id=conversation_id,
            new_conversation=new_conversation,
            turn_id=turn_id or new_turn_id(),
            handler=handler,
            parts=[Part(text=text)],
            policy=policy,
            models=models,
            max_output_tokens=max_output_tokens,
            type=type,
            metadata=metadata,
        )
        return await self._caller.call(self._dispatcher.Dispatch, request)

    async def get_turn(self, conversation_id: str, turn_id: str) -> Turn:
        """One turn as it is now."""
        request = messages.GetTurnRequest(conversation_id=conversation_id, turn_id=turn_id)
        return (await self._caller.call(self._dispatcher.GetTurn, request)).turn

    def list_turns(self, conversation_id: str) -> AsyncGenerator[Turn]:
        """A conversation's turns, the newest first."""

        async def fetch(page_token: str) -> messages.ListTurnsResponse:
            request = messages.ListTurnsRequest(
                conversation_id=conversation_id, page_token=page_token
            )
            return await self._caller.call(self._dispatcher.ListTurns, request)

        return pages(fetch, lambda page: page.turns)

    async def cancel_turn(self, conversation_id: str, turn_id: str) -> Turn:
        """Stop a turn, before, during or after it runs."""
        request = messages.CancelTurnRequest(conversation_id=conversation_id, turn_id=turn_id)
        return (await self._caller.call(self._dispatcher.CancelTurn, request)).turn

    async def decide_tool_call(
        self,
        conversation_id: str,
        turn_id: str,
        call: ToolCallProposed,
        *,
        approve: bool,
        reason: str = "",
    ) -> messages.DecideToolCallResponse:
        """Approve or deny a call that waits; the answer is the first decision, perhaps another's.

        ``call`` is the event's: what was shown is what is decided about.
        """
        request = messages.DecideToolCallRequest(
            conversation_id=conversation_id,
            turn_id=turn_id,
            tool_call_id=call.tool_call_id,
            arguments_sha256=call.arguments_sha256,
            approve=approve,
            reason=reason,
        )
        return await self._caller.call(self._dispatcher.DecideToolCall, request)

    async def answer_tool_call(
        self,
        conversation_id: str,
        turn_id: str,
        asked: ToolCallQuestionAsked,
        action: ToolAnswerAction.ValueType = TOOL_ANSWER_ACTION_ACCEPTED,
        content: Mapping[str, Any] | None = None,
    ) -> messages.AnswerToolCallResponse:
        """Answer what a call's tool asks; the response is the first answer, perhaps another's.

        ``asked`` is the event's: what was shown is what is answered. ``content`` is what its schema
        wants; None for a page, and where it is declined.
        """
        request = messages.AnswerToolCallRequest(
            conversation_id=conversation_id,
            turn_id=turn_id,
            tool_call_id=asked.tool_call_id,
            question_id=asked.question.question_id,
            question_sha256=asked.question_sha256,
            action=action,
            content_json="" if content is None else json.dumps(content),
        )
        return await self._caller.call(self._dispatcher.AnswerToolCall, request)

    def list_handlers(self, workspace_id: str = "") -> AsyncGenerator[Handler]:
        """Who can work on turns, the default first; of a workspace with its own."""

        async def fetch(page_token: str) -> messages.ListHandlersResponse:
            request = messages.ListHandlersRequest(page_token=page_token, workspace_id=workspace_id)
            return await self._caller.call(self._dispatcher.ListHandlers, request)

        return pages(fetch, lambda page: page.handlers)
