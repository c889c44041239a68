"""What a person gets of what is remembered: all of it page by page, and what one memory was."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.memories import remembering
from antiphon_server.memory.memories.remembering import Remembering
from antiphon_server.memory.remembered import Kind, Memory
from antiphon_server.runtime.access.principal import UserId
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.context.world import World
from tests.fakes.databases import opened_sqlite
from tests.memory.search_world import person

NOW_US = 1_700_000_000_000_000
NO_RIGHTS: Any = None
"""Nobody forgets anything here."""


@dataclass
class Stage:
    """Memories, and a conversation that is Bob's alone."""

    store: SqlMemories
    remembering: Remembering
    of_bob: str
    number: int = 0

    async def put(self, scope: str, text: str, subject: str = "") -> Memory:
        """Remember something, behind all that was before."""
        self.number += 1
        which = Memory(f"mem_{self.number:08}", scope, Kind.FACT, text, subject=subject)
        return (await self.store.put(replace(which, etag="e"), None)).memory

    async def versions(self, memory: Memory) -> list[str]:
        """What it was, as Ann is told."""
        which = memory.scope, memory.memory_id
        found = await self.remembering.versions(person(ANN), *which, 100, 10)
        return [it.text for it in found]

    async def pages(self, limit: int) -> list[tuple[list[str], str]]:
        """The texts of each page of Ann's, and where it goes on."""
        found, after = list[tuple[list[str], str]](), ""
        while True:
            some, after = await self.remembering.export(person(ANN), UserId(ANN), after, limit)
            found.append(([it.memory.text for it in some], after))
            if not after:
                return found


@pytest.fixture
async def it(world: World) -> AsyncIterator[Stage]:
    made = await world.client(BOB).CreateConversation(CreateConversationRequest())
    conversations = ContextConversations(world.client(SERVICE))
    async with opened_sqlite(metadata) as database:
        store = SqlMemories(database)
        yield Stage(
            store,
            Remembering(store, conversations, NO_RIGHTS, lambda: NOW_US),
            f"conversations/{made.conversation.conversation_id}",
        )


@pytest.mark.parametrize("looked", [3, 500])
async def test_no_page_tells_of_what_may_not_be_read(
    it: Stage, looked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither that there is something, nor its id: others' own, and of where one has no part."""
    monkeypatch.setattr(remembering, "_LOOK", looked)
    for number in range(12):
        await it.put(f"users/{BOB}", f"Ann snores {number}", f"users/{ANN}")
        await it.put(it.of_bob, f"Ann sings {number}", f"users/{ANN}")
    assert await it.pages(1) == [([], "")]
    own = [await it.put(f"users/{ANN}", f"Mine {number}") for number in range(3)]
    for number in range(12):
        await it.put(f"users/{BOB}", f"Ann shouts {number}", f"users/{ANN}")
        await it.put(it.of_bob, f"Ann yells {number}", f"users/{ANN}")
    assert await it.pages(2) == [(["Mine 0", "Mine 1"], own[1].memory_id), (["Mine 2"], "")]
    assert await it.pages(3) == [(["Mine 0", "Mine 1", "Mine 2"], "")]


async def test_who_has_very_much_about_them_comes_to_its_end(
    it: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call looks at so much, and says where it goes on, though it has found nothing."""
    monkeypatch.setattr(remembering, "_LOOKS", 1)
    for number in range(5):
        await it.put(it.of_bob, f"Ann sings {number}", f"users/{ANN}")
    await it.put(f"users/{ANN}", "Mine")
    pages = await it.pages(1)
    assert [texts for texts, _ in pages if texts] == [["Mine"]]
    assert len(pages) < 6


async def test_a_memory_has_room_in_a_page_whatever_it_was(
    it: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more versions than any has now, as older servers kept them, the newest are exported."""
    monkeypatch.setattr(remembering, "_EXPORTED_VERSIONS", 3)
    was = await it.put(f"users/{ANN}", "Number 0")
    for number in range(1, 6):
        now = replace(was, text=f"Number {number}", version=number + 1, etag=f"e{number}")
        assert await it.store.replace(now, was.etag)
        was = now
    (found,), _ = await it.remembering.export(person(ANN), UserId(ANN), "", 1)
    assert [one.text for one in found.versions] == ["Number 4", "Number 3", "Number 2"]


async def test_what_has_expired_has_no_versions(it: Stage) -> None:
    """From that moment on, not from when it is taken away; of others they are told."""
    own = f"users/{ANN}"
    for expire_us, versions in ((None, ["Lyon"]), (NOW_US + 1, ["Lyon"]), (NOW_US, [])):
        was = await it.put(own, "Lyon")
        now = replace(was, text="Nice", version=2, etag="e2", expire_us=expire_us)
        assert await it.store.replace(now, was.etag)
        assert await it.versions(was) == versions
        await it.store.forget(was.memory_id, NOW_US)
