"""The rules of erasing: who may, what goes with it, and that what was begun is finished.

What is to be erased is kept, by ids, in the transaction that tells the audit trail of it, before
anything goes. From then on it is done, by this server or the next one: each step may be made again.
The messages' table comes last, so a message that is erased there is erased everywhere.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from antiphon_server.context.model.changes import ConversationUpdated, conversation_scope
from antiphon_server.context.model.erasures import Erasure, MessagesErased, Redacted
from antiphon_server.context.model.messages import Content, Message, MessageId, MessageRole
from antiphon_server.context.model.resources import ConversationId, ResourceId
from antiphon_server.context.ports import Clock, ErasesWords, Records, Store
from antiphon_server.context.service.access import require
from antiphon_server.context.service.changes import Changes, add_to_outbox
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.tails import Tails
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.encoding.titles import Beginning, beginnings, made_of
from antiphon_server.runtime.errors import DomainError, not_found, unavailable
from antiphon_server.runtime.net.addresses import current_address

AT_ONCE = 16
RETRY_S = 1.0
TEXTS = 4
"""So many texts of a message are looked at: titles are made of the first."""
OUTBOX = 1024
"""So many changes that others are to be told of are looked at: more wait where nothing is told."""
LOOK_S = 60.0
"""So often a server looks whether another one has left something undone."""
log = logging.getLogger(__name__)


class Erasing:
    """Erases what messages said, here and ``elsewhere``; ``texts`` are those in a message.

    Everything raises DomainError if the log, the store or another service can't be used; what was
    begun is finished by ``run`` then.
    """

    def __init__(
        self,
        store: Store,
        projection: Projection,
        tails: Tails,
        changes: Changes,
        elsewhere: ErasesWords,
        clock: Clock,
        texts: Callable[[Content], Sequence[str]],
    ) -> None:
        self._texts = texts
        self._store = store
        self._projection = projection
        self._tails = tails
        self._changes = changes
        self._elsewhere = elsewhere
        self._clock = clock
        self._completion = Completion()
        self._left = asyncio.Event()

    async def erase(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        message_ids: Sequence[MessageId],
        *,
        answers: bool,
        copies: bool = True,
    ) -> Sequence[MessageId]:
        """Erase these messages, and with ``answers`` those to them; returns all that are erased.

        Without ``copies``, the caller scrubs the store of those when all is erased.
        Raises DomainError NOT_FOUND, PERMISSION_DENIED, TURN_NOT_ENDED.
        """
        await self._projection.catch_up(conversation_id)
        named = dict.fromkeys(message_ids)
        those = await self._store.read(
            lambda r: _those(r, principal, conversation_id, named, answers=answers)
        )
        for begun in await self._store.read(lambda r: r.erasures.waiting_in(conversation_id)):
            await self._completion.run(self._finish(begun))
        left = [it for it in those if not it.content.erased]
        if not left:
            return [it.message_id for it in those]
        erasure = self._erasure(principal, conversation_id, left)
        await self._elsewhere.redact(erasure, validate_only=True)
        told = _told(principal, conversation_id, named, answers=answers)
        return await self._completion.run(
            self._begin(principal, erasure, told, those, copies=copies)
        )

    async def run(self) -> None:
        """Finish what was begun and isn't done, until cancelled."""
        while True:
            if not await self._finish_waiting():
                await asyncio.sleep(RETRY_S)
                continue
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._left.wait()
            except TimeoutError:
                continue
            self._left.clear()

    async def _finish_waiting(self) -> bool:
        """Finish what waits; says whether all of it was. One that can't be holds up no other."""
        try:
            waiting = await self._store.read(lambda r: r.erasures.waiting(AT_ONCE))
        except DomainError as error:
            log.warning("what is to be erased can't be read: %s", error)
            return False
        done = True
        for erasure in waiting:
            try:
                await self._finish(erasure)
            except DomainError as error:
                log.warning("%s can't be finished yet: %s", erasure.erasure_id, error)
                done = False
            except Exception:
                log.exception("%s can't be finished yet", erasure.erasure_id)
                done = False
        return done

    async def close(self) -> None:
        """Wait for what was begun."""
        await self._completion.close()

    def _erasure(
        self, principal: Principal, conversation_id: ConversationId, those: Sequence[Message]
    ) -> Erasure:
        turn_ids = dict.fromkeys(it.turn_id for it in those if it.turn_id)
        return Erasure(
            new_id("erase"),
            conversation_id,
            principal.actor,
            {it.message_id: it.offset for it in those},
            list(turn_ids),
            int(self._clock() * 1e6),
        )

    def _take_title(
        self,
        records: Records,
        principal: Principal,
        conversation_id: ConversationId,
        those: Sequence[Message],
    ) -> None:
        """Take the conversation's title away if it was made of what is to be erased."""
        before = records.conversations.get(conversation_id)
        said = self._beginnings(those)
        if before is None or not made_of(before.title, before.title_author, said):
            return
        after = replace(before, title="", version=before.version + 1)
        records.conversations.put(after)
        add_to_outbox(
            records, principal, conversation_scope(conversation_id), ConversationUpdated(after)
        )

    async def _begin(
        self,
        principal: Principal,
        erasure: Erasure,
        told: MessagesErased,
        those: Sequence[Message],
        *,
        copies: bool,
    ) -> Sequence[MessageId]:
        def work(records: Records) -> None:
            records.members.lock(ResourceId(erasure.conversation_id))
            records.erasures.add(erasure)
            records.audit_outbox.add(told)
            self._take_title(records, principal, erasure.conversation_id, those)

        await self._changes.make(work, of_conversation=erasure.conversation_id, audited=True)
        try:
            redacted = await self._finish(erasure, copies=copies)
        except BaseException:
            self._left.set()
            raise
        return list(dict.fromkeys([*(it.message_id for it in those), *redacted]))

    async def _finish(self, erasure: Erasure, *, copies: bool = True) -> Sequence[MessageId]:
        """Make all steps that are left, the last of which says that it is done."""
        redacted = erasure.redacted or await self._redact(erasure)
        erasure = replace(erasure, redacted=redacted)
        if not erasure.forgotten:
            await self._forget(erasure, redacted)
        await self._store.scrub(copies=copies)
        # Not before: who asks again while words are in files is not told that they are gone.
        await self._store.write(lambda r: r.erasures.remove(erasure.erasure_id))
        return redacted.message_ids

    async def _redact(self, erasure: Erasure) -> Redacted:
        """Erase in the log, and titles in all logs: they are known as long as the messages are."""
        await self._tell_outbox(erasure.conversation_id)

        def work(records: Records) -> Sequence[Beginning]:
            found = (records.messages.find(erasure.conversation_id, it) for it in erasure.messages)
            said = self._beginnings([it for it in found if it is not None])
            records.requests.forget_titles(
                erasure.conversation_id, lambda title, author: made_of(title, author, said)
            )
            return said

        redacted = await self._elsewhere.redact(erasure, await self._store.write(work))
        done = replace(erasure, redacted=redacted)
        await self._store.write(lambda r: r.erasures.put(done))
        return redacted

    async def _tell_outbox(self, conversation_id: ConversationId) -> None:
        """Have the log told before of what was: else a title would come behind its erasure.

        Raises DomainError SERVICE_UNAVAILABLE if it can't be told now.
        """
        scope = conversation_scope(conversation_id)

        def waits(records: Records) -> bool:
            return any(it.listener == scope for it in records.outbox.first(OUTBOX))

        if await self._store.read(waits):
            await self._changes.tell_log()
            if await self._store.read(waits):
                raise unavailable("events")

    async def _forget(self, erasure: Erasure, redacted: Redacted) -> None:
        """Erase in all other tables."""
        conversation_id = erasure.conversation_id
        await self._elsewhere.erase(erasure, redacted)
        await self._projection.catch_up(conversation_id)
        self._tails.forget(conversation_id)

        def work(records: Records) -> None:
            records.members.lock(ResourceId(conversation_id))
            records.messages.erase(conversation_id, redacted.message_ids)
            records.erasures.put(replace(erasure, forgotten=True))

        await self._store.write(work)

    def _beginnings(self, those: Sequence[Message]) -> Sequence[Beginning]:
        return [
            it
            for each in those
            for it in beginnings(each.author, self._texts(each.content)[:TEXTS])
        ]


def _told(
    principal: Principal,
    conversation_id: ConversationId,
    named: Collection[MessageId],
    *,
    answers: bool,
) -> MessagesErased:
    return MessagesErased(
        new_id("out"),
        principal.actor,
        principal.session_id,
        current_address(),
        conversation_id,
        list(named),
        answers,
    )


def _those(
    records: Records,
    principal: Principal,
    conversation_id: ConversationId,
    named: Collection[MessageId],
    *,
    answers: bool,
) -> Sequence[Message]:
    """What is to be erased, the oldest first, if the caller may. Raises as :meth:`erase`."""
    require(records, principal, conversation_id, Permission.WRITE)
    found = {it: records.messages.find(conversation_id, it) for it in named}
    those = {it: message for it, message in found.items() if message is not None}
    turn_ids = {it.turn_id for it in those.values() if it.turn_id}
    of_turns = records.messages.of_turns(conversation_id, turn_ids) if turn_ids else ()
    asked = {it.turn_id for it in of_turns if it.author == principal.actor and _asks(it)}
    for message_id in named:
        if message_id not in those:
            raise not_found(message_id)
        message = those[message_id]
        if message.author != principal.actor and message.turn_id not in asked:
            require(records, principal, conversation_id, Permission.MANAGE)
    if answers:
        started = {it.turn_id for it in those.values() if _asks(it)}
        those |= {it.message_id: it for it in of_turns if it.turn_id in started}
    return sorted(those.values(), key=lambda it: it.offset)


def _asks(message: Message) -> bool:
    """Whether it has started its turn."""
    return message.role == MessageRole.USER and bool(message.turn_id)
