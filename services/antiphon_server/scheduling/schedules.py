"""What callers do with schedules."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found
from antiphon_server.runtime.profiles.model import Profiles, user_of
from antiphon_server.scheduling.model import Cron, Position, Run, Schedule
from antiphon_server.scheduling.planning import first_due
from antiphon_server.scheduling.ports import Front, ScheduleStore

ANEW = frozenset({"when", "new_conversation", "paused"})
"""A change of these finds when it is due anew: what is past and undecided is left where it was."""


def _now_us() -> int:
    return time.time_ns() // 1000


class Schedules:
    """Makes, changes and forgets them. Each call raises DomainError as the contract says."""

    def __init__(
        self,
        store: ScheduleStore,
        front: Front,
        now_us: Callable[[], int] = _now_us,
        profiles: Profiles | None = None,
    ) -> None:
        self._store, self._front, self._profiles, self._now_us = store, front, profiles, now_us

    async def create(self, wanted: Schedule) -> Schedule:
        """Make one, or find the one that was made by the same call; its workspace is looked up."""
        known = await self._known(wanted)
        found = known or await self._store.add(await self._made(wanted))
        if found.creator != wanted.creator:
            raise DomainError(Reason.ALREADY_EXISTS, resource=found.schedule_id)
        return found

    async def _known(self, it: Schedule) -> Schedule | None:
        if not it.schedule_id:
            return None
        return await self._store.get(it.conversation_id, it.schedule_id)

    async def _made(self, wanted: Schedule) -> Schedule:
        left = await self._placed(await self._front.admitted(wanted))
        now_us = self._now_us()
        return replace(
            left,
            schedule_id=left.schedule_id or new_id("sched"),
            created_us=now_us,
            life=new_id("life"),
            etag=new_id("etag"),
            next_us=_next(left, now_us),
        )

    async def get(self, conversation_id: str, schedule_id: str) -> Schedule:
        """One as it is."""
        found = await self._store.get(conversation_id, schedule_id)
        if found is None:
            raise not_found(schedule_id)
        return found

    async def list(self, conversation_id: str, after: Position, limit: int) -> Sequence[Schedule]:
        """Those of a conversation, in the order in which they were made."""
        return await self._store.list(conversation_id, after, limit)

    async def of_workspace(
        self, workspace_id: str, after: Position, limit: int
    ) -> Sequence[Schedule]:
        """Those of a workspace, as :meth:`list`."""
        return await self._store.of_workspace(workspace_id, after, limit)

    async def of_creator(self, creator: str, after: Position, limit: int) -> Sequence[Schedule]:
        """Those that somebody made, as :meth:`list`."""
        return await self._store.of_creator(creator, after, limit)

    async def change(
        self, before: Schedule, after: Schedule, seen: str, named: Collection[str], actor: str
    ) -> Schedule:
        """Replace one by what it is with the fields that are ``named``.

        Only its creator says what it does; whoever may post there pauses it.
        """
        if set(named) != {"paused"} and before.creator != actor:
            raise DomainError(Reason.PERMISSION_DENIED, permission="CREATOR")
        if "when" in named:
            after = await self._placed(after)
        if after.body != before.body:
            after = await self._front.left(after)
        if after == before:
            return before
        if seen not in ("", before.etag):
            raise _other(before)
        anew = not ANEW.isdisjoint(named)
        if anew:
            now_us = max(self._now_us(), before.last_us or 0)
            after = replace(after, next_us=_next(after, now_us), failures=0)
        after = replace(after, etag=new_id("etag"))
        if not await self._store.change(after, before.etag, anew=anew, named=named):
            raise _other(before)
        return after

    async def _placed(self, it: Schedule) -> Schedule:
        """With the zone of its creator, as that is now, where it names none and they have one.

        The files of zones are read by a thread.
        """
        if not isinstance(it.when, Cron):
            return it
        user_id = user_of(it.creator)
        if not it.when.time_zone and user_id is not None and self._profiles is not None:
            who = await self._profiles.asked(user_id, it.workspace_id)
            it = replace(it, when=replace(it.when, time_zone=who.time_zone))
        await asyncio.to_thread(first_due, it.when, self._now_us())
        return it

    async def delete(self, conversation_id: str, schedule_id: str) -> None:
        """Take one away."""
        await self._store.delete(conversation_id, schedule_id)

    async def ran(self, schedule: Schedule, run: Run) -> None:
        """Note a run that somebody asked for."""
        await self._store.note(schedule, run)

    async def runs(self, conversation_id: str, schedule_id: str) -> Sequence[Run]:
        """What became of its newest due times."""
        await self.get(conversation_id, schedule_id)
        return await self._store.runs(conversation_id, schedule_id)


def _next(schedule: Schedule, now_us: int) -> int | None:
    """The next due time. Raises DomainError INVALID_ARGUMENT if there never is one."""
    found = first_due(schedule.when, now_us)
    if schedule.paused:
        return None
    if found is None and not isinstance(schedule.when, Cron):
        raise invalid("schedule.at", "must not be past")
    return found


def _other(before: Schedule) -> DomainError:
    return DomainError(Reason.ETAG_MISMATCH, resource=before.schedule_id)
