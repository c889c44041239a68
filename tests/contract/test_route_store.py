"""Every store keeps the rules of routes, and what they were."""

import asyncio
from dataclasses import dataclass, field

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from antiphon.auth.v1.audit_pb2 import RoutesSet
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.routing.adapters.sql_routes import CODEC
from antiphon_server.routing.adapters.tables import tables, trail_outbox
from antiphon_server.routing.model import Classifier, Match, Rule
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.revisions.model import GLOBAL, Revision
from antiphon_server.runtime.revisions.sql import KEPT, SqlRevisions
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, tables.revisions.metadata)
HOME, AWAY = "ws_00000001", "ws_00000002"
ECHO = Rule("echoed", handler="echo")
EXPERTS = Rule(
    "experts",
    priority=-7,
    match=Match(
        types=("", "form"),
        media_types=("image/*",),
        metadata={"tone": "*"},
        labels={"team": "münchen"},
        languages=("pt", "pt-BR"),
        senders=("users/user_0000000ann",),
        workspaces=(HOME,),
        text_patterns=("(?i)factura|فاتورة",),
    ),
    classifier=Classifier(("bills", "law"), 0.25, 0.125),
    fallback="assistant",
)
BOSS = Principal("user", UserId("user_000boss"), SessionId("sess_1"))


@dataclass
class World:
    """A store, and the time in it."""

    database: Database
    now_us: int = 1000
    store: SqlRevisions[Rule] = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.other()

    def other(self) -> SqlRevisions[Rule]:
        """Another server's."""
        return SqlRevisions(self.database, tables, CODEC, lambda: self.now_us)

    async def put(
        self, *rules: Rule, parent: str = HOME, expected: int | None = None
    ) -> Revision[Rule]:
        return await self.store.put(parent, rules, "", expected)

    async def numbers(self, before: int = 0, limit: int = 1000) -> list[int]:
        return [it.number for it in await self.store.revisions(HOME, before, limit)]

    async def told(self) -> list[RoutesSet]:
        """What waits for the audit trail."""
        waits = await SqlOutbox(self.database, trail_outbox).first(0, 1000)
        requests = [RecordSecurityEventsRequest.FromString(it.body) for _, it in waits]
        return [each.routes_set for it in requests for each in it.events]


@pytest.fixture
async def world(database: Database) -> World:
    set_principal(BOSS)
    return World(database)


def _numbered(number: int) -> Rule:
    return Rule(f"rule-{number}", handler="echo")


async def test_rules_come_back_as_they_were_set(world: World) -> None:
    """With who set them, when and why; a parent's alone."""
    assert await world.store.get(HOME) is None
    stored = await world.store.put(HOME, [EXPERTS, ECHO], "für alle", None)
    assert stored == Revision(HOME, 1, (EXPERTS, ECHO), "users/user_000boss", 1000, "für alle")
    assert await world.store.get(HOME) == await world.store.get(HOME, 1) == stored
    assert await world.store.get(HOME, 2) is None
    assert await world.store.get(AWAY) is None


async def test_revisions_count_those_of_each_parent(world: World) -> None:
    """Also where its rules were emptied between."""
    numbers = [(await world.put(*rules)).number for rules in ([ECHO], [EXPERTS], [], [ECHO])]
    assert numbers == [1, 2, 3, 4]
    assert (await world.put(ECHO, parent=GLOBAL)).number == 1
    assert await world.numbers() == [4, 3, 2, 1]


async def test_the_same_rules_are_no_change(world: World) -> None:
    """Whatever was expected and however they are explained; another order is another thing."""
    first = await world.store.put(HOME, [ECHO, EXPERTS], "one", None)
    changes = await world.store.changes()
    world.now_us += 1
    assert await world.store.put(HOME, [ECHO, EXPERTS], "two", None) == first
    assert await world.put(ECHO, EXPERTS, expected=77) == first
    assert await world.put(parent=AWAY) == Revision(AWAY)
    assert await world.store.changes() == changes
    assert len(await world.told()) == 1
    assert (await world.put(EXPERTS, ECHO)).number == 2
    assert await world.store.changes() != changes


async def test_who_has_seen_others_is_refused(world: World) -> None:
    """Nothing is stored or told then; 0 is that of rules that nobody has set."""
    with Refused(Reason.ETAG_MISMATCH):
        await world.put(ECHO, expected=1)
    await world.put(ECHO, expected=0)
    for stale in (0, 2):
        with Refused(Reason.ETAG_MISMATCH):
            await world.put(EXPERTS, expected=stale)
    assert await world.numbers() == [1]
    assert len(await world.told()) == 1
    assert (await world.put(EXPERTS, expected=1)).number == 2


async def test_who_set_at_once_have_numbers_of_their_own(world: World) -> None:
    """Of one parent and of others, at several servers; every change is noticed and told."""
    stores = [world.other() for _ in range(4)]
    before = await world.store.changes()
    await asyncio.gather(
        *(
            it.put(parent, [_numbered(at)], "", None)
            for at, it in enumerate(stores * 4)
            for parent in (HOME, AWAY)
        )
    )
    assert sorted(await world.numbers()) == list(range(1, 17))
    assert await world.store.changes() == before + 32
    told = [(it.resource, it.revision) for it in await world.told()]
    wanted = [(parent, n) for parent in (HOME, AWAY) for n in range(1, 17)]
    assert sorted(told) == sorted((f"workspaces/{parent}", n) for parent, n in wanted)


async def test_of_two_that_have_seen_the_same_one_is_refused(world: World) -> None:
    """The other's rules stand."""
    await world.put(ECHO)
    tried = (world.other().put(HOME, [_numbered(at)], "", 1) for at in range(6))
    ends = await asyncio.gather(*tried, return_exceptions=True)
    (won,) = [it for it in ends if isinstance(it, Revision)]
    lost = [it.reason for it in ends if isinstance(it, DomainError)]
    assert lost == [Reason.ETAG_MISMATCH] * 5
    assert await world.store.get(HOME) == won
    assert won.number == 2


async def test_the_newest_hundred_are_kept(world: World) -> None:
    """Of each parent; numbers go on."""
    await world.put(ECHO, parent=AWAY)
    for at in range(KEPT + 3):
        await world.put(_numbered(at))
    assert await world.numbers() == list(range(KEPT + 3, 3, -1))
    assert await world.store.get(HOME, 3) is None
    assert (await world.store.get(HOME, 4) or Revision(HOME)).rules == (_numbered(3),)
    assert await world.store.get(AWAY, 1) is not None


async def test_history_is_read_by_pages(world: World) -> None:
    """The newest first, without rules, which nobody reads for that."""
    for at in range(5):
        await world.put(_numbered(at))
    assert await world.numbers(limit=2) == [5, 4]
    assert await world.numbers(before=4, limit=2) == [3, 2]
    assert await world.numbers(before=2, limit=2) == [1]
    assert await world.numbers(before=1) == []
    assert {it.rules for it in await world.store.revisions(HOME, 0, 9)} == {()}
    said: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await world.numbers()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    (asked,) = [it for it in said if "dispatcher_routes" in it]
    assert "dispatcher_routes.rules" not in asked


async def test_emptied_rules_stand_no_more(world: World) -> None:
    """Of many parents, those stand whose newest rules are not empty, whatever there was before."""
    for at in range(40):
        parent = f"ws_{at:08}"
        await world.put(ECHO, parent=parent)
        if at % 2:
            await world.put(EXPERTS, parent=parent)
        if at % 4 == 1:
            await world.put(parent=parent)
    wanted = {f"ws_{at:08}": 1 + at % 2 for at in range(40) if at % 4 != 1}
    assert await world.store.newest() == wanted
    await world.put(ECHO, parent="ws_00000001")
    assert (await world.store.newest())["ws_00000001"] == 4


async def test_a_change_is_told_once_with_who_made_it(world: World) -> None:
    await world.put(ECHO, parent=GLOBAL)
    await world.put(ECHO, parent=GLOBAL)
    await world.put(parent=GLOBAL)
    told = await world.told()
    assert told == [RoutesSet(resource=GLOBAL, revision=number) for number in (1, 2)]
    waits = await SqlOutbox(world.database, trail_outbox).first(0, 1000)
    requests = [RecordSecurityEventsRequest.FromString(it.body) for _, it in waits]
    assert {it.events[0].actor for it in requests} == {"users/user_000boss"}
