"""Conversations and callers' roles on them, answered from memory where that can't be wrong."""

import sys
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from antiphon_server.context.model.resources import Conversation, ConversationId, ResourceId
from antiphon_server.context.ports import Records, Store
from antiphon_server.context.service.access import role_that_may
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.policy import NO_ROLE, Held
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.cache.guarded import GuardedCache
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import not_found

T = TypeVar("T")
MAX_BYTES = 16 << 20
_A_CONVERSATION = 1024
"""What one takes in memory besides its texts, in bytes."""


class Directory:
    """Finds conversations for callers.

    Holds up to ``max_bytes`` of memory. All changes of conversations in this process must go
    through :meth:`changing`; where several processes share a store, ``max_bytes`` is 0.
    """

    def __init__(self, store: Store, roles: Roles, max_bytes: int = MAX_BYTES) -> None:
        self._store = store
        self._roles = roles
        self._remembers = max_bytes > 0
        self._held = LruCache[ConversationId, Conversation](max_bytes=max_bytes, size_of=_size)
        self._cache = GuardedCache(self._held, self._read)

    async def find(
        self, principal: Principal, conversation_id: ConversationId, permission: Permission
    ) -> Conversation:
        """The conversation as it is now, if the caller has that permission on it.

        Raises DomainError NOT_FOUND, PERMISSION_DENIED, STORE_UNAVAILABLE.
        """
        conversation, held = await self._look_up(principal, conversation_id)
        if conversation is None:
            raise not_found(conversation_id)
        role_that_may(principal, conversation_id, held, permission)
        return conversation

    async def _look_up(
        self, principal: Principal, conversation_id: ConversationId
    ) -> tuple[Conversation | None, Held]:
        if principal.kind != "user":
            return await self._cache.get(conversation_id), NO_ROLE
        if not self._remembers:  # one query for both
            return await self._store.read(
                lambda records: _both(records, principal.user_id, conversation_id), snapshot=False
            )
        conversation = await self._cache.get(conversation_id)
        if conversation is None:
            return None, NO_ROLE
        held = await self._roles.held(principal.user_id, ResourceId(conversation_id))
        return conversation, held

    async def changing(self, conversation_id: ConversationId, change: Awaitable[T]) -> T:
        """Await a change of the conversation; whoever asks after it gets the new one.

        Must not be cancelled before the change has ended.
        """
        return await self._cache.changing(change, lambda: self._held.pop(conversation_id))

    def noted(self, activities: Mapping[ConversationId, int]) -> None:
        """Conversations were active then: no change that anybody has to wait for."""
        for conversation_id, time_us in activities.items():
            held = self._held.peek(conversation_id)
            if held is not None and held.activity_us < time_us:
                self._held.put(conversation_id, replace(held, activity_us=time_us))

    async def _read(self, conversation_id: ConversationId) -> Conversation | None:
        return await self._store.read(
            lambda r: r.conversations.get(conversation_id), snapshot=False
        )


def _both(
    records: Records, user_id: UserId, conversation_id: ConversationId
) -> tuple[Conversation | None, Held]:
    seen = records.members.seen(user_id, conversation_id)
    if seen is None:
        return None, NO_ROLE
    conversation, roles = seen
    return conversation, roles.held(ResourceId(conversation_id))


def _size(_: ConversationId, it: Conversation) -> int:
    """In bytes: Python gives each character of a text as much as the widest needs."""
    labels = chain.from_iterable(it.labels)
    texts = (it.title, it.instructions, it.language, *it.models, *it.tools, *labels)
    return _A_CONVERSATION + sum(map(sys.getsizeof, texts))
