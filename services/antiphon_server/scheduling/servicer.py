"""ScheduleService: the contract's messages <-> schedules."""

import time
from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import schedule_service_pb2 as pb
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import ScheduleServiceServicer
from antiphon_server.dispatcher.scheduling_room import (
    Caller,
    ConversationId,
    Conversations,
    TurnCalls,
)
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    page_limit,
    page_of,
)
from antiphon_server.scheduling.encoding import (
    MASKED,
    body_of,
    changed,
    dispatch_of,
    missed_of,
    run_message,
    schedule_message,
    when_of,
)
from antiphon_server.scheduling.model import Outcome, Run, Schedule
from antiphon_server.scheduling.schedules import Schedules

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ScheduleServicer(ScheduleServiceServicer):
    """Serves who may post in a conversation."""

    def __init__(
        self, schedules: Schedules, calls: TurnCalls, conversations: Conversations
    ) -> None:
        self._schedules, self._calls, self._conversations = schedules, calls, conversations

    async def CreateSchedule(
        self, request: pb.CreateScheduleRequest, context: Context
    ) -> pb.CreateScheduleResponse:
        where, said = request.conversation_id, request.schedule
        caller = current_principal()
        found = await self._schedules.known(where, said.schedule_id)
        if found is None:
            view = await self._conversations.get(ConversationId(where))
            if view.archived:
                raise DomainError(Reason.CONVERSATION_ARCHIVED, conversation_id=where)
            wanted = Schedule(
                said.schedule_id,
                where,
                view.workspace_id,
                caller.actor,
                created_us=0,
                life="",
                body=body_of(said),
                when=when_of(said),
                missed=missed_of(said),
                paused=said.paused,
                api_keys=caller.api_keys,
            )
            found = await self._schedules.add(wanted)
        if found.creator != caller.actor:
            raise DomainError(Reason.ALREADY_EXISTS, resource=found.schedule_id)
        return pb.CreateScheduleResponse(schedule=schedule_message(found))

    async def GetSchedule(
        self, request: pb.GetScheduleRequest, context: Context
    ) -> pb.GetScheduleResponse:
        found = await self._schedules.get(request.conversation_id, request.schedule_id)
        return pb.GetScheduleResponse(schedule=schedule_message(found))

    async def ListSchedules(
        self, request: pb.ListSchedulesRequest, context: Context
    ) -> pb.ListSchedulesResponse:
        listed, limit = f"schedules of {request.conversation_id}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        after = position[0] if position else ""
        found = await self._schedules.list(request.conversation_id, after, limit + 1)
        page = page_of(map(schedule_message, found), limit)
        more = len(found) > len(page)
        token = encode_page_token(listed, page[-1].schedule_id) if more else ""
        return pb.ListSchedulesResponse(schedules=page, next_page_token=token)

    async def UpdateSchedule(
        self, request: pb.UpdateScheduleRequest, context: Context
    ) -> pb.UpdateScheduleResponse:
        paths = masked(request.update_mask, MASKED)
        before = await self._schedules.get(request.conversation_id, request.schedule.schedule_id)
        if paths != {"paused"} and before.creator != current_principal().actor:
            raise DomainError(Reason.PERMISSION_DENIED, permission="CREATOR")
        after = changed(before, request.schedule, paths)
        anew = not paths.isdisjoint({"when", "paused"})
        found = await self._schedules.change(before, after, request.etag, anew=anew)
        return pb.UpdateScheduleResponse(schedule=schedule_message(found))

    async def DeleteSchedule(
        self, request: pb.DeleteScheduleRequest, context: Context
    ) -> pb.DeleteScheduleResponse:
        await self._schedules.delete(request.conversation_id, request.schedule_id)
        return pb.DeleteScheduleResponse()

    async def RunSchedule(
        self, request: pb.RunScheduleRequest, context: Context
    ) -> pb.RunScheduleResponse:
        found = await self._schedules.get(request.conversation_id, request.schedule_id)
        asked = dispatch_of(found, request.turn_id)
        answer = await self._calls.dispatch(asked, Caller.of(context))
        now_us = time.time_ns() // 1000
        due_us = answer.turn.create_time.ToMicroseconds()
        started = Run(due_us, now_us, Outcome.STARTED, answer.turn.turn_id)
        await self._schedules.ran(found, started)
        return pb.RunScheduleResponse(turn=answer.turn)

    async def ListScheduleRuns(
        self, request: pb.ListScheduleRunsRequest, context: Context
    ) -> pb.ListScheduleRunsResponse:
        runs = await self._schedules.runs(request.conversation_id, request.schedule_id)
        return pb.ListScheduleRunsResponse(runs=map(run_message, runs))
