"""Puts together what a model is shown, and keeps what it was for who asks later."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from antiphon_server.memory.assembly.older_messages import OlderMessages, tokens_of, told
from antiphon_server.memory.model import (
    Assembly,
    AssemblyWish,
    ConversationId,
    MessageId,
    Newest,
    Place,
    WorkspaceId,
)
from antiphon_server.memory.ports import Assemblies, Conversations, Names
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import not_found

DEFAULT_TOKENS = 4096
MAX_ACTIVE = 10_000
_USER = "users/"
KEPT_US = 30 * 86_400 * 1_000_000


class Assembling:
    """Assembles contexts. What it notes of turns is written behind their backs."""

    def __init__(
        self,
        conversations: Conversations,
        names: Names,
        older: OlderMessages,
        assemblies: Assemblies,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._conversations = conversations
        self._names = names
        self._older = older
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
            newest, window = await self._window(wish, wish.max_tokens)
        by_name = principal.kind == "service"
        items, left_out = await self._older.found(wish, newest, by_name=by_name)
        text = told(items, newest.names)
        tokens = tokens_of(text) if text else 0
        if wish.newest is None and tokens:
            newest, window = await self._window(wish, max(wish.max_tokens - tokens, 1))
        now_us = int(self._clock() * 1e6)
        assembly = Assembly(newest, wish.max_tokens, now_us, items, left_out, text, tokens, window)
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
        if not found.items:
            return found
        places = [Place(conversation_id, it.message_id) for it in found.items]
        kept = (await self._conversations.messages(places)).messages
        names = await self._names_for(principal, conversation_id, [it.author for it in found.items])
        items = [
            replace(
                it,
                text=kept[it.message_id].said.text if it.message_id in kept else "",
                author_name=names.get(it.author, ""),
            )
            for it in found.items
        ]
        return replace(found, items=items)

    async def _names_for(
        self, principal: Principal, conversation_id: ConversationId, authors: Sequence[str]
    ) -> Mapping[str, str]:
        """What authors are called, for users who are more than guests there."""
        if principal.kind != "user":
            return {}
        where = await self._conversations.readable(
            principal.user_id, WorkspaceId(""), [conversation_id], 1
        )
        if conversation_id not in where.conversation_ids or where.as_guest:
            return {}
        people = {UserId(it.removeprefix(_USER)) for it in authors if it.startswith(_USER)}
        found = await self._names.names_of(people)
        return {f"{_USER}{user_id}": name for user_id, name in found.items()}

    async def forget_old(self) -> None:
        """Let go of what nobody can ask for any more."""
        await self._assemblies.forget(int(self._clock() * 1e6) - KEPT_US)

    async def _window(self, wish: AssemblyWish, max_tokens: int) -> tuple[Newest, bytes]:
        found = await self._conversations.window(
            wish.conversation_id, max_tokens, MessageId(wish.answered)
        )
        return found.newest, found.encoded


def _speaks_for(principal: Principal, turn_id: str) -> bool:
    if principal.grant is not None:
        return principal.grant.turn_id == turn_id
    return principal.kind == "service"
