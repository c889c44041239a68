"""What was made of messages that are erased: forgotten, or made anew of what stays."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from antiphon_server.memory.memories.finding import Finder
from antiphon_server.memory.model import ConversationId, MessageId, Place
from antiphon_server.memory.ports import Conversations, MemoryStore
from antiphon_server.memory.remembered import Memory, Origin, Source

BATCH = 50
REFUSED_US = 24 * 3600 * 1_000_000
"""So long it is known that nothing is to be made of a message: whoever has read it is done then."""
_CHARACTERS = 200
"""So long what is kept of a fact's topic and value is at most."""
Key = tuple[str, str, str]
"""What a fact says: topic, value, hold."""


@dataclass(frozen=True, slots=True)
class Made:
    """A memory that comes from an erased message; ``key`` is what rules know of it."""

    memory: Memory
    key: Key | None


class SourceStore(Protocol):
    """Memories by their sources. Everything raises DomainError if the store can't be used."""

    async def close(
        self, conversation_id: ConversationId, those: Collection[MessageId], now_us: int
    ) -> None:
        """Let nothing be put any more that comes from these; what was put before is found."""
        ...

    async def made_of(
        self, conversation_id: ConversationId, those: Collection[MessageId], limit: int
    ) -> Sequence[Made]:
        """Some that come from these messages, and from others; none if there are none."""
        ...

    async def close_whole(self, conversation_id: ConversationId, now_us: int) -> None:
        """The same of all messages of a conversation, and of its own memories, for good."""
        ...

    async def sources_in(
        self, conversation_id: ConversationId, limit: int
    ) -> Collection[MessageId]:
        """Some messages of a conversation that something comes from; none if nothing does."""
        ...

    async def of(self, scope: str, limit: int) -> Sequence[str]:
        """Ids of some memories of a scope, or about them, that say something still."""
        ...

    async def forget_rule(self, scope: str) -> None:
        """Forget by which rule a scope is pruned."""
        ...

    async def settle(self, before: Memory, after: Memory | None, now_us: int, actor: str) -> bool:
        """Let ``after`` be what is left of a memory, or nothing; its versions go.

        Nothing is left of one, either, that says what another one says. What is forgotten is told
        to the audit trail. False if it is not as it was ``before``; then nothing has changed.
        """
        ...

    async def forget(self, before_us: int) -> None:
        """Forget which messages were erased before then."""
        ...


class Forgetting:
    """Forgets what comes from messages. May be repeated; raises DomainError until it is done.

    Files have what was forgotten until they are scrubbed.
    """

    def __init__(
        self,
        store: SourceStore,
        memories: MemoryStore,
        conversations: Conversations,
        rules: Finder,
    ) -> None:
        self._store, self._memories = store, memories
        self._conversations, self._rules = conversations, rules

    async def forget(
        self, conversation_id: ConversationId, those: Collection[MessageId], actor: str
    ) -> None:
        """Return when nothing that comes from these alone is remembered, in any version."""
        if not those:
            return
        now_us, gone = time.time_ns() // 1000, frozenset(those)
        await self._store.close(conversation_id, gone, now_us)
        while made := await self._store.made_of(conversation_id, gone, BATCH):
            for it in made:
                after = await self._left(it, conversation_id, gone)
                await self._store.settle(it.memory, after, now_us, actor)

    async def forget_scope(self, scope: str, actor: str) -> None:
        """Return when nothing is remembered there, of the person, or of what was said there."""
        now_us = time.time_ns() // 1000
        kind, _, own = scope.partition("/")
        here = ConversationId(own)
        if kind in ("conversations", "workspaces"):
            await self._store.close_whole(here, now_us)
        await self._store.forget_rule(scope)
        while those := await self._store.of(scope, BATCH):
            for memory_id in those:
                await self._memories.forget(memory_id, now_us, actor)
        while kind == "conversations" and (gone := await self._store.sources_in(here, BATCH)):
            await self.forget(here, gone, actor)

    async def forget_old(self) -> None:
        """Let go of which messages were erased, where nobody can have read them before."""
        await self._store.forget(time.time_ns() // 1000 - REFUSED_US)

    async def _left(
        self, made: Made, conversation_id: ConversationId, gone: Collection[MessageId]
    ) -> Memory | None:
        """What is left of one without those sources; None if that is nothing."""
        memory = made.memory
        stay = tuple(
            it
            for it in memory.sources
            if it.conversation_id != conversation_id or it.message_id not in gone
        )
        if not stay or memory.origin is Origin.MODEL:
            return None
        if memory.origin is Origin.RULES:
            return await self._anew(memory, made.key, stay)
        return replace(memory, sources=stay)

    async def _anew(self, memory: Memory, key: Key | None, stay: Sequence[Source]) -> Memory | None:
        """What rules find of it in the sources that stay: the words may have been another's."""
        places = list(dict.fromkeys(Place(it.conversation_id, it.message_id) for it in stay))
        kept = (await self._conversations.messages(places)).messages
        said = [each.said for each in kept.values()]
        for _, it in await self._rules.found(stay[0].conversation_id, said):
            found = (it.topic[:_CHARACTERS], it.value[:_CHARACTERS], it.hold.value)
            if found == key and it.subject == memory.subject:
                return replace(
                    memory,
                    text=it.text,
                    entities=tuple(it.entities),
                    valid_from_us=it.valid_from_us or None,
                    sources=tuple(s for s in stay if s.message_id in kept),
                )
        return None
