"""Erasing all of a conversation, a workspace or a person, in the background.

What is to be done is a row, which a server claims for a while and stores its progress in; when that
server dies, another one goes on. Messages go some at a time by :class:`Erasing`, which may be
repeated as often as it takes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from antiphon_server.context.model.changes import (
    EncodedEntry,
    conversation_scope,
    workspace_scope,
)
from antiphon_server.context.model.erasure_tasks import (
    CONVERSATION,
    PERSON,
    WORKSPACE,
    ErasureTask,
    Unerased,
)
from antiphon_server.context.model.messages import Offset
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.context.ports import Clock, Records, Store
from antiphon_server.context.ports.erasures import ErasesScopes
from antiphon_server.context.service.erasing import Erasing
from antiphon_server.context.service.erasing_messages import ErasingMessages
from antiphon_server.context.service.erasure_tasks import ErasureTasks
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import DomainError, Reason, unavailable

PAGE = 500
CLAIMED_S = 15.0
"""It is renewed, however long a batch takes, each third of that, until its server has died."""
LOOK_S, RETRY_S = 5.0, 1.0
AGAIN_S = 3.0
"""One that can't go on is left alone for so long; then who was tried longest ago comes first."""
SETTLED_S = 2.0
"""So long what was admitted before may take to be said."""
log = logging.getLogger(__name__)


class ErasingScopes:
    """Goes on with ``tasks``, whoever has begun them."""

    def __init__(
        self,
        store: Store,
        projection: Projection,
        tasks: ErasureTasks,
        erasing: Erasing,
        elsewhere: ErasesScopes,
        clock: Clock,
        *,
        shared: bool,
        claimed_s: float = CLAIMED_S,
    ) -> None:
        self._alone, self._claimed_s = not shared, claimed_s
        self._store, self._projection, self._tasks = store, projection, tasks
        self._messages = ErasingMessages(store, erasing, self._keep)
        self._elsewhere, self._clock = elsewhere, clock

    async def run(self) -> None:
        """Go on with what isn't done, until cancelled.

        At the start on a store that isn't shared: also with what an earlier life has claimed.
        """
        claimed_before = self._alone
        while True:
            try:
                if claimed_before:
                    await self._store.write(lambda r: r.erasure_tasks.release())
                    claimed_before = False
                if await self._next():
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
                    await self._tasks.begun.wait()
            except TimeoutError:
                continue
            self._tasks.begun.clear()

    async def _next(self) -> bool:
        """Take one up, and do all of it that can be done; False if there is none."""
        now_us, until_us = self._now_us(), self._until()
        task = await self._store.write(lambda r: r.erasure_tasks.claim(now_us, until_us))
        if task is None:
            return False
        kind = task.resource.partition("/")[0] + "/"
        work = {
            CONVERSATION: self._conversation,
            WORKSPACE: self._workspace,
            PERSON: self._person,
        }[kind]
        try:
            async with self._claimed(task.resource):
                task = await work(task)
            if task.left_conversations:
                await self._put_back(task)
                return True
        except DomainError as error:
            waiting = str(error.metadata.get("turn_id", ""))
            ended = error.reason is Reason.TURN_NOT_ENDED
            held = await self._store.read(lambda r: r.erasure_tasks.get(task.resource)) or task
            await self._put_back(replace(held, waiting_turn_id=waiting if ended else ""))
            raise
        done = replace(task, done_us=self._now_us(), waiting_turn_id="")
        await self._store.write(lambda r: r.erasure_tasks.put(done, 0))
        return True

    async def _put_back(self, task: ErasureTask) -> None:
        again_us = self._now_us() + int(AGAIN_S * 1e6)
        await self._store.write(lambda r: r.erasure_tasks.put(task, again_us))

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
        await self._store.scrub(copies=not await self._tasks.in_workspace(conversation_id))
        return task

    async def _workspace(self, task: ErasureTask) -> ErasureTask:
        """Begin its conversations' erasures; when all of them are done, erase the rest."""
        workspace_id = WorkspaceId(task.resource.removeprefix(WORKSPACE))
        left_s = task.create_us / 1e6 + SETTLED_S - self._clock()
        if left_s > 0:
            await asyncio.sleep(left_s)
        task = await self._conversations_of(task, workspace_id)
        if task.left_conversations:
            return task
        if any(it.listener == workspace_scope(workspace_id) for it in await self._untold()):
            raise unavailable("events")
        await self._elsewhere.workspace(workspace_id)
        await self._store.write(lambda r: r.erasure_tasks.strip_names(workspace_id))
        await self._store.scrub(copies=True)
        return task

    async def _conversations_of(self, task: ErasureTask, workspace_id: WorkspaceId) -> ErasureTask:
        """How far they are; those that aren't begun are begun."""
        task = replace(task, erased_messages=0, left_conversations=0, waiting_turn_id="")
        after = ConversationId("")
        while page := await self._page_of(workspace_id, after):
            for conversation_id, begun in page:
                one = begun or await self._tasks.of_workspace(conversation_id)
                task = replace(
                    task,
                    erased_messages=task.erased_messages + one.erased_messages,
                    left_conversations=task.left_conversations + (not one.done_us),
                    waiting_turn_id=task.waiting_turn_id or one.waiting_turn_id,
                )
            after = page[-1][0]
        return task

    async def _page_of(
        self, workspace_id: WorkspaceId, after: ConversationId
    ) -> Sequence[tuple[ConversationId, ErasureTask | None]]:
        return await self._store.read(
            lambda r: r.erasure_tasks.in_workspace(workspace_id, after, PAGE)
        )

    async def _messages_in(self, task: ErasureTask, where: ConversationId) -> ErasureTask:
        """Erase all messages there, the oldest first."""
        await self._projection.catch_up(where)

        def page(records: Records, after: Unerased | None) -> Sequence[Unerased]:
            place = after.offset if after is not None else Offset(0)
            return records.erasure_tasks.unerased(where, place, PAGE)

        return await self._messages.erase(task, page, answers=False)

    async def _person(self, task: ErasureTask) -> ErasureTask:
        who = task.resource
        if not task.caught_up:
            await self._catch_up_all()
            task = replace(task, caught_up=True)
            await self._keep(task)

        def page(records: Records, after: Unerased | None) -> Sequence[Unerased]:
            return records.erasure_tasks.said_by(who, after, PAGE)

        task = await self._messages.erase(task, page, answers=True)
        await self._elsewhere.person(who)
        await self._store.scrub(copies=True)
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

    async def _keep(self, task: ErasureTask) -> None:
        """Store how far it is."""
        until_us = self._until()
        await self._store.write(lambda r: r.erasure_tasks.put(task, until_us))

    async def _check_told(self, conversation_id: ConversationId) -> None:
        """Return if the log was told of what the conversation was called before.

        Raises DomainError SERVICE_UNAVAILABLE if it wasn't yet.
        """
        scope = conversation_scope(conversation_id)
        if any(it.listener == scope for it in await self._untold()):
            raise unavailable("events")

    async def _untold(self) -> Sequence[EncodedEntry]:
        return await self._store.read(lambda r: r.outbox.first(PAGE))

    def _until(self) -> int:
        return self._now_us() + int(self._claimed_s * 1e6)

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)
