"""The rules of whiteboards, on the real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from antiphon_server.memory.adapters.sql_whiteboards import SqlWhiteboards
from antiphon_server.memory.adapters.tables import metadata, whiteboard_outbox
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard.model import (
    MOST_OF_SECTION,
    MOST_SECTIONS,
    Place,
    RequestKey,
    Wish,
)
from antiphon_server.memory.whiteboard.whiteboards import TRIES, Whiteboards
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.trail.model import Entry
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite

HERE = ConversationId("conv_00000001")
PLAN = Wish(HERE, "Plan", "one", False, "", "users/user_00000ann")
REQUEST = RequestKey("a" * 64, b"1" * 32, "request-1")


class Log:
    """Takes what it is told."""

    async def record(self, entry: Entry) -> None:
        """Take it."""


@dataclass
class Conversations:
    """One conversation, whose filters look at what is written."""

    archived: bool = False
    filtered: bool = False
    looked: list[str] = field(default_factory=list)

    async def place(self, conversation_id: ConversationId) -> Place:
        return Place("ws_00000001", self.archived, self.filtered)

    async def screened(self, place: Place, wish: Wish, text: str) -> str:
        self.looked.append(text)
        if "forbidden" in text:
            raise DomainError(Reason.CONTENT_BLOCKED, filter="words", categories="term")
        return text.replace("secret", "[term]")


class Overtaken(Conversations):
    """Somebody else appends while filters look."""

    def __init__(self, whiteboards: "list[Whiteboards]", times: int) -> None:
        super().__init__(filtered=True)
        self._whiteboards, self._times = whiteboards, times

    async def screened(self, place: Place, wish: Wish, text: str) -> str:
        if self._times:
            self._times -= 1
            other = self._whiteboards[0]
            await other.write(replace(PLAN, text=f"other {self._times}", appends=True))
        return text


@dataclass
class World:
    """Whiteboards over a store, and the conversations that they ask."""

    store: SqlWhiteboards
    conversations: Conversations

    def __post_init__(self) -> None:
        self.whiteboards = Whiteboards(self.store, self.conversations)

    async def text(self) -> str:
        """What the plan says."""
        found = (await self.whiteboards.get(HERE)).section("Plan")
        return found.text if found is not None else ""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with opened_sqlite(metadata) as database:
        relay = TrailRelay(SqlOutbox(database, whiteboard_outbox), Log())
        yield World(SqlWhiteboards(database, relay), Conversations())


async def test_etags_say_what_was_read(world: World) -> None:
    """Another one, or one where nothing is, is refused; what it says already is no change."""
    write = world.whiteboards.write
    first = await write(replace(PLAN, etag="none"))
    await write(replace(PLAN, text="two", etag=first.etag))
    with Refused(Reason.ETAG_MISMATCH):
        await write(replace(PLAN, text="three", etag=first.etag))
    with Refused(Reason.ETAG_MISMATCH):
        await write(replace(PLAN, text="three", etag="none"))
    with Refused(Reason.ETAG_MISMATCH):
        await write(replace(PLAN, name="Other", etag=first.etag))
    with Refused(Reason.ETAG_MISMATCH):
        await world.whiteboards.delete(HERE, "Plan", first.etag, "users/user_00000bob")
    assert (await write(replace(PLAN, text="two", etag=first.etag))).version == 2
    assert await world.text() == "two"


async def test_limits(world: World) -> None:
    """Of sections, of one's size, also by appending, and of all together."""
    write = world.whiteboards.write
    full = "ü" * (MOST_OF_SECTION // 2)
    await write(replace(PLAN, text=full))
    with Refused(Reason.LIMIT_EXCEEDED):
        await write(replace(PLAN, text="x", appends=True))
    for name in "ABC":
        await write(replace(PLAN, name=name, text=full))
    with Refused(Reason.LIMIT_EXCEEDED):
        await write(replace(PLAN, name="D", text="x"))
    await write(replace(PLAN, text=""))
    for number in range(MOST_SECTIONS - 4):
        await write(replace(PLAN, name=str(number), text=""))
    with Refused(Reason.LIMIT_EXCEEDED):
        await write(replace(PLAN, name="one more", text=""))


async def test_what_is_appended_stands_in_its_own_line(world: World) -> None:
    """Once for each request, however often it comes."""
    write = world.whiteboards.write
    more = replace(PLAN, text="two", appends=True)
    await write(replace(PLAN, appends=True))
    first = await write(more, REQUEST)
    await write(replace(PLAN, text="three", appends=True))
    assert await write(more, REQUEST) == first
    assert await world.text() == "one\ntwo\nthree"


async def test_a_request_that_changed_nothing_is_done_once_as_well(world: World) -> None:
    """Its repetition overwrites nobody who has written since, and is answered as it was."""
    write = world.whiteboards.write
    await write(PLAN)
    first = await write(PLAN, REQUEST)
    await write(replace(PLAN, text="two", writer="users/user_00000bob"))
    assert await write(PLAN, REQUEST) == first
    assert await world.text() == "two"
    with Refused(Reason.REQUEST_ID_REUSED):
        await write(PLAN, replace(REQUEST, digest=b"2" * 32))


async def test_an_archived_conversation_takes_nothing(world: World) -> None:
    """It is still read."""
    await world.whiteboards.write(PLAN)
    world.conversations.archived = True
    with Refused(Reason.CONVERSATION_ARCHIVED):
        await world.whiteboards.write(replace(PLAN, text="two"))
    with Refused(Reason.CONVERSATION_ARCHIVED):
        await world.whiteboards.delete(HERE, "Plan", "", PLAN.writer)
    with Refused(Reason.CONVERSATION_ARCHIVED):
        await world.whiteboards.keep(HERE, True, PLAN.writer)
    assert await world.text() == "one"


async def test_filters_look_at_the_whole_section(world: World) -> None:
    """So nothing is written in two pieces; a repetition is not looked at again."""
    there = world.conversations
    there.filtered = True
    await world.whiteboards.write(replace(PLAN, text="a secret"), REQUEST)
    await world.whiteboards.write(replace(PLAN, text="a secret"), REQUEST)
    assert (await world.text(), there.looked) == ("a [term]", ["a secret"])
    with Refused(Reason.CONTENT_BLOCKED):
        await world.whiteboards.write(replace(PLAN, text="forbidden", appends=True))
    assert there.looked[-1] == "a [term]\nforbidden"
    assert await world.text() == "a [term]"


@pytest.mark.parametrize("times", [1, TRIES])
async def test_who_appends_at_once_loses_nothing(world: World, times: int) -> None:
    """It is tried again on what stands there then, some times."""
    overtaken = World(world.store, Overtaken([world.whiteboards], times))
    await world.whiteboards.write(PLAN)
    wish = replace(PLAN, text="mine", appends=True)
    if times == TRIES:
        with Refused(Reason.ETAG_MISMATCH):
            await overtaken.whiteboards.write(wish)
        assert (await world.text()).count("other") == TRIES
    else:
        await overtaken.whiteboards.write(wish)
        assert await world.text() == "one\nother 0\nmine"
