"""Every store keeps whiteboards, what their sections were, and what logs are to be told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.memory.adapters.sql_whiteboards import SqlWhiteboards
from antiphon_server.memory.adapters.tables import (
    section_versions,
    sections,
    whiteboard_outbox,
    whiteboards,
)
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard import rules
from antiphon_server.memory.whiteboard.model import (
    DAY_US,
    KEPT_IN_ALL,
    KEPT_VERSIONS,
    UNKEPT_US,
    Change,
    RequestKey,
    Whiteboard,
    Wish,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.model import Entry
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, whiteboards.metadata)
HERE, THERE = ConversationId("conv_00000001"), ConversationId("conv_00000002")
ANN, NOW = "users/user_00000ann", 1_800_000_000_000_000
REQUEST = RequestKey("a" * 64, b"1" * 32, "request-1")


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
        self.relay = TrailRelay(SqlOutbox(self.database, whiteboard_outbox), self.log)
        self.store = SqlWhiteboards(self.database, self.relay)

    async def write(
        self, name: str, text: str, at: int = NOW, request: RequestKey | None = None
    ) -> Whiteboard:
        return await self.store.change(HERE, writing(name, text), at, request)

    async def delete(self, name: str, at: int = NOW) -> Whiteboard:
        return await self.store.change(HERE, lambda it: rules.deleted(it, name, "", ANN), at)

    async def keep(self, at: int = NOW) -> Whiteboard:
        return await self.store.change(HERE, lambda it: rules.kept(it, True, ANN), at)

    async def says(self, at: int = NOW, where: ConversationId = HERE) -> dict[str, str]:
        return {it.name: it.text for it in (await self.store.get(where, at)).sections}

    async def versions(self, name: str = "", before: int = 0, limit: int = 1000) -> list[int]:
        found = await self.store.versions(HERE, name, before, limit, NOW)
        return [it.version for it in found]


@pytest.fixture
async def world(database: Database) -> World:
    return World(database)


def writing(name: str, text: str) -> Callable[[Whiteboard], Change | None]:
    """Has a section say something."""
    wish = Wish(HERE, name, text, False, "", ANN)
    return lambda it: rules.written(it, wish, text)


async def test_what_was_written_is_read(world: World) -> None:
    """In the order in which sections were begun, each with its writer, version and times."""
    await world.write("Plan", "walk\0on", NOW)
    await world.write("Öfen", "zwei", NOW + 1)
    after = await world.write("plan", "run", NOW + 2)
    assert after == await world.store.get(HERE, NOW + 2)
    plan, other = after.sections
    assert (plan.name, plan.text, plan.version, plan.writer) == ("Plan", "run", 3, ANN)
    assert (plan.create_us, plan.update_us, other.name) == (NOW, NOW + 2, "Öfen")
    assert (after.version, after.kept, after.expire_us) == (3, False, NOW + 2 + UNKEPT_US)
    assert plan.etag != other.etag
    assert await world.says(where=THERE) == {}


async def test_the_log_is_told_of_each_change(world: World) -> None:
    """Who, which section, its version and size; of what changes nothing it is told nothing."""
    await world.write("Plan", "wälk")
    await world.write("Plan", "wälk")
    await world.keep()
    await world.delete("Plan")
    await world.delete("Plan")
    events = [it for request in world.log.told for it in request.events]
    changed = [it.whiteboard_changed for it in events]
    assert [(it.section, it.version, it.size_bytes, it.deleted, it.kept) for it in changed] == [
        ("Plan", 1, 5, False, False),
        ("", 2, 0, False, True),
        ("Plan", 3, 0, True, True),
    ]
    assert {it.actor for it in events} == {ANN}
    assert {it.scope for it in world.log.told} == {f"conversations/{HERE}"}


async def test_the_log_is_told_later_if_it_is_away(world: World) -> None:
    """What was answered is told when it is back, once."""
    world.log.away = True
    await world.write("Plan", "walk")
    world.log.away = False
    await world.relay.tell()
    assert len(world.log.told) == 1


async def test_what_is_refused_changes_nothing(world: World) -> None:
    """Also no whiteboard is begun."""

    def refuse(it: Whiteboard) -> Change | None:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit="one")

    with Refused(Reason.LIMIT_EXCEEDED):
        await world.store.change(HERE, refuse, NOW)
    assert await world.store.get(HERE, NOW) == Whiteboard(HERE)
    assert world.log.told == []


async def test_a_request_is_done_once(world: World) -> None:
    """Repeated it has the first answer, for a day; with another text it is refused."""
    after = await world.write("Plan", "one", request=REQUEST)
    await world.write("Plan", "two")
    assert await world.store.answered(REQUEST) == after.section("Plan")
    assert (await world.write("Plan", "one", request=REQUEST)).version == 2
    with Refused(Reason.REQUEST_ID_REUSED):
        await world.store.answered(RequestKey(REQUEST.key, b"2" * 32, "request-1"))
    await world.store.forget(NOW + 2 * DAY_US)
    assert await world.store.answered(REQUEST) is None


async def test_a_request_that_finds_what_it_wants_written_is_done(world: World) -> None:
    """It is answered with what stands there; the log is told of nothing."""
    stands = (await world.write("Plan", "one")).section("Plan")
    told = len(world.log.told)
    await world.store.change(HERE, writing("plan", "one"), NOW, REQUEST, "plan")
    await world.write("Plan", "two")
    assert await world.store.answered(REQUEST) == stands
    assert len(world.log.told) == told + 1


async def test_the_history_has_what_sections_were(world: World) -> None:
    """The newest first, page by page; what was deleted, too."""
    await world.write("Plan", "one")
    await world.write("Other", "x")
    await world.delete("plan")
    found = await world.store.versions(HERE, "PLAN", 0, 10, NOW)
    assert [(it.version, it.text, it.deleted) for it in found] == [(3, "", True), (1, "one", False)]
    assert await world.versions() == [3, 2, 1]
    assert await world.versions(before=3, limit=1) == [2]


async def test_the_history_is_bounded(world: World) -> None:
    """Of a section the newest stay, and of all, whatever they are called."""
    for number in range(KEPT_VERSIONS + 3):
        await world.write("Plan", str(number))
    assert len(await world.versions("Plan")) == KEPT_VERSIONS
    for number in range(KEPT_IN_ALL // 2):
        await world.write(f"n{number}", "x")
        await world.delete(f"n{number}")
    assert len(await world.versions()) == KEPT_IN_ALL
    assert await world.says() == {"Plan": str(KEPT_VERSIONS + 2)}


async def test_what_nobody_keeps_goes(world: World) -> None:
    """At once for who reads and writes, with its history; what is kept stays."""
    first = await world.write("Plan", "one")
    late = NOW + UNKEPT_US
    assert await world.says(late - 1) == {"Plan": "one"}
    assert await world.says(late) == {}
    assert await world.store.versions(HERE, "", 0, 10, late) == []
    again = await world.write("Other", "two", late)
    assert (again.version, await world.says(late)) == (1, {"Other": "two"})
    assert again.sections[0].etag != first.sections[0].etag
    await world.keep(late)
    await world.store.forget(late * 2)
    assert await world.says(late * 2) == {"Other": "two"}


async def test_what_has_expired_is_removed(world: World) -> None:
    """From all tables."""
    await world.write("Plan", "one")
    await world.store.forget(NOW + UNKEPT_US)
    assert await world.store.get(HERE, NOW) == Whiteboard(HERE)


async def test_many_write_at_once(world: World) -> None:
    """Also the very first: each has a version of its own, and none is lost."""
    await asyncio.gather(*(world.write(f"n{number}", "x") for number in range(8)))
    assert sorted(await world.says()) == [f"n{number}" for number in range(8)]
    assert await world.versions() == list(range(8, 0, -1))


async def test_what_a_turn_has_written_is_erased(world: World) -> None:
    """Also where people have left it standing, and in the history; their own lines stay."""
    turn = "turns/turn_00000001"
    await world.write("plan", "bread")

    def by_turn(name: str, text: str) -> Callable[[Whiteboard], Change | None]:
        return lambda it: rules.written(it, Wish(HERE, name, text, False, "", turn), text)

    await world.store.change(HERE, by_turn("plan", "bread\nthe canary"), NOW)
    await world.store.change(HERE, by_turn("all", "the canary alone"), NOW)
    await world.write("plan", "bread\nthe canary\nmilk")
    assert await world.store.erase(HERE, [turn], ANN, NOW)
    assert await world.says() == {"plan": "bread\nmilk"}
    found = await world.store.versions(HERE, "", 0, 100, NOW)
    assert not any("canary" in it.text for it in found)
    assert not await world.store.erase(HERE, [turn], ANN, NOW)
    assert world.log.told[-1].events[0].actor == ANN


async def test_what_has_expired_is_erased_as_well(world: World) -> None:
    """Nobody reads it any more, and it would be removed minutes later: files have it then."""
    turn = "turns/turn_00000001"
    noted = Wish(HERE, "plan", "the canary", False, "", turn)
    await world.store.change(HERE, lambda it: rules.written(it, noted, noted.text), NOW)
    await world.store.erase(HERE, [turn], ANN, NOW + UNKEPT_US)
    tables = whiteboards, sections, section_versions
    count = [select(func.count()).select_from(it) for it in tables]
    left = await world.database.read(lambda it: [it.execute(one).scalar_one() for one in count])
    assert left == [0, 0, 0]


async def test_nothing_is_written_of_what_was_erased_meanwhile(world: World) -> None:
    """Neither by a turn that was, nor by anybody where all of the conversation was."""
    turn = "turns/turn_00000001"
    late = Wish(HERE, "late", "the canary", False, "", turn)
    await world.store.erase(HERE, [turn], ANN, NOW)
    with Refused(Reason.NOT_FOUND):
        await world.store.change(HERE, lambda it: rules.written(it, late, late.text), NOW)
    await world.write("plan", "bread")
    await world.store.remove(HERE, NOW)
    with Refused(Reason.CONVERSATION_ERASED):
        await world.write("plan", "bread")
    assert await world.says() == {}


async def test_what_is_begun_while_all_is_erased_is_gone_as_well(world: World) -> None:
    """Whichever is first: a write is refused, or removed."""
    writes = [world.write(f"n{number}", "x") for number in range(4)]
    await asyncio.gather(
        *writes[:2], world.store.remove(HERE, NOW), *writes[2:], return_exceptions=True
    )
    assert await world.says() == {}
    assert await world.versions() == []
