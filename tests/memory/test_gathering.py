"""Facts are gathered in the background: what costs money is paid once."""

from collections.abc import Collection, Mapping, Sequence

import pytest

from antiphon_server.memory.adapters.sql_extractions import SqlExtractions
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.memories.finding import Found
from antiphon_server.memory.memories.gathering import Gathering
from antiphon_server.memory.model import ConversationId, LogEnd, MessageId, Said, SaidPage
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
ONE, TWO = ConversationId("conv_00000001"), ConversationId("conv_00000002")
FAR_US = 2**62


class Talks:
    """The logs of conversations with three messages each; a cursor is how many were read."""

    def __init__(self) -> None:
        self.read_of: list[ConversationId] = []

    async def end(self, conversation_id: ConversationId) -> LogEnd:
        return LogEnd("3", whole=True)

    async def news(self, cursors: Mapping[ConversationId, str]) -> Collection[ConversationId]:
        return [it for it, cursor in cursors.items() if cursor != "3"]

    async def read(self, conversation_id: ConversationId, cursor: str, limit: int = 0) -> SaidPage:
        self.read_of.append(conversation_id)
        at = int(cursor or 0)
        if at == 3:
            return SaidPage([], "3", at_head=True)
        said = Said(MessageId(f"msg_{at:08}"), "users/user_1", at, f"{conversation_id} {at}")
        return SaidPage([said], str(at + 1), at_head=at == 2)


class Paid:
    """A finder that costs money, and meanwhile has others do something."""

    at_once, costs = 1, True

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.rests = False
        self.resting: set[ConversationId] = set()

    def rests_for(self, conversation_id: ConversationId) -> bool:
        return self.rests or conversation_id in self.resting

    async def found(self, conversation_id: ConversationId, said: Sequence[Said]) -> Found:
        self.shown += [it.text for it in said]
        await self.meanwhile()
        return ()

    async def meanwhile(self) -> None:
        """Nothing, here."""


class World:
    """What is known, and a server that reads it."""

    def __init__(self, database: Database) -> None:
        self.store, self.logs, self.finder = SqlExtractions(database), Talks(), Paid()
        self.gathering = self.server(self.finder)

    def server(self, finder: Paid) -> Gathering:
        """One more server."""
        return Gathering(self.logs, finder, self.store, lambda: [ONE, TWO])


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_what_another_server_has_read_meanwhile_is_not_paid_again(world: World) -> None:
    """A round may take minutes; that its cursors were read then is of no matter."""

    class Slow(Paid):
        async def meanwhile(self) -> None:
            if len(self.shown) == 1:
                await world.gathering.gather()  # another server: it reads all but this one

    slow = Slow()
    await world.server(slow).gather()
    every = [f"{it} {n}" for it in (ONE, TWO) for n in range(3)]
    assert sorted(slow.shown + world.finder.shown) == every


async def test_a_claim_that_was_lost_is_left_to_whom_it_is_now(world: World) -> None:
    """What is being asked then is asked once more at most."""

    class Late(Paid):
        async def meanwhile(self) -> None:
            if self.shown[-1].startswith(ONE):  # as if it had taken very long
                await world.store.claim(ONE, FAR_US, FAR_US + 1)

    late = Late()
    await world.server(late).gather()
    assert [it for it in late.shown if it.startswith(ONE)] == [f"{ONE} 0"]
    assert not await world.store.claim(ONE, FAR_US, FAR_US + 2)


async def test_a_conversation_that_rests_is_neither_claimed_nor_read(world: World) -> None:
    """The others are, and it is in its turn."""
    world.finder.resting = {ONE}
    await world.gathering.gather()
    assert set(world.logs.read_of) == {TWO}
    world.finder.resting = set()
    await world.gathering.gather()
    assert set(world.logs.read_of) == {ONE, TWO}


async def test_while_all_rest_nothing_is_read(world: World) -> None:
    """From the failure on, and in the rounds after it."""

    class Away(Paid):
        async def meanwhile(self) -> None:
            self.rests = True
            raise DomainError(Reason.MODEL_UNAVAILABLE)

    away = Away()
    server = world.server(away)
    await server.gather()
    await server.gather()
    assert (len(away.shown), len(world.logs.read_of)) == (1, 1)
