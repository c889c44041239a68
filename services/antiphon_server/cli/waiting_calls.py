"""Calls of tools that wait for a person, as the log tells them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.events.v1.event_pb2 import Event, ToolCallProposed
    from antiphon_client import Client

_PAGE = 1000
_TURNS = 50  # more than may wait of one conversation's


@dataclass(frozen=True)
class WaitingCall:
    """A call that waits for a decision."""

    conversation_id: str
    turn_id: str
    proposed: "ToolCallProposed"


async def waiting_in(client: "Client", conversation_id: str) -> list[WaitingCall]:
    """All of a conversation, those first that have waited longest."""
    found: dict[str, WaitingCall] = {}
    async for event in _told(client, conversation_id):
        match event.WhichOneof("payload"):
            case "tool_call_proposed" if event.tool_call_proposed.asks:
                call = event.tool_call_proposed
                found[call.tool_call_id] = WaitingCall(conversation_id, event.turn_id, call)
            case "tool_call_decided":
                found.pop(event.tool_call_decided.tool_call_id, None)
            case "tool_call_finished":
                found.pop(event.tool_call_finished.tool_call_id, None)
            case "turn_finished":
                found = {it: one for it, one in found.items() if one.turn_id != event.turn_id}
    return list(found.values())


async def asked_call(client: "Client", conversation_id: str, call_id: str) -> WaitingCall | None:
    """The call of that id about which somebody was asked, whether it still waits or not."""
    async for event in _told(client, conversation_id):
        call = event.tool_call_proposed
        if call.asks and call.tool_call_id == call_id:
            return WaitingCall(conversation_id, event.turn_id, call)
    return None


async def waits(client: "Client", conversation_id: str) -> bool:
    """Whether a turn of the conversation has not ended, so that a call may wait."""
    from antiphon.events.v1.event_pb2 import (
        TURN_STATE_ACCEPTED,
        TURN_STATE_QUEUED,
        TURN_STATE_RUNNING,
    )

    is_open = {TURN_STATE_ACCEPTED, TURN_STATE_QUEUED, TURN_STATE_RUNNING}
    seen = 0
    async for turn in client.list_turns(conversation_id):
        seen += 1
        if turn.state in is_open:
            return True
        if seen == _TURNS:
            break
    return False


async def _told(client: "Client", conversation_id: str) -> "AsyncGenerator[Event]":
    """What the log says of calls and of the ends of turns, from its beginning."""
    from antiphon.events.v1 import event_pb2 as events

    kinds = (
        events.EVENT_KIND_TOOL_CALL_PROPOSED,
        events.EVENT_KIND_TOOL_CALL_DECIDED,
        events.EVENT_KIND_TOOL_CALL_FINISHED,
        events.EVENT_KIND_TURN_FINISHED,
    )
    scope, cursor, at_head = f"conversations/{conversation_id}", "", False
    while not at_head:
        page = await client.read_events(scope, cursor, page_size=_PAGE, kinds=kinds)
        for event in page.events:
            yield event
        cursor, at_head = page.cursor, page.at_head
