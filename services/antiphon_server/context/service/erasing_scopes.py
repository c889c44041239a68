"""Erasing all of a conversation, or of a person: begun at once, and done in the background.

What is to be done is a row, which a server claims for a while and stores its progress in; when that
server dies, another one goes on. Messages go some at a time by :class:`Erasing`, which may be
repeated as often as it takes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from antiphon_server.context.model.changes import (
    ConversationArchived,
    EncodedEntry,
    conversation_scope,
)
from antiphon_server.context.model.erasure_tasks import (
    CONVERSATION,
    PERSON,
    ErasureBegun,
    ErasureTask,
)
from antiphon_server.context.model.messages import MessageId, Offset
from antiphon_server.context.model.resources import ConversationId, ResourceId
from antiphon_server.context.ports import Clock, Records, Store, Users
from antiphon_server.context.ports.erasures import ErasesScopes
from antiphon_server.context.service.access import denied, require
from antiphon_server.context.service.changes import Changes, add_to_outbox
from antiphon_server.context.service.erasing import Erasing
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found, unavailable
from antiphon_server.runtime.net.addresses import current_address

BATCH = 50
PAGE = 500
CLAIMED_S = 15.0
"""It is renewed, however long a batch takes, each third of that, until its server has died."""
LOOK_S, RETRY_S = 5.0, 1.0
AGAIN_S = 3.0
"""One that can't go on is looked at again after so long: others have their turn before."""
_ALWAYS = 1 << 62
SETTLED_S = 2.0
"""So long what was admitted before may take to be said."""
_SERVICE = Principal("service", UserId("context"), SessionId(""))
log = logging.getLogger(__name__)


class ErasingScopes:
    """Begins erasures, and goes on with them. Its calls raise DomainError as the contract says."""

    def __init__(
        self,
        store: Store,
        projection: Projection,
        changes: Changes,
        erasing: Erasing,
        elsewhere: ErasesScopes,
        users: Users,
        clock: Clock,
        *,
        shared: bool,
        claimed_s: float = CLAIMED_S,
    ) -> None:
        self._alone, self._claimed_s = not shared, claimed_s
        self._store, self._projection, self._changes = store, projection, changes
        self._erasing, self._elsewhere, self._users = erasing, elsewhere, users
        self._clock = clock
        self._begun = asyncio.Event()

    async def conversation(
        self, principal: Principal, conversation_id: ConversationId
    ) -> ErasureTask:
        """Begin it, or say how far it is. Raises NOT_FOUND, PERMISSION_DENIED."""
        resource = CONVERSATION + conversation_id

        def work(records: Records) -> ErasureTask:
            records.members.lock(ResourceId(conversation_id))
            require(records, principal, conversation_id, Permission.MANAGE)
            if (task := records.erasure_tasks.get(resource)) is not None:
                return task
            self._take_settings(records, principal, conversation_id)
            return self._begin(records, principal, resource)

        return await self._made(work, conversation_id)

    async def person(self, principal: Principal, user_id: UserId) -> ErasureTask:
        """Begin it, or say how far it is. Raises NOT_FOUND, PERMISSION_DENIED."""
        if not principal.operates and principal.user_id != user_id:
            raise denied(Permission.OPERATE)
        await self._users.require(user_id)
        resource = PERSON + user_id

        def work(records: Records) -> ErasureTask:
            task = records.erasure_tasks.get(resource)
            if task is not None and not (task.done_us and self._is_old(task)):
                return task
            return self._begin(records, principal, resource)

        return await self._made(work)

    async def erased(self, conversation_id: ConversationId) -> bool:
        """Whether the conversation is, or is being."""
        resource = CONVERSATION + conversation_id
        task = await self._store.read(lambda r: r.erasure_tasks.get(resource), snapshot=False)
        return task is not None

    async def run(self) -> None:
        """Go on with what isn't done, until cancelled.

        At the start on a store that isn't shared: also with what an earlier life has claimed.
        """
        claimed_before_us = _ALWAYS if self._alone else 0
        while True:
            before_us, claimed_before_us = claimed_before_us, 0
            try:
                if await self._next(before_us):
                    claimed_before_us = before_us
                    continue
                wait_s = LOOK_S
            except DomainError as error:
                log.warning("an erasure can't go on yet: %s", error)
                wait_s = RETRY_S
            except Exception:
                log.exception("an erasure can't go on yet")
                wait_s = RETRY_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._begun.wait()
            except TimeoutError:
                continue
            self._begun.clear()

    async def _made(
        self, work: Callable[[Records], ErasureTask], where: ConversationId | None = None
    ) -> ErasureTask:
        task = await self._changes.make(work, of_conversation=where, audited=True)
        if not task.done_us:
            self._begun.set()
        return task

    def _is_old(self, task: ErasureTask) -> bool:
        return self._now_us() - task.done_us > 60_000_000

    def _begin(self, records: Records, principal: Principal, resource: str) -> ErasureTask:
        task = ErasureTask(resource, self._now_us())
        records.erasure_tasks.add(task)
        who = principal.actor, principal.session_id, current_address()
        records.audit_outbox.add(ErasureBegun(new_id("out"), *who, resource))
        return task

    def _take_settings(
        self, records: Records, principal: Principal, conversation_id: ConversationId
    ) -> None:
        before = records.conversations.get(conversation_id)
        if before is None:
            raise not_found(conversation_id)
        after = replace(
            before,
            title="",
            instructions="",
            labels=(),
            archive_us=before.archive_us or self._now_us(),
            version=before.version + 1,
        )
        records.conversations.put(after)
        told = ConversationArchived(after)
        add_to_outbox(records, principal, conversation_scope(conversation_id), told)

    async def _next(self, claimed_before_us: int) -> bool:
        """Take one up, and do all of it that can be done; False if there is none."""
        now_us = max(self._now_us(), claimed_before_us)
        task = await self._store.write(lambda r: r.erasure_tasks.claim(now_us, self._until()))
        if task is None:
            return False
        work = self._conversation if task.resource.startswith(CONVERSATION) else self._person
        try:
            async with self._claimed(task.resource):
                task = await work(task)
        except DomainError as error:
            waiting = str(error.metadata.get("turn_id", ""))
            ended = error.reason is Reason.TURN_NOT_ENDED
            held = await self._store.read(lambda r: r.erasure_tasks.get(task.resource)) or task
            held = replace(held, waiting_turn_id=waiting if ended else "")
            again_us = self._now_us() + int(AGAIN_S * 1e6)
            await self._store.write(lambda r: r.erasure_tasks.put(held, again_us))
            raise
        done = replace(task, done_us=self._now_us(), waiting_turn_id="")
        await self._store.write(lambda r: r.erasure_tasks.put(done, 0))
        return True

    @asynccontextmanager
    async def _claimed(self, resource: str) -> AsyncIterator[None]:
        """Have no other server take it up meanwhile."""

        async def renew() -> None:
            until_us = self._until()
            await self._store.write(lambda r: r.erasure_tasks.renew(resource, until_us))

        renewing = every(self._claimed_s / 3, renew, at_once=False)
        renewal = asyncio.create_task(renewing, name="context.erasure_claim")
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    async def _conversation(self, task: ErasureTask) -> ErasureTask:
        conversation_id = ConversationId(task.resource.removeprefix(CONVERSATION))
        task = await self._messages_in(task, conversation_id)
        left_s = task.create_us / 1e6 + SETTLED_S - self._clock()
        if left_s > 0:
            await asyncio.sleep(left_s)
            task = await self._messages_in(task, conversation_id)
        await self._check_told(conversation_id)
        await self._elsewhere.conversation(conversation_id)
        await self._store.write(lambda r: r.erasure_tasks.strip_answers(conversation_id))
        await self._store.scrub()
        return task

    async def _messages_in(self, task: ErasureTask, where: ConversationId) -> ErasureTask:
        """Erase all messages there, the oldest first."""
        await self._projection.catch_up(where)
        some = await self._unerased(where, Offset(0))
        while some:
            task = await self._erase(task, where, [it for it, _ in some], answers=False)
            some = await self._unerased(where, some[-1][1])
        return task

    async def _unerased(
        self, where: ConversationId, after: Offset
    ) -> Sequence[tuple[MessageId, Offset]]:
        return await self._store.read(lambda r: r.erasure_tasks.unerased(where, after, BATCH))

    async def _person(self, task: ErasureTask) -> ErasureTask:
        who = task.resource
        await self._catch_up_all()
        while some := await self._store.read(lambda r: r.erasure_tasks.said_by(who, PAGE)):
            for where, those in groupby(some, key=itemgetter(0)):
                ids = [it for _, it in those]
                for start in range(0, len(ids), BATCH):
                    batch = ids[start : start + BATCH]
                    task = await self._erase(task, where, batch, answers=True)
        await self._elsewhere.person(who)
        return task

    async def _catch_up_all(self) -> None:
        """Bring in what stands in logs alone: they may have spoken anywhere."""
        ids = await self._ids(None)
        while ids:
            for it in ids:
                await self._projection.catch_up(it)
            ids = await self._ids(ids[-1])

    async def _ids(self, after: ConversationId | None) -> Sequence[ConversationId]:
        return await self._store.read(lambda r: r.conversations.list_ids(after, PAGE))

    async def _erase(
        self, task: ErasureTask, where: ConversationId, those: Sequence[MessageId], *, answers: bool
    ) -> ErasureTask:
        erased = await self._erasing.erase(_SERVICE, where, those, answers=answers)
        task = replace(task, erased_messages=task.erased_messages + len(erased))
        until_us = self._until()
        await self._store.write(lambda r: r.erasure_tasks.put(task, until_us))
        return task

    async def _check_told(self, conversation_id: ConversationId) -> None:
        """Return if the log was told of what the conversation was called before.

        Raises DomainError SERVICE_UNAVAILABLE if it wasn't yet.
        """
        scope = conversation_scope(conversation_id)
        if any(it.listener == scope for it in await self._store.read(_untold)):
            raise unavailable("events")

    def _until(self) -> int:
        return self._now_us() + int(self._claimed_s * 1e6)

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)


def _untold(records: Records) -> Sequence[EncodedEntry]:
    return records.outbox.first(PAGE)
