"""Recalls what helps with a query: messages and memories, ranked together, within a budget."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from antiphon_server.memory.entities.expanding import Expanding, with_other_names
from antiphon_server.memory.external.model import Answered
from antiphon_server.memory.index import Hit, PartitionKey, Query, asks_for_nothing
from antiphon_server.memory.memories.sources import Sources
from antiphon_server.memory.model import (
    Brought,
    ConversationId,
    Readable,
    RecallWish,
    WorkspaceId,
)
from antiphon_server.memory.named import OtherNames
from antiphon_server.memory.ports import Conversations, MemoryStore
from antiphon_server.memory.remembered import State
from antiphon_server.memory.search.external_hits import ExternalHits
from antiphon_server.memory.search.library import MESSAGE, Library
from antiphon_server.memory.search.recalled import Recalled, by_score
from antiphon_server.memory.search.searching import (
    BOUNDS,
    MAX_CONVERSATIONS,
    WAIT_S,
    Searching,
    ranked,
)
from antiphon_server.memory.search.shelf import Shelf, is_of_memories, key_of
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.concurrency.bulkhead import Bulkhead, NoPlace
from antiphon_server.runtime.encoding.token_estimate import tokens_of_text
from antiphon_server.runtime.errors import DomainError, Reason, invalid

MOST_RANKED = 100
_ALL = WorkspaceId("")
_CONVERSATION, _WORKSPACE, _USER = "conversations/", "workspaces/", "users/"


@dataclass(frozen=True, slots=True)
class Recollection:
    """What was recalled, and what was not looked at, or had no room."""

    recalled: Sequence[Recalled]
    left_out: int
    searched: int
    pending: int
    more: bool
    external: Answered = Answered.NOT_ASKED


@dataclass(frozen=True, slots=True)
class _Where:
    """What is searched: conversations, and scopes of memories; of those the asker's ``own``."""

    readable: Readable
    scopes: Sequence[str]
    own: Sequence[str]


class Recalling:
    """Recalls for whoever asks, in what they may read now; with what ``external`` finds, if any."""

    def __init__(
        self,
        conversations: Conversations,
        store: MemoryStore,
        library: Library,
        shelf: Shelf,
        searching: Searching,
        clock: Callable[[], float] = time.time,
        external: ExternalHits | None = None,
        expanding: Expanding | None = None,
    ) -> None:
        """``expanding`` knows other names of what a query names."""
        self._conversations, self._store, self._external = conversations, store, external
        self._library, self._shelf, self._searching = library, shelf, searching
        self._sources, self._clock = Sources(conversations), clock
        self._bulkhead = Bulkhead(BOUNDS)
        self._expanding = expanding

    async def recall(self, principal: Principal, wish: RecallWish) -> Recollection:
        """What fits best. Raises DomainError OVERLOADED, STORE_UNAVAILABLE, INVALID_ARGUMENT."""
        try:
            async with self._bulkhead:
                return await self._recall(principal, wish)
        except NoPlace as full:
            raise DomainError(Reason.OVERLOADED, resource="searches", retry_after=1.0) from full

    async def _recall(self, principal: Principal, wish: RecallWish) -> Recollection:
        where = await self._where(principal, wish)
        scopes = where.scopes if wish.kinds != {MESSAGE} else ()
        if asks_for_nothing(wish.query):
            found, more = await self._most_important(principal, wish, where, scopes)
            if found:
                recalled, left_out = _within(found, wish)
                return Recollection(recalled, left_out, searched=0, pending=0, more=more)
        asked: Sequence[ConversationId] = ()
        brought = Brought(())
        if not wish.kinds or MESSAGE in wish.kinds:
            asked = where.readable.conversation_ids
            brought = await self._library.bring_up(asked, WAIT_S, principal.actor)
        there = brought.conversation_ids
        async with self._shelf.opened(scopes, WAIT_S) as shelved:
            found, external = await self._found(principal, wish, where, there, shelved.scopes)
        recalled, left_out = _within(found, wish)
        more = where.readable.more or brought.left_out > 0 or shelved.more
        return Recollection(recalled, left_out, len(there), brought.pending, more, external)

    async def _most_important(
        self, principal: Principal, wish: RecallWish, where: _Where, scopes: Sequence[str]
    ) -> tuple[Sequence[Recalled], bool]:
        """What matters most to the asker, or in the scopes that they name; and if there is more."""
        own = where.own if not wish.scopes else scopes
        async with self._shelf.opened([it for it in scopes if it in own], WAIT_S) as shelved:
            ranked = await self._shelf.worthiest(self._query(wish), shelved.scopes)
        return await self._shown(principal, wish, ranked, where.readable), shelved.more

    async def _found(
        self,
        principal: Principal,
        wish: RecallWish,
        where: _Where,
        there: Sequence[ConversationId],
        scopes: Sequence[str],
    ) -> tuple[Sequence[Recalled], Answered]:
        """What the index has, and what a memory of others adds while that is looked for."""
        if self._external is None:
            return await self._own(principal, wish, where, there, scopes), Answered.NOT_ASKED
        async with self._external.asked(wish, scopes) as asking:
            found = await self._own(principal, wish, where, there, scopes)
            if asking is None:
                return found, Answered.NOT_ASKED
            heard = await asking.heard()
            joined = await self._external.joined(principal, wish, scopes, found, heard.hits)
            return joined, heard.answered

    async def _own(
        self,
        principal: Principal,
        wish: RecallWish,
        where: _Where,
        there: Sequence[ConversationId],
        scopes: Sequence[str],
    ) -> Sequence[Recalled]:
        """What the index has, by all names of what the query names."""
        named: Sequence[OtherNames] = ()
        if self._expanding is not None:
            named = await self._expanding.expanded(wish.query, where.scopes)
        ranked = await self._ranked(wish, there, scopes, where.readable, named)
        told = replace(wish, query=with_other_names(wish.query, named))
        return await self._shown(principal, told, ranked, where.readable)

    async def _where(self, principal: Principal, wish: RecallWish) -> _Where:
        """What they may read of what is asked for; the grant of a turn opens its conversation."""
        if principal.grant is not None:
            own = ConversationId(principal.grant.conversation_id)
            scope = _CONVERSATION + own
            is_asked = not wish.scopes or scope in wish.scopes
            opened = [own] if is_asked else []
            # A turn's worker learns nobody's name: what it says there guests may read, too.
            scopes = [scope] if is_asked else []
            return _Where(Readable(opened, frozenset(opened)), scopes, own=scopes)
        is_service = principal.kind == "service"
        user_id = UserId(wish.user_id) if is_service else principal.user_id
        if not user_id:
            raise invalid("user_id", "for whom; a service recalls nothing for itself")
        readable = await self._readable(user_id, wish.scopes)
        scopes = [_USER + user_id]
        scopes += (_WORKSPACE + it for it in readable.workspace_ids)
        scopes += (_CONVERSATION + it for it in readable.conversation_ids)
        if wish.scopes:
            inside = set(wish.scopes).union(_CONVERSATION + it for it in readable.conversation_ids)
            scopes = [it for it in scopes if it in inside]
        return _Where(readable, scopes, own=[_USER + user_id])

    async def _readable(self, user_id: UserId, scopes: Sequence[str]) -> Readable:
        """The conversations and workspaces that they may read, of those that are named if any."""
        if not scopes:
            return await self._asked(user_id)
        among = [
            ConversationId(it.removeprefix(_CONVERSATION))
            for it in scopes
            if it.startswith(_CONVERSATION)
        ]
        named = [it.removeprefix(_WORKSPACE) for it in scopes if it.startswith(_WORKSPACE)]
        found = [await self._asked(user_id, among=among)] if among else []
        found += [await self._asked(user_id, WorkspaceId(it)) for it in named]
        conversations = dict.fromkeys(it for each in found for it in each.conversation_ids)
        return Readable(
            list(conversations)[:MAX_CONVERSATIONS],
            frozenset(it for each in found for it in each.as_guest),
            any(each.more for each in found) or len(conversations) > MAX_CONVERSATIONS,
            [it for each in found for it in each.workspace_ids if it in named],
        )

    async def _asked(
        self,
        user_id: UserId,
        workspace_id: WorkspaceId = _ALL,
        among: Sequence[ConversationId] = (),
    ) -> Readable:
        return await self._conversations.readable(user_id, workspace_id, among, MAX_CONVERSATIONS)

    async def _ranked(
        self,
        wish: RecallWish,
        there: Sequence[ConversationId],
        scopes: Sequence[str],
        readable: Readable,
        other_names: Sequence[OtherNames],
    ) -> list[Hit]:
        """The best of all; where somebody is a guest, names tell nothing."""
        query = self._query(wish, other_names)
        as_guest = {_CONVERSATION + it for it in readable.as_guest}
        parts = [(_CONVERSATION + it, PartitionKey(_CONVERSATION + it)) for it in there]
        parts += ((it, key_of(it)) for it in scopes)
        named = [key for scope, key in parts if scope not in as_guest]
        nameless = [key for scope, key in parts if scope in as_guest]
        return await ranked(self._library, query, named, nameless)

    def _query(self, wish: RecallWish, other_names: Sequence[OtherNames] = ()) -> Query:
        return Query(
            wish.query,
            MOST_RANKED if wish.max_tokens else min(2 * wish.limit, MOST_RANKED),
            wish.kinds,
            wish.people,
            wish.not_before_us,
            wish.before_us,
            int(self._clock() * 1e6),
            other_names=tuple((it.asked, it.others) for it in other_names),
        )

    async def _shown(
        self, principal: Principal, wish: RecallWish, ranked: Sequence[Hit], readable: Readable
    ) -> Sequence[Recalled]:
        """What was ranked, the best first; what is gone by now is left out."""
        said = [it for it in ranked if not is_of_memories(it.partition)]
        kept = {it.document_id: it for it in ranked if is_of_memories(it.partition)}
        for_prompts = principal.grant is not None
        messages = await self._searching.shown(
            wish.query, said[:MOST_RANKED], readable, for_prompts=for_prompts
        )
        there = (await self._store.those(list(kept))).values() if kept else ()
        now_us = int(self._clock() * 1e6)
        in_use = [it for it in there if it.state is State.ACTIVE and not it.expired(now_us)]
        memories = await self._sources.shown(principal, in_use)
        found = [Recalled(it, it.score, it.parts, tokens_of_text(it.text)) for it in messages]
        for it in memories:
            hit = kept[it.memory_id]  # type: ignore[index]
            found.append(Recalled(it, hit.score, hit.parts, tokens_of_text(it.text)))
        return sorted(found, key=by_score)


def _within(found: Sequence[Recalled], wish: RecallWish) -> tuple[Sequence[Recalled], int]:
    """As many as are wanted and have room, none twice; and how many had none."""
    recalled, left, left_out = list[Recalled](), wish.max_tokens, 0
    for it in _different(found):
        if len(recalled) == wish.limit:
            break
        if wish.max_tokens and it.tokens > left:
            left_out += 1
            continue
        left -= it.tokens
        recalled.append(it)
    return recalled, left_out


def _different(found: Sequence[Recalled]) -> Iterator[Recalled]:
    """Of those that say the same the first."""
    said = set[str]()
    for it in found:
        text = " ".join(it.item.text.casefold().split())
        if text not in said:
            said.add(text)
            yield it
