"""Every store keeps what filters said, and what the log is to be told of it."""

from dataclasses import dataclass, field, replace

import pytest

from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.filters.adapters.sql_screenings import KEPT_US, SqlScreenings
from antiphon_server.filters.adapters.tables import log_outbox, screenings
from antiphon_server.filters.model import Action, Origin, Screening, Stage, Verdict
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.model import Entry
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, screenings.metadata)
HOME, AWAY = "ws_00000001", "ws_00000002"
ANN, BOB = "users/user_00000ann", "users/user_00000bob"


@dataclass
class Log:
    """The log, which may be away."""

    away: bool = False
    told: list[AppendRequest] = field(default_factory=list)

    async def record(self, entry: Entry) -> None:
        if self.away:
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="events")
        self.told.append(AppendRequest.FromString(entry.body))


@dataclass
class World:
    """A store, and the log that it tells."""

    database: Database
    log: Log = field(default_factory=Log)

    def __post_init__(self) -> None:
        self.relay = TrailRelay(SqlOutbox(self.database, log_outbox), self.log, name="the log")
        self.store = SqlScreenings(self.database, self.relay)

    async def ids(self, *about: str, before: tuple[int, str] | None = None) -> list[str]:
        workspace_id, author = (*about, "", "")[:2]
        found = await self.store.list(workspace_id, author, before, 100)
        return [it.screening_id for it in found]


@pytest.fixture
async def world(database: Database) -> World:
    return World(database)


def screening(number: int, workspace_id: str = HOME, author: str = ANN) -> Screening:
    """One of a message that went on without what was found."""
    origin = Origin(workspace_id, f"conv_0000000{number}", Stage.MESSAGE, author, "turn_00000001")
    verdict = Verdict("global", "secrets", Action.SANITISE, ("aws_key", "card"), 3)
    failed = Verdict(workspace_id, "far", Action.PASS, failure="DEADLINE_EXCEEDED")
    action = Action.SANITISE
    return Screening(f"scr_0000000{number}", origin, action, False, (verdict, failed), number)


async def test_what_was_said_comes_back(world: World) -> None:
    """And the log of its conversation is told, with who said it."""
    await world.store.add(screening(1))
    assert await world.store.list("", "", None, 10) == [screening(1)]
    [told] = world.log.told
    [event] = told.events
    assert (told.scope, told.request_id) == ("conversations/conv_00000001", "scr_00000001")
    assert (event.actor, event.turn_id) == (ANN, "turn_00000001")
    assert event.content_screened.screening.verdicts[0].categories == ["aws_key", "card"]


async def test_what_is_told_twice_is_kept_once(world: World) -> None:
    """Of two that tell the same the first one counts."""
    await world.store.add(screening(1))
    await world.store.add(replace(screening(1), created_us=5))
    assert await world.store.list("", "", None, 10) == [screening(1)]
    assert len(world.log.told) == 1


async def test_the_log_is_told_when_it_is_back(world: World) -> None:
    """What was kept while it was away is not lost."""
    world.log.away = True
    await world.store.add(screening(1))
    assert world.log.told == []
    world.log.away = False
    await world.store.add(screening(2))
    assert [it.request_id for it in world.log.told] == ["scr_00000001", "scr_00000002"]


async def test_what_belongs_to_no_conversation_is_in_no_log(world: World) -> None:
    """It is listed all the same."""
    origin = replace(screening(1).origin, conversation_id="")
    await world.store.add(replace(screening(1), origin=origin))
    assert world.log.told == []
    assert await world.ids() == ["scr_00000001"]


async def test_they_are_listed_by_workspace_and_author(world: World) -> None:
    """The newest first, and a page goes on behind the one before."""
    for it in (screening(1), screening(2, AWAY), screening(3, author=BOB), screening(4)):
        await world.store.add(it)
    assert await world.ids() == [f"scr_0000000{number}" for number in (4, 3, 2, 1)]
    assert await world.ids(HOME) == ["scr_00000004", "scr_00000003", "scr_00000001"]
    assert await world.ids(HOME, ANN) == ["scr_00000004", "scr_00000001"]
    assert await world.ids("", BOB) == ["scr_00000003"]
    assert await world.ids(before=(3, "scr_00000003")) == ["scr_00000002", "scr_00000001"]


async def test_old_ones_are_forgotten(world: World) -> None:
    """Those of more than 90 days."""
    await world.store.add(screening(1))
    await world.store.add(screening(2))
    await world.store.forget(KEPT_US + 2)
    assert await world.ids() == ["scr_00000002"]
