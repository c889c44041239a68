"""The rules of memories: how they are put, read, corrected and forgotten."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from antiphon_server.memory.memories.sources import AT_ONCE, Sources
from antiphon_server.memory.model import ConversationId, WorkspaceId
from antiphon_server.memory.ports import Conversations, MemoryStore, Rights
from antiphon_server.memory.remembered import (
    MOST_VERSIONS,
    Kind,
    ListWish,
    Memory,
    Origin,
    Put,
    Request,
    State,
    as_of,
)
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found

_CONVERSATION, _WORKSPACE = "conversations/", "workspaces/"


_LOOKS, _LOOK = 40, 500
"""How often, and at how many, an export looks at most for what may be read."""
_EXPORTED_VERSIONS = MOST_VERSIONS + 20
"""None has more but those of older servers; with all of them it has room in an answer."""


class Exported(NamedTuple):
    """A memory with what it was before, the newest first."""

    memory: Memory
    versions: Sequence[Memory]


def _now_us() -> int:
    return time.time_ns() // 1000


class Remembering:
    """Puts, reads, corrects and forgets memories; that callers may in the scope was asked before.

    Each call raises DomainError as the contract says.
    """

    def __init__(
        self,
        store: MemoryStore,
        conversations: Conversations,
        rights: Rights,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._store, self._conversations, self._rights = store, conversations, rights
        self._sources, self._now_us = Sources(conversations), now_us

    async def put(self, principal: Principal, said: Memory, request: Request | None) -> Put:
        """Remember what was said, once."""
        if request is not None and (before := await self._store.made_by(request)) is not None:
            return await self._shown_put(principal, before)
        now_us = self._now_us()
        memory = replace(
            said,
            memory_id=new_id("mem"),
            text=said.text.strip(),
            creator=principal.actor,
            etag=new_id("etag"),
            create_us=now_us,
            update_us=now_us,
        )
        _check(memory, now_us)
        _check_provenance(principal, memory)
        await self._sources.check(principal, memory)
        return await self._shown_put(principal, await self._store.put(memory, request))

    async def get(self, principal: Principal, scope: str, memory_id: str) -> Memory:
        """One as it is."""
        (shown,) = await self._sources.shown(principal, [await self._found(scope, memory_id)])
        return shown

    async def list(
        self, principal: Principal, wish: ListWish, before: str, limit: int
    ) -> Sequence[Memory]:
        """Those of a scope behind an id, the newest first; none that has expired."""
        found = await self._store.list(wish, before, limit, self._now_us())
        return await self._sources.shown(principal, found)

    async def update(
        self,
        principal: Principal,
        scope: str,
        memory_id: str,
        corrected: Callable[[Memory], Memory],
        seen: str,
    ) -> Memory:
        """Correct one of that etag, or whatever it is."""
        before, now_us = await self._found(scope, memory_id), self._now_us()
        after = corrected(before)
        after = replace(after, text=after.text.strip())
        if after == before:
            return await self.get(principal, scope, memory_id)
        if before.state is not State.ACTIVE:
            raise DomainError(
                Reason.MEMORY_NOT_ACTIVE, memory_id=memory_id, superseded_by=before.superseded_by
            )
        if seen not in ("", before.etag):
            raise DomainError(Reason.ETAG_MISMATCH, resource=memory_id)
        after = replace(
            after,
            origin=Origin.PERSON if principal.kind == "user" else before.origin,
            version=before.version + 1,
            etag=new_id("etag"),
            update_us=now_us,
            updater=principal.actor,
        )
        _check(after, now_us)
        if not await self._store.replace(after, before.etag):
            raise DomainError(Reason.ETAG_MISMATCH, resource=memory_id)
        (shown,) = await self._sources.shown(principal, [after])
        return shown

    async def forget(self, principal: Principal, memory_id: str) -> Memory:
        """Take away what it says, for who may write there, or whom it is about."""
        found = await self._store.get(memory_id)
        if found is None:
            raise not_found(memory_id)
        try:
            await self._rights.check_write(principal, found.scope)
        except DomainError as error:
            if error.reason is Reason.NOT_FOUND:  # nor may they know whose it is
                raise not_found(memory_id) from None
            is_theirs = found.subject == principal.actor or found.state is State.FORGOTTEN
            if error.reason is not Reason.PERMISSION_DENIED or not is_theirs:
                raise
        left = await self._store.forget(memory_id, self._now_us())
        await self._store.scrub()
        if left is None:
            raise not_found(memory_id)
        return left

    async def versions(
        self, principal: Principal, scope: str, memory_id: str, before: int, limit: int
    ) -> Sequence[Memory]:
        """What it was before that version, the newest first; nothing of what has expired."""
        now = await self._found(scope, memory_id)
        if now.state is State.FORGOTTEN:  # though its rows may be there for a moment
            return []
        found = await self._store.versions(memory_id, before, limit)
        return await self._sources.shown(principal, found)

    async def export(
        self, principal: Principal, user_id: UserId, after: str, limit: int
    ) -> tuple[Sequence[Exported], str]:
        """All that is remembered of a person behind an id, by id; and where it goes on, "" if not.

        What they may not read is passed over, and no place where it goes on tells of that, but
        behind many thousands of those.
        """
        if not user_id:
            raise invalid("user_id", "whose memories; a service has none of its own")
        those, next_after = await self._about(user_id, after, limit)
        every = await self._store.versions_of([it.memory_id for it in those if it.version > 1])
        versions = {it: some[:_EXPORTED_VERSIONS] for it, some in every.items()}
        return await self._exported(principal, those, versions), next_after

    async def _about(self, user_id: UserId, after: str, limit: int) -> tuple[Sequence[Memory], str]:
        """So many that they may read, and the id behind which there are more, "" if none are."""
        own, now_us, looked = f"users/{user_id}", self._now_us(), limit + 1
        those, readable, asked = list[Memory](), {own}, {own}
        for _ in range(_LOOKS):
            found = await self._store.about(own, after, looked)
            new = {it.scope for it in found} - asked
            readable.update(await self._readable(user_id, new))
            asked |= new
            those += [it for it in found if it.scope in readable and not it.expired(now_us)]
            if len(those) > limit:
                return those[:limit], those[limit - 1].memory_id
            if len(found) < looked:
                return those, ""
            after, looked = found[-1].memory_id, min(2 * looked, _LOOK)
        return those, after

    async def _exported(
        self,
        principal: Principal,
        memories: Sequence[Memory],
        versions: Mapping[str, Sequence[Memory]],
    ) -> Sequence[Exported]:
        """With the sources that the reader may read, in all their versions."""
        every = [version for it in memories for version in (it, *versions.get(it.memory_id, ()))]
        exported = list[Exported]()
        shown = iter(await self._sources.shown(principal, every))
        for it in memories:
            memory = next(shown)
            earlier = [next(shown) for _ in versions.get(it.memory_id, ())]
            exported.append(Exported(memory, earlier))
        return exported

    async def _readable(self, user_id: UserId, scopes: Collection[str]) -> Collection[str]:
        """Those of them that are of workspaces and conversations that the user may read."""
        among = sorted(
            ConversationId(it.removeprefix(_CONVERSATION))
            for it in scopes
            if it.startswith(_CONVERSATION)
        )
        found = set[str]()
        for start in range(0, len(among) or bool(scopes), AT_ONCE):
            some = among[start : start + AT_ONCE]
            answer = await self._conversations.readable(
                user_id, WorkspaceId(""), some, len(some) or 1
            )
            found.update(_CONVERSATION + it for it in answer.conversation_ids)
            found.update(_WORKSPACE + it for it in answer.workspace_ids)
        return found

    async def _found(self, scope: str, memory_id: str) -> Memory:
        found = await self._store.get(memory_id)
        if found is None or found.scope != scope:
            raise not_found(memory_id)
        return as_of(found, self._now_us())

    async def _shown_put(self, principal: Principal, put: Put) -> Put:
        (shown,) = await self._sources.shown(principal, [put.memory])
        return replace(put, memory=shown)


def _check(memory: Memory, now_us: int) -> None:
    if not memory.text:
        raise invalid("memory.text", "what is to be remembered")
    if memory.kind is Kind.NONE:
        raise invalid("memory.kind", "FACT, PREFERENCE, EVENT or NOTE")
    begins, ends = memory.valid_from_us, memory.valid_until_us
    if begins is not None and ends is not None and ends < begins:
        raise invalid("memory.valid_until", "not before valid_from")
    if memory.expired(now_us):
        raise invalid("memory.expire_time", "a time to come")


def _check_provenance(principal: Principal, memory: Memory) -> None:
    """What no person says themselves says where it is from."""
    by_person = principal.kind == "user" and memory.origin is Origin.PERSON
    if not by_person and not memory.sources:
        raise invalid("memory.sources", "where it comes from: no person has put it")
    if principal.kind == "grant" and memory.origin is Origin.PERSON:
        raise invalid("memory.origin", "RULES or MODEL, since a turn's worker is no person")
