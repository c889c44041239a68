"""Schedules: messages that are posted, with the turns that they start, by the clock."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import schedule_service_pb2 as messages
from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from antiphon.dispatcher.v1.schedule_pb2 import (
    MISSED_POLICY_SKIP,
    Cron,
    MissedPolicy,
    Schedule,
    ScheduleRun,
)
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_client.caller import Caller, pages
from antiphon_client.conversations import NOTHING
from antiphon_client.ids import new_schedule_id, new_turn_id

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.schedule_service_pb2_grpc import ScheduleServiceAsyncStub


class Schedules:
    """What whoever may post in a conversation does with its schedules.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _schedules: "ScheduleServiceAsyncStub"
    _caller: Caller

    async def create_schedule(
        self,
        conversation_id: str,
        text: str,
        when: datetime | Cron,
        *,
        schedule_id: str = "",
        missed: MissedPolicy.ValueType = MISSED_POLICY_SKIP,
        handler: str = "",
        models: Sequence[str] = (),
        type: str = "",
        metadata: Mapping[str, str] = NOTHING,
        new_conversation: NewConversation | None = None,
    ) -> Schedule:
        """Post a text at a time, or again and again; a time without a zone is this machine's.

        With a ``new_conversation`` each run has one of its own.
        """
        schedule = Schedule(
            schedule_id=schedule_id or new_schedule_id(),
            parts=[Part(text=text)],
            missed=missed,
            handler=handler,
            models=models,
            type=type,
            metadata=metadata,
            new_conversation=new_conversation,
        )
        set_when(schedule, when)
        request = messages.CreateScheduleRequest(conversation_id=conversation_id, schedule=schedule)
        return (await self._caller.call(self._schedules.CreateSchedule, request)).schedule

    async def get_schedule(self, conversation_id: str, schedule_id: str) -> Schedule:
        """One schedule as it is now."""
        request = messages.GetScheduleRequest(
            conversation_id=conversation_id, schedule_id=schedule_id
        )
        return (await self._caller.call(self._schedules.GetSchedule, request)).schedule

    def list_schedules(self, conversation_id: str) -> AsyncGenerator[Schedule]:
        """Those of a conversation."""

        async def fetch(page_token: str) -> messages.ListSchedulesResponse:
            request = messages.ListSchedulesRequest(
                conversation_id=conversation_id, page_token=page_token
            )
            return await self._caller.call(self._schedules.ListSchedules, request)

        return pages(fetch, lambda page: page.schedules)

    def list_workspace_schedules(self, workspace_id: str) -> AsyncGenerator[Schedule]:
        """Those of all conversations of a workspace, for its admins."""

        async def fetch(page_token: str) -> messages.ListWorkspaceSchedulesResponse:
            request = messages.ListWorkspaceSchedulesRequest(
                workspace_id=workspace_id, page_token=page_token
            )
            return await self._caller.call(self._schedules.ListWorkspaceSchedules, request)

        return pages(fetch, lambda page: page.schedules)

    def list_own_schedules(self) -> AsyncGenerator[Schedule]:
        """Those that the caller has made, wherever."""

        async def fetch(page_token: str) -> messages.ListOwnSchedulesResponse:
            request = messages.ListOwnSchedulesRequest(page_token=page_token)
            return await self._caller.call(self._schedules.ListOwnSchedules, request)

        return pages(fetch, lambda page: page.schedules)

    async def update_schedule(
        self, schedule: Schedule, *names: str, only_if_unchanged: bool = False
    ) -> Schedule:
        """Change the named fields to what a schedule says that was read before.

        ``when`` is the name of both ``at`` and ``cron``.
        """
        request = messages.UpdateScheduleRequest(
            conversation_id=schedule.conversation_id,
            schedule=schedule,
            update_mask=FieldMask(paths=names),
            etag=schedule.etag if only_if_unchanged else "",
        )
        return (await self._caller.call(self._schedules.UpdateSchedule, request)).schedule

    async def pause_schedule(
        self, conversation_id: str, schedule_id: str, *, paused: bool = True
    ) -> Schedule:
        """Let nothing be due; or, if not ``paused``, let it go on from now."""
        schedule = await self.get_schedule(conversation_id, schedule_id)
        schedule.paused = paused
        return await self.update_schedule(schedule, "paused")

    async def delete_schedule(self, conversation_id: str, schedule_id: str) -> None:
        """Take one away; its turns go on."""
        request = messages.DeleteScheduleRequest(
            conversation_id=conversation_id, schedule_id=schedule_id
        )
        await self._caller.call(self._schedules.DeleteSchedule, request)

    async def run_schedule(
        self, conversation_id: str, schedule_id: str, *, turn_id: str = ""
    ) -> Turn:
        """Start its turn now, in the caller's own name."""
        request = messages.RunScheduleRequest(
            conversation_id=conversation_id,
            schedule_id=schedule_id,
            turn_id=turn_id or new_turn_id(),
        )
        return (await self._caller.call(self._schedules.RunSchedule, request)).turn

    async def list_schedule_runs(
        self, conversation_id: str, schedule_id: str
    ) -> Sequence[ScheduleRun]:
        """What became of its newest due times, the newest first."""
        request = messages.ListScheduleRunsRequest(
            conversation_id=conversation_id, schedule_id=schedule_id
        )
        return (await self._caller.call(self._schedules.ListScheduleRuns, request)).runs


def set_when(schedule: Schedule, when: datetime | Cron) -> None:
    """Say when a schedule is due."""
    if isinstance(when, Cron):
        schedule.cron.CopyFrom(when)
    else:
        schedule.at.FromMicroseconds(round(when.timestamp() * 1_000_000))
