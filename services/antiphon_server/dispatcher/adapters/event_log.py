"""The journal of turns, in the log of the events service."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.dispatcher.adapters import call_steps, handoff_steps
from antiphon_server.dispatcher.adapters.steps import (
    assigned_of,
    cancelled_of,
    event_of,
    finished_of,
)
from antiphon_server.dispatcher.model import (
    ConversationId,
    Past,
    Step,
    Tombstone,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.outages import patiently
from antiphon_server.dispatcher.ports import EndWritten
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # these exist for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 30.0
_AWAY: frozenset[Reason] = frozenset({Reason.SERVICE_UNAVAILABLE})
_PAST_KINDS = (
    event_pb2.EVENT_KIND_TEXT_DELTA_APPENDED,
    event_pb2.EVENT_KIND_TURN_ASSIGNED,
    event_pb2.EVENT_KIND_TURN_PROGRESSED,
    event_pb2.EVENT_KIND_TURN_FINISHED,
    *call_steps.KINDS,
    *handoff_steps.KINDS,
)


class EventLogJournal:
    """A :class:`~antiphon_server.dispatcher.ports.Journal` through the EventService.

    A log that is ``elsewhere`` is started again by itself: what it does not take meanwhile is told
    to it again, under a request id, so that it is there once. ``on_said`` is told where and when
    something was said, in microseconds since 1970.
    """

    def __init__(
        self,
        events: "EventServiceAsyncStub",
        timeout_s: float = TIMEOUT_S,
        *,
        elsewhere: bool = False,
        policy: RetryPolicy = TURN,
        on_said: Callable[[ConversationId, int], None] = lambda _where, _when: None,
    ) -> None:
        self._on_said = on_said
        self._events = events
        self._timeout_s = timeout_s
        self._elsewhere = elsewhere
        self._policy = policy
        self.waits_for: Collection[Reason] = _AWAY if elsewhere else frozenset()

    async def write(self, turn: Turn, steps: Sequence[Step], request_id: str = "") -> str:
        response = await self._said(turn, _request(turn, steps, request_id))
        return response.previous_cursor

    async def end(self, turn: Turn, steps: Sequence[Step]) -> EndWritten:
        request = _request(turn, steps, _end_of(turn.turn_id))
        request.fold_turn_id = turn.turn_id
        request.seen_by = turn.creator if turn.user_id else ""
        response = await self._said(turn, request)
        return EndWritten(response.folded, response.seen)

    async def _said(
        self, turn: Turn, request: event_service_pb2.AppendRequest
    ) -> event_service_pb2.AppendResponse:
        response = await self._append(request)
        if any(event.HasField("message_posted") for event in request.events):
            self._on_said(turn.conversation_id, response.time.ToMicroseconds())
        return response

    async def cancelled(self, turn: Tombstone) -> str:
        request = event_service_pb2.AppendRequest(
            scope=_scope(turn.conversation_id),
            events=[cancelled_of(turn)],
            request_id=_end_of(turn.turn_id),
        )
        return (await self._append(request)).previous_cursor

    async def fence(self, turn: Turn) -> None:
        await self._append(_request(turn, [], ""))

    async def _append(
        self, request: event_service_pb2.AppendRequest
    ) -> event_service_pb2.AppendResponse:
        if self._elsewhere:
            request.request_id = request.request_id or new_id("append")
        return await patiently(lambda: self._append_once(request), self.waits_for, self._policy)

    async def _append_once(
        self, request: event_service_pb2.AppendRequest
    ) -> event_service_pb2.AppendResponse:
        with remote_errors("events"):
            return await self._events.Append(request, timeout=self._timeout_s)

    async def past(self, turn: Turn, cursor: str) -> Past:
        request = event_service_pb2.ReadEventsRequest(
            scope=_scope(turn.conversation_id), cursor=cursor, page_size=1000, kinds=_PAST_KINDS
        )
        past, calls, handoffs = Past(), ToolCalls(), TurnHandoffs()
        while True:
            page = await patiently(lambda: self._read(request), self.waits_for, self._policy)
            for event in page.events:
                if event.turn_id != turn.turn_id:
                    continue
                past = _with(past, event, turn.order.handler)
                if (handed := handoff_steps.handoff_step_of(event)) is not None:
                    handoffs.note(handed)
                    past = replace(past, handoff=handoffs.last)
                if past.handoff is not None and past.handoff.said:
                    handoffs.find_out(past.handoff)
                if past.finished is not None:
                    return replace(past, calls=calls.all)
                if (step := call_steps.call_step_of(event)) is not None:
                    calls.note(step, len(past.text))
            if page.at_head:
                return replace(past, calls=calls.all)
            request.cursor = page.cursor

    async def answer(self, turn: Turn) -> str:
        request = event_service_pb2.ReadEventsRequest(
            scope=_scope(turn.conversation_id),
            cursor=turn.cursor,
            page_size=1000,
            kinds=[event_pb2.EVENT_KIND_MESSAGE_POSTED],
        )
        while True:
            page = await patiently(lambda: self._read(request), self.waits_for, self._policy)
            for event in page.events:
                if event.message_posted.message.message_id == turn.answer_id:
                    parts = event.message_posted.message.parts
                    return "\n".join(part.text for part in parts if part.HasField("text"))
            if page.at_head:
                return ""
            request.cursor = page.cursor

    async def _read(
        self, request: event_service_pb2.ReadEventsRequest
    ) -> event_service_pb2.ReadEventsResponse:
        with remote_errors("events"):
            return await self._events.ReadEvents(request, timeout=self._timeout_s)

    async def catch_up(self, conversation_id: ConversationId) -> None:
        """Have the log that is asked know what other servers have committed."""
        await self._read(
            event_service_pb2.ReadEventsRequest(scope=_scope(conversation_id), page_size=1)
        )

    async def fold(self, turn: Turn) -> None:
        request = event_service_pb2.FoldRequest(
            scope=_scope(turn.conversation_id), turn_id=turn.turn_id
        )
        with remote_errors("events"):
            await self._events.Fold(request, timeout=self._timeout_s)


def _request(turn: Turn, steps: Sequence[Step], request_id: str) -> event_service_pb2.AppendRequest:
    request = event_service_pb2.AppendRequest(
        scope=_scope(turn.conversation_id),
        events=[event_of(turn, step) for step in steps],
        request_id=request_id,
    )
    if turn.attempt:
        request.fence.key, request.fence.token = turn.turn_id, turn.attempt
    return request


def _with(past: Past, event: event_pb2.Event, handler: str) -> Past:
    """What the log has with one event more, but for calls; a worker of another handler is gone."""
    past = replace(past, output=max(past.output, event.output))
    match event.WhichOneof("payload"):
        case "turn_finished":
            return replace(past, finished=finished_of(event))
        case "turn_assigned" if event.actor == f"handlers/{handler}":
            return replace(past, assigned=assigned_of(event))
        case "text_delta_appended" if past.handoff is not None and past.handoff.is_last:
            said = event.text_delta_appended.text
            return replace(past, handoff=replace(past.handoff, said=said))
        case "text_delta_appended":
            return replace(past, text=past.text + event.text_delta_appended.text)
        case _:
            return past


def _end_of(turn_id: TurnId) -> str:
    return f"{turn_id}:end"


def _scope(conversation_id: ConversationId) -> str:
    return f"conversations/{conversation_id}"
