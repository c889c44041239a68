"""Every store keeps versions of deployments, and counts their turns."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from antiphon.auth.v1.audit_pb2 import RolloutSet
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.model import Outcome, State, Turn
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.workers.adapters.sql_versions import SqlVersions
from antiphon_server.workers.adapters.tables import trail_outbox, versions
from antiphon_server.workers.limits import VersionLimits
from antiphon_server.workers.model import GLOBAL, Begun, Parent, Release, Rollout
from tests.contract.test_turn_store import turn
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, versions.metadata)
HOME = Parent("ws_00000001")
V1, V2 = Release("reviewer", "v1"), Release("reviewer", "v2")


@dataclass
class World:
    """A store, and the time in it."""

    database: Database
    now_us: int = 1000
    store: SqlVersions = field(init=False)
    turns: SqlTurnStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = SqlVersions(self.database, lambda: self.now_us)
        self.turns = SqlTurnStore(self.database)

    async def begin(self, it: Turn, release: Release, parent: Parent = GLOBAL) -> None:
        named = it.turn_id, it.conversation_id, it.attempt
        await self.store.begin(Begun(*named, parent, release))

    async def counted(self) -> dict[Release, int]:
        return dict((await self.store.of(GLOBAL)).turns)

    async def known(self) -> set[Release]:
        return {it.release for it in (await self.store.of(GLOBAL)).seen}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    set_principal(Principal("user", UserId("user_000boss"), SessionId("sess_1")))
    world = World(database)
    yield world
    await world.store.close()
    await world.turns.close()


async def test_a_version_keeps_its_number_and_its_first_time(world: World) -> None:
    """However often it is seen, by however many servers; each parent's is one of its own."""
    (first,) = await world.store.seen([(GLOBAL, V1)])
    world.now_us += 5
    other = SqlVersions(world.database, lambda: world.now_us)
    again = await asyncio.gather(*(other.seen([(GLOBAL, V1), (GLOBAL, V2)]) for _ in range(5)))
    seen = {tuple(sorted((it.version, it.number) for it in each)) for each in again}
    assert len(seen) == 1
    ((one, two),) = seen
    assert one == ("v1", first.number) < two
    assert two[1] > first.number
    stored = {it.release: it for it in (await world.store.of(GLOBAL)).seen}
    assert (stored[V1].first_seen_us, stored[V1].seen_us) == (1000, 1005)
    await world.store.seen([(HOME, V1)])
    assert {it.parent for it in (await world.store.all())[0]} == {GLOBAL, HOME}


async def test_turns_are_counted_until_they_end(world: World) -> None:
    """A parent's alone, by its version; what is stored of a turn meanwhile changes nothing."""
    running = turn(1, state=State.RUNNING, attempt=1)
    ends = turn(2, state=State.RUNNING, attempt=1)
    elsewhere = turn(3, state=State.RUNNING, attempt=1)
    for it in (running, ends, elsewhere, turn(4)):
        await world.turns.add(it)
    for it, parent in ((running, GLOBAL), (ends, GLOBAL), (elsewhere, HOME)):
        await world.begin(it, V1, parent)
    assert await world.counted() == {V1: 2}
    await world.turns.put(ends.ended(Outcome(State.SUCCEEDED), 9, has_reply=True))
    await world.turns.put(running)
    assert await world.counted() == {V1: 1}
    await world.begin(ends, V2)
    await world.begin(running, V2)
    assert await world.counted() == {V2: 1}


async def test_an_attempt_that_was_lost_says_nothing(world: World) -> None:
    """A later one has another version."""
    it = turn(1, state=State.RUNNING, attempt=2)
    await world.turns.add(it)
    await world.begin(it, V2)
    await world.begin(turn(1, attempt=1), V1)
    assert await world.counted() == {V2: 1}


async def test_what_has_neither_workers_nor_turns_is_forgotten(world: World) -> None:
    """So many at a time; who looks at numbers of changes sees it."""
    it = turn(1, state=State.RUNNING, attempt=1)
    await world.turns.add(it)
    await world.store.seen([(GLOBAL, V1), (GLOBAL, V2)])
    await world.begin(it, V1)
    before = await world.store.changes()
    assert await world.store.forget_gone(world.now_us, 10) == 0
    assert await world.store.changes() == before
    assert await world.store.forget_gone(world.now_us + 1, 10) == 1
    assert await world.known() == {V1}
    assert await world.store.changes() > before
    await world.turns.put(it.ended(Outcome(State.SUCCEEDED), 9, has_reply=True))
    assert await world.store.forget_gone(world.now_us + 1, 10) == 1
    assert await world.known() == set()


async def test_versions_come_and_go_without_end(world: World) -> None:
    """One after another: none stays behind, and each is newer than those before."""
    newest = 0
    for at in range(40):
        (seen,) = await world.store.seen([(GLOBAL, Release("reviewer", f"v{at}"))])
        assert seen.number > newest
        newest = seen.number
        world.now_us += 10
        await world.store.forget_gone(world.now_us - 25, 3)
        assert len(await world.known()) <= 3


def _limited(world: World, **limits: int) -> SqlVersions:
    return SqlVersions(world.database, lambda: world.now_us, VersionLimits(**limits))


def _releases(deployment: str, many: int) -> list[tuple[Parent, Release]]:
    return [(GLOBAL, Release(deployment, f"v{at}")) for at in range(many)]


async def _full(store: SqlVersions, limit: str, *keys: tuple[Parent, Release]) -> None:
    with Refused(Reason.LIMIT_EXCEEDED) as refused:
        await store.register(keys)
    assert refused.error.metadata == {"limit": limit}


async def test_a_deployment_has_so_many_versions_that_are_not_gone(world: World) -> None:
    """Those that are known come back; when one is gone there is room; others have their own."""
    store, new = _limited(world, of_deployment=3), (GLOBAL, Release("reviewer", "new"))
    await store.register(_releases("reviewer", 3))
    before = await store.changes()
    await _full(store, "3 versions a deployment", new)
    assert await store.changes() == before  # no server reads anew
    await store.register(_releases("reviewer", 3))
    await store.register([*_releases("linter", 3), (HOME, V1)])
    assert len((await store.of(GLOBAL)).seen) == 6
    world.now_us += 10
    await store.register(_releases("reviewer", 2))
    await store.forget_gone(world.now_us, 100)
    await store.register([new])
    await _full(store, "3 versions a deployment", (GLOBAL, Release("reviewer", "newer")))
    await store.close()


async def test_a_parent_and_an_installation_have_so_many_deployments(world: World) -> None:
    """One that has nothing but a rollout counts, too; what one parent has hurts no other one."""
    store = _limited(world, of_parent=2, of_installation=3)
    await store.register([(GLOBAL, V1), *_releases("linter", 1)])
    await _full(store, "2 deployments a parent", *_releases("other", 1))
    await store.register([(GLOBAL, V2), (HOME, V1)])
    await _full(store, "3 deployments an installation", (HOME, Release("linter", "v1")))
    await store.set(Rollout(GLOBAL, "reviewer", "v1"), "")
    await store.forget_gone(world.now_us + 1, 100)
    await store.register(_releases("linter", 1))
    await _full(store, "2 deployments a parent", *_releases("other", 1))
    await store.register([(GLOBAL, V2)])
    await store.close()


async def test_limits_hold_for_a_server_that_has_read_all(world: World) -> None:
    """It counts only when the numbers of versions say that there may be as many."""
    store = _limited(world, of_deployment=3, of_parent=2)
    await store.register([*_releases("reviewer", 1), *_releases("linter", 1)])
    await store.all()
    await store.register(_releases("reviewer", 2))
    await _full(store, "2 deployments a parent", *_releases("other", 1))
    await store.register(_releases("reviewer", 3))
    await _full(store, "3 versions a deployment", (GLOBAL, Release("reviewer", "new")))
    await store.register(_releases("linter", 3))
    await store.close()


async def test_an_installation_has_so_many_versions(world: World) -> None:
    """Whosoever they are. What is there already is noted, also above that."""
    store = _limited(world, versions=2)
    await store.register([(GLOBAL, V1), (HOME, V1)])
    await _full(store, "2 versions an installation", (GLOBAL, V2))
    assert len(await store.seen([(GLOBAL, V1), (GLOBAL, V2)])) == 2
    await store.close()


async def test_where_one_parent_is_full_the_others_have_the_worker(world: World) -> None:
    """Who fills their own workspace keeps nobody's worker out."""
    store = _limited(world, of_parent=1)
    await store.register([(HOME, Release("filled", "v1"))])
    (seen,) = await store.register([(HOME, V1), (GLOBAL, V1)])
    assert seen.parent == GLOBAL
    await store.close()


async def test_no_two_servers_take_the_last_place(world: World) -> None:
    """However many register at once, one is let in."""
    stores = [_limited(world, of_deployment=1) for _ in range(4)]
    tried = (it.register([(GLOBAL, Release("reviewer", f"v{at}"))]) for at, it in enumerate(stores))
    ends = await asyncio.gather(*tried, return_exceptions=True)
    assert len([it for it in ends if isinstance(it, DomainError)]) == 3
    assert len(await world.known()) == 1
    for it in stores:
        await it.close()


async def test_a_rollout_is_set_once_and_told(world: World) -> None:
    """The same again is nothing, whatever was seen; clearing it is told, too."""
    one, other = Rollout(GLOBAL, "reviewer", "v1", "v2", 25), Rollout(GLOBAL, "reviewer", "v2")
    automatic = Rollout(GLOBAL, "reviewer")
    await world.store.set(one, automatic.etag)
    await world.store.set(one, automatic.etag)
    assert list((await world.store.of(GLOBAL)).rollouts) == [one]
    with Refused(Reason.ETAG_MISMATCH):
        await world.store.set(other, automatic.etag)
    await world.store.set(other, one.etag)
    await world.store.set(automatic, "")
    assert list((await world.store.of(GLOBAL)).rollouts) == []
    waits = await SqlOutbox(world.database, trail_outbox).first(0, 100)
    told = [RecordSecurityEventsRequest.FromString(it.body).events[0] for _, it in waits]
    named = partial(RolloutSet, resource="global", deployment="reviewer")
    assert [it.rollout_set for it in told] == [
        named(current_version="v1", ramping_version="v2", ramping_percent=25),
        named(current_version="v2"),
        named(),
    ]
