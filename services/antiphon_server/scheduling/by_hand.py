"""Schedules' turns that somebody starts now, in their own name."""

import time

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_server.dispatcher.scheduling_room import Caller, TurnDoors
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.scheduling.encoding import dispatch_of
from antiphon_server.scheduling.model import Schedule


class ByHand:
    """Starts them through the dispatcher's own calls, by the caller's credentials."""

    def __init__(self, doors: TurnDoors) -> None:
        self._doors = doors

    async def run(self, schedule: Schedule, turn_id: str, caller: Caller) -> Turn:
        """The turn of that id, started now or before. Raises DomainError as Dispatch does."""
        now_us = time.time_ns() // 1000
        turn_id = turn_id or new_id("turn")
        asked = dispatch_of(schedule, turn_id, now_us, caller.principal.actor)
        request = await self._opened(asked, caller)
        return (await self._doors.calls.dispatch(request, caller)).turn

    async def _opened(self, asked: DispatchRequest, caller: Caller) -> DispatchRequest:
        """With its conversation; one that it has already would have another title by now."""
        where = asked.new_conversation.conversation_id
        if where and await self._doors.posting.came(where, asked.turn_id):
            asked.ClearField("new_conversation")
            asked.conversation_id = where
            return asked
        return await self._doors.openings.opened(asked, caller)
