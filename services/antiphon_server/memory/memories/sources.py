"""Where memories come from: messages that whoever names them, or reads them, may read."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from antiphon_server.memory.model import ConversationId, KeptMessage, MessageId, Place, WorkspaceId
from antiphon_server.memory.ports import Conversations
from antiphon_server.memory.remembered import HIDDEN, Memory, Source
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.errors import DomainError, Reason

AT_ONCE = 100
"""So many conversations are asked about in one call."""
_OWN = "users/"


class Sources:
    """Checks and shows sources. Raises DomainError if conversations can't be asked."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def check(self, principal: Principal, memory: Memory) -> None:
        """Return if the caller may name each source of the memory, and it is one.

        A service names what whose memory it is may read, and for others than people anything.
        Raises DomainError MEMORY_SOURCE_INVALID.
        """
        for source in memory.sources:
            if not (source.conversation_id and source.message_id):
                raise _invalid(source, "UNREADABLE")
        asked = {it.conversation_id for it in memory.sources}
        readable = await self._readable(_reader(principal, memory.scope), principal, asked)
        for source in memory.sources:
            if source.conversation_id not in readable:
                raise _invalid(source, "UNREADABLE")
        kept = await self._messages(memory.sources)
        for source in memory.sources:
            message = kept.get(source.message_id)
            if message is None or message.conversation_id != source.conversation_id:
                raise _invalid(source, "UNREADABLE")
            if not _within(source, message.said.text):
                raise _invalid(source, "SPAN")

    async def shown(self, principal: Principal, memories: Iterable[Memory]) -> list[Memory]:
        """The memories without the ids of sources that the caller may not read now."""
        found = list(memories)
        every = iter(await self.seen(principal, [one for it in found for one in it.sources]))
        return [replace(it, sources=tuple(next(every) for _ in it.sources)) for it in found]

    async def seen(self, principal: Principal, sources: Sequence[Source]) -> Sequence[Source]:
        """The sources, those without ids that the caller may not read now."""
        if principal.kind == "service":
            return sources
        asked = {it.conversation_id for it in sources}
        readable = await self._readable(principal.user_id, principal, asked)
        return [it if it.conversation_id in readable else HIDDEN for it in sources]

    async def _readable(
        self, reader: UserId, principal: Principal, asked: Collection[ConversationId]
    ) -> Collection[ConversationId]:
        """Those of them that they may read; all for nobody in particular."""
        if principal.grant is not None:
            return [ConversationId(principal.grant.conversation_id)]
        if not reader:
            return asked
        there, found = sorted(asked), set[ConversationId]()
        for start in range(0, len(there), AT_ONCE):
            among = there[start : start + AT_ONCE]
            answer = await self._conversations.readable(reader, WorkspaceId(""), among, len(among))
            found.update(answer.conversation_ids)
        return found

    async def _messages(self, sources: Sequence[Source]) -> dict[MessageId, KeptMessage]:
        """The messages; of very long ones an answer has not all, so it is asked again."""
        left = {Place(it.conversation_id, it.message_id) for it in sources}
        kept = dict[MessageId, KeptMessage]()
        while left:
            answer = await self._conversations.messages(sorted(left, key=lambda it: it.message_id))
            kept |= answer.messages
            more = {it for it in left if it.message_id not in kept}
            if len(more) == len(left):
                break
            left = more
        return kept


def _reader(principal: Principal, scope: str) -> UserId:
    """Whose eyes count; "" for anybody's."""
    if principal.kind != "service":
        return principal.user_id
    return UserId(scope.removeprefix(_OWN)) if scope.startswith(_OWN) else UserId("")


def _within(source: Source, text: str) -> bool:
    if source.start == source.end == 0:
        return True
    return 0 <= source.start < source.end <= len(text)


def _invalid(source: Source, why: str) -> DomainError:
    return DomainError(
        Reason.MEMORY_SOURCE_INVALID,
        conversation_id=source.conversation_id,
        message_id=source.message_id,
        why=why,
    )
