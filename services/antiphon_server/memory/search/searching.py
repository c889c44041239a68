"""Finds messages: what somebody may read, brought up to now, ranked, and shown."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from antiphon_server.memory.entities.expanding import Expanding, with_other_names
from antiphon_server.memory.index import Hit, PartitionKey, Query
from antiphon_server.memory.model import (
    Answer,
    ConversationId,
    KeptMessage,
    MessageHit,
    MessageId,
    Place,
    Readable,
    SearchWish,
)
from antiphon_server.memory.named import OtherNames
from antiphon_server.memory.ports import Conversations, Names
from antiphon_server.memory.search.library import MESSAGE, Library, conversation_of
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.concurrency.bulkhead import Bounds, Bulkhead, NoPlace
from antiphon_server.runtime.errors import DomainError, Reason

MAX_CONVERSATIONS = 20_000
WAIT_S = 3.0
"""So long an answer waits for conversations that were never searched here."""
MOST = 100
"""Messages that are fetched at once."""
SPARE = 10
"""So many more are ranked where some of them may turn out to be in no prompt."""
BOUNDS = Bounds(calls=16, waiting=256, wait_s=5.0)


class Searching:
    """Searches for whoever asks, in what they may read now."""

    def __init__(
        self,
        conversations: Conversations,
        names: Names,
        library: Library,
        clock: Callable[[], float] = time.time,
        bounds: Bounds = BOUNDS,
        expanding: Expanding | None = None,
    ) -> None:
        """``expanding`` knows other names of what a query names."""
        self._conversations = conversations
        self._names = names
        self._library = library
        self._clock = clock
        self._expanding = expanding
        self._bulkhead = Bulkhead(bounds)

    async def search(self, principal: Principal, wish: SearchWish) -> Answer:
        """The messages that fit best. Raises DomainError OVERLOADED, STORE_UNAVAILABLE."""
        try:
            async with self._bulkhead:
                return await self._search(principal, wish)
        except NoPlace as full:
            raise DomainError(Reason.OVERLOADED, resource="searches", retry_after=1.0) from full

    async def _search(self, principal: Principal, wish: SearchWish) -> Answer:
        for_prompts = principal.kind != "user"
        readable = await self._readable(principal, wish)
        asker = principal.actor
        brought = await self._library.bring_up(readable.conversation_ids, WAIT_S, asker)
        there = brought.conversation_ids
        limit = min(wish.limit * 2 + SPARE, MOST) if for_prompts else wish.limit
        named = await self._named(principal, wish.query, readable)
        ranked = await self._ranked(replace(wish, limit=limit), there, readable, named)
        shown = with_other_names(wish.query, named)
        hits = await self.shown(shown, ranked, readable, for_prompts=for_prompts)
        more = readable.more or brought.left_out > 0
        return Answer(hits[: wish.limit], len(there), brought.pending, more)

    async def _readable(self, principal: Principal, wish: SearchWish) -> Readable:
        """What the caller may read now; the grant of a turn opens its conversation alone.

        A turn's worker learns nobody's name: what it says there guests may read, too. A service
        that works for a turn says in which conversation.
        """
        if principal.grant is not None:
            own = ConversationId(principal.grant.conversation_id)
            asked = not wish.among or own in wish.among
            here = not wish.workspace_id or wish.workspace_id == principal.grant.workspace_id
            opened = [own] if asked and here else []
            return Readable(opened, frozenset(opened))
        if principal.kind != "user":
            opened = list(wish.among) if principal.kind == "service" else []
            return Readable(opened, frozenset(opened))
        return await self._conversations.readable(
            principal.user_id, wish.workspace_id, wish.among, MAX_CONVERSATIONS
        )

    async def _named(
        self, principal: Principal, query: str, readable: Readable
    ) -> Sequence[OtherNames]:
        """What the query calls by another name, as far as the caller may read that."""
        if self._expanding is None:
            return ()
        return await self._expanding.expanded(query, named_in(principal, readable))

    async def _ranked(
        self,
        wish: SearchWish,
        there: Sequence[ConversationId],
        readable: Readable,
        other_names: Sequence[OtherNames],
    ) -> list[Hit]:
        """The best of all; where somebody is a guest, names of speakers tell nothing."""
        query = Query(
            wish.query,
            wish.limit,
            frozenset({MESSAGE}),
            wish.authors,
            wish.not_before_us,
            wish.before_us,
            int(self._clock() * 1e6),
            by_neighbours=False,
            other_names=tuple((it.asked, it.others) for it in other_names),
        )
        keys = {it: PartitionKey(f"conversations/{it}") for it in there}
        named = [key for it, key in keys.items() if it not in readable.as_guest]
        nameless = [key for it, key in keys.items() if it in readable.as_guest]
        return (await ranked(self._library, query, named, nameless))[: wish.limit]

    async def shown(
        self, query: str, ranked: Sequence[Hit], readable: Readable, *, for_prompts: bool = False
    ) -> Sequence[MessageHit]:
        """What was ranked, with what people see of it; what is gone by now is left out."""
        places = [Place(conversation_of(it.partition), MessageId(it.document_id)) for it in ranked]
        kept = await self._conversations.messages(places, in_context=for_prompts)
        names = await self._names_in(kept.messages, readable)
        found = [
            (it, hit)
            for place, hit in zip(places, ranked, strict=True)
            if (it := kept.messages.get(place.message_id)) is not None
        ]
        excerpts = await self._library.excerpts(query, [it.said.text for it, _ in found])
        return [
            MessageHit(
                it.encoded,
                kept.titles.get(it.conversation_id, ""),
                "" if it.conversation_id in readable.as_guest else names.get(it.said.author, ""),
                hit.score,
                hit.parts,
                excerpt,
                it.said.text,
            )
            for (it, hit), excerpt in zip(found, excerpts, strict=True)
        ]

    async def _names_in(
        self, messages: Mapping[MessageId, KeptMessage], readable: Readable
    ) -> Mapping[str, str]:
        """What the authors are called, but for those whom a guest sees alone."""
        authors = {
            it.said.author
            for it in messages.values()
            if it.conversation_id not in readable.as_guest and it.said.author.startswith("users/")
        }
        found = await self._names.names_of([UserId(it.removeprefix("users/")) for it in authors])
        return {f"users/{user_id}": name for user_id, name in found.items()}


async def ranked(
    library: Library, query: Query, named: Sequence[PartitionKey], nameless: Sequence[PartitionKey]
) -> list[Hit]:
    """The best of both, the best first; in the nameless ones names tell nothing.

    They may be twice as many as the query wants.
    """
    hits = await library.ranked(query, named) if named else []
    if nameless:
        hits += await library.ranked(replace(query, by_name=False), nameless)
        hits.sort(key=lambda it: -it.score)
    return hits


def named_in(principal: Principal, readable: Readable) -> Sequence[str]:
    """The scopes whose names a search of the caller's looks at: their own, and what they read."""
    own = [principal.actor] if principal.kind == "user" else []
    workspaces = [f"workspaces/{it}" for it in readable.workspace_ids]
    return [*own, *workspaces, *(f"conversations/{it}" for it in readable.conversation_ids)]
