"""ScheduleService: the contract's messages <-> schedules."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import schedule_pb2
from antiphon.dispatcher.v1 import schedule_service_pb2 as pb
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import ScheduleServiceServicer
from antiphon_server.dispatcher.scheduling_room import Caller, TurnDoors
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
    page_of,
)
from antiphon_server.runtime.trail.relay import TrailRelay
from antiphon_server.scheduling.by_hand import ByHand
from antiphon_server.scheduling.encoding import (
    MASKED,
    changed,
    run_message,
    schedule_message,
    wanted_of,
    whole_message,
)
from antiphon_server.scheduling.model import FIRST, Outcome, Position, Run, Schedule
from antiphon_server.scheduling.schedules import Schedules

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ScheduleServicer(ScheduleServiceServicer):
    """Serves who may post in a conversation."""

    def __init__(self, schedules: Schedules, doors: TurnDoors, trail: TrailRelay) -> None:
        self._schedules, self._trail, self._by_hand = schedules, trail, ByHand(doors)

    async def CreateSchedule(
        self, request: pb.CreateScheduleRequest, context: Context
    ) -> pb.CreateScheduleResponse:
        caller = current_principal()
        wanted = wanted_of(request.schedule, request.conversation_id, caller)
        found = await self._schedules.create(wanted)
        await self._trail.tell()
        return pb.CreateScheduleResponse(schedule=whole_message(found))

    async def GetSchedule(
        self, request: pb.GetScheduleRequest, context: Context
    ) -> pb.GetScheduleResponse:
        found = await self._schedules.get(request.conversation_id, request.schedule_id)
        return pb.GetScheduleResponse(schedule=whole_message(found))

    async def ListSchedules(
        self, request: pb.ListSchedulesRequest, context: Context
    ) -> pb.ListSchedulesResponse:
        listed = f"schedules of {request.conversation_id}"
        fetch = partial(self._schedules.list, request.conversation_id)
        page, token = await _page(listed, fetch, request.page_size, request.page_token)
        return pb.ListSchedulesResponse(schedules=page, next_page_token=token)

    async def ListWorkspaceSchedules(
        self, request: pb.ListWorkspaceSchedulesRequest, context: Context
    ) -> pb.ListWorkspaceSchedulesResponse:
        listed = f"schedules of {request.workspace_id}"
        fetch = partial(self._schedules.of_workspace, request.workspace_id)
        page, token = await _page(listed, fetch, request.page_size, request.page_token)
        return pb.ListWorkspaceSchedulesResponse(schedules=page, next_page_token=token)

    async def ListOwnSchedules(
        self, request: pb.ListOwnSchedulesRequest, context: Context
    ) -> pb.ListOwnSchedulesResponse:
        creator = current_principal().actor
        fetch = partial(self._schedules.of_creator, creator)
        listed = f"schedules by {creator}"
        page, token = await _page(listed, fetch, request.page_size, request.page_token)
        return pb.ListOwnSchedulesResponse(schedules=page, next_page_token=token)

    async def UpdateSchedule(
        self, request: pb.UpdateScheduleRequest, context: Context
    ) -> pb.UpdateScheduleResponse:
        paths = masked(request.update_mask, MASKED)
        before = await self._schedules.get(request.conversation_id, request.schedule.schedule_id)
        after, who = changed(before, request.schedule, paths), current_principal().actor
        found = await self._schedules.change(before, after, request.etag, paths, who)
        await self._trail.tell()
        return pb.UpdateScheduleResponse(schedule=whole_message(found))

    async def DeleteSchedule(
        self, request: pb.DeleteScheduleRequest, context: Context
    ) -> pb.DeleteScheduleResponse:
        await self._schedules.delete(request.conversation_id, request.schedule_id)
        await self._trail.tell()
        return pb.DeleteScheduleResponse()

    async def RunSchedule(
        self, request: pb.RunScheduleRequest, context: Context
    ) -> pb.RunScheduleResponse:
        found = await self._schedules.get(request.conversation_id, request.schedule_id)
        turn = await self._by_hand.run(found, request.turn_id, Caller.of(context))
        due_us, now_us = turn.create_time.ToMicroseconds(), time.time_ns() // 1000
        where = turn.conversation_id
        started = Run(due_us, now_us, Outcome.STARTED, turn.turn_id, conversation_id=where)
        await self._schedules.ran(found, started)
        return pb.RunScheduleResponse(turn=turn)

    async def ListScheduleRuns(
        self, request: pb.ListScheduleRunsRequest, context: Context
    ) -> pb.ListScheduleRunsResponse:
        where = request.conversation_id
        runs = await self._schedules.runs(where, request.schedule_id)
        return pb.ListScheduleRunsResponse(runs=[run_message(it, where) for it in runs])


async def _page(
    listed: str,
    fetch: Callable[[Position, int], Awaitable[Sequence[Schedule]]],
    size: int,
    token: str,
) -> tuple[list[schedule_pb2.Schedule], str]:
    """A page of schedules in the order in which they were made, and the token for the next one."""
    limit, place = page_limit(size), decode_page_token(token, listed, fields=3)
    after = (number(place[0]), place[1], place[2]) if place else FIRST
    found = await fetch(after, limit + 1)
    page = page_of(map(schedule_message, found), limit)
    if len(found) == len(page):
        return page, ""
    last = found[len(page) - 1]
    return page, encode_page_token(
        listed, str(last.created_us), last.conversation_id, last.schedule_id
    )
