"""Puts together what a model is shown, and keeps what it was for who asks later."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from antiphon_server.memory.assembled import Assembly
from antiphon_server.memory.assembly.contributing import Asked
from antiphon_server.memory.assembly.contributions import Beside, Contributions
from antiphon_server.memory.model import (
    AssemblyWish,
    ConversationId,
    MessageId,
    Newest,
    Window,
    WorkspaceId,
)
from antiphon_server.memory.ports import Assemblies, Conversations
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import not_found

DEFAULT_TOKENS = 4096
MAX_ACTIVE = 10_000
KEPT_US = 30 * 86_400 * 1_000_000


class Assembling:
    """Assembles contexts. What it notes of turns is written behind their backs."""

    def __init__(
        self,
        conversations: Conversations,
        contributions: Contributions,
        assemblies: Assemblies,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._conversations = conversations
        self._contributions = contributions
        self._assemblies = assemblies
        self._clock = clock
        self._active = LruCache[ConversationId, bool](MAX_ACTIVE)

    @property
    def active(self) -> Collection[ConversationId]:
        """The conversations in which turns began here, the newest of many."""
        return [it for it, _ in self._active.items()]

    async def assemble(self, principal: Principal, wish: AssemblyWish) -> Assembly:
        """What is shown. Raises DomainError NOT_FOUND, STORE_UNAVAILABLE."""
        wish = replace(wish, max_tokens=wish.max_tokens or DEFAULT_TOKENS)
        newest, window = wish.newest, b""
        if newest is None:
            found = await self._window(wish, wish.max_tokens)
            newest, window = found.newest, found.encoded
        beside = await self._contributions.beside(_asked(principal, wish, newest))
        if beside.tokens and newest.tokens + beside.tokens > wish.max_tokens:
            found = await self._window(wish, max(wish.max_tokens - beside.tokens, 1))
            newest, window = found.newest, found.encoded
        assembly = self._assembly(wish, newest, beside, window)
        if wish.turn_id and _speaks_for(principal, wish.turn_id):
            self._active.put(wish.conversation_id, True)
            self._assemblies.keep(wish.conversation_id, wish.turn_id, assembly)
        return assembly

    async def explain(
        self, principal: Principal, conversation_id: ConversationId, turn_id: str
    ) -> Assembly:
        """What a turn's model was shown, its texts as they are now. Raises NOT_FOUND."""
        found = await self._assemblies.find(conversation_id, turn_id)
        if found is None:
            raise not_found(turn_id)
        items = await self._contributions.explained(principal, conversation_id, found.items)
        return replace(found, items=items)

    async def forget_old(self) -> None:
        """Let go of what nobody can ask for any more."""
        await self._assemblies.forget(int(self._clock() * 1e6) - KEPT_US)

    async def _window(self, wish: AssemblyWish, max_tokens: int) -> Window:
        return await self._conversations.window(
            wish.conversation_id, max_tokens, MessageId(wish.answered)
        )

    def _assembly(
        self, wish: AssemblyWish, newest: Newest, beside: Beside, window: bytes
    ) -> Assembly:
        now_us = int(self._clock() * 1e6)
        return Assembly(
            newest,
            wish.max_tokens,
            now_us,
            beside.items,
            beside.left_out,
            beside.texts,
            beside.tokens,
            window,
        )


def _asked(principal: Principal, wish: AssemblyWish, newest: Newest) -> Asked:
    """With the whole budget as room."""
    is_service = principal.kind == "service"
    return Asked(
        principal,
        wish.conversation_id,
        wish.query,
        newest,
        UserId(wish.user_id) if is_service else principal.user_id,
        WorkspaceId(wish.workspace_id if is_service else ""),
        room=wish.max_tokens,
    )


def _speaks_for(principal: Principal, turn_id: str) -> bool:
    if principal.grant is not None:
        return principal.grant.turn_id == turn_id
    return principal.kind == "service"
