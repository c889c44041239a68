"""How handlers present themselves that workers serve."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from sys import getsizeof

import pytest

from antiphon_server.dispatcher.handling import HandlerInfo
from antiphon_server.runtime.access.principal import UserId, set_principal
from antiphon_server.runtime.errors import Reason
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.adapters.tables import permissions as tables
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.borrowing import ServerLoan
from antiphon_server.workers.frames import Introduction, Offer
from antiphon_server.workers.lending import Borrower
from antiphon_server.workers.model import GLOBAL, HandlerName, Parent, Rollout, SeenVersion
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.presented import Presented
from antiphon_server.workers.session import Session
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite
from tests.workers.stand_ins import LIMITS, PROGRAM, worker_id

HOME, AWAY = Parent("ws_00000001"), Parent("ws_00000002")
ANN = UserId("user_p")


class Accounts:
    """Everybody has one."""

    async def require(self, user_id: UserId) -> None:
        """There is such a user."""


@dataclass
class World:
    """A server's workers, and who may serve what."""

    pool: Pool
    permissions: Permissions
    presented: Presented

    async def allow(self, name: str, parent: Parent = GLOBAL) -> None:
        await self.permissions.allow(parent, HandlerName(name), ANN)

    def info(self, name: str = "it", workspace_id: str = HOME) -> HandlerInfo:
        (found,) = [it for it in self.presented.infos(workspace_id) if it.name == name]
        return found

    def examples(self) -> tuple[str, ...]:
        return self.info().examples


@pytest.fixture
async def world() -> AsyncIterator[World]:
    set_principal(PROGRAM.principal)
    async with opened_sqlite(tables.metadata) as database:
        permissions = Permissions(SqlPermissions(database), Accounts())
        pool = Pool(LIMITS)
        yield World(pool, permissions, Presented(pool, permissions))
        await permissions.close()


def said(
    number: int,
    *examples: str,
    version: str = "",
    parent: str = GLOBAL,
    deployment: str = "it",
    user_id: str = "user_p",
    by_calls: bool = False,
) -> Session:
    """A worker that gives these."""
    offer = Offer("it", f"says {version}", examples=examples)
    worker = Introduction(worker_id(number), user_id, deployment, version, (offer,), 1)
    parents = {"it": frozenset({parent})}
    return Session(worker, parents, PROGRAM, LIMITS, by_calls=by_calls)


def came(*versions: str, deployment: str = "it", first: int = 1) -> list[SeenVersion]:
    """Versions, in the order in which they came."""
    return [
        SeenVersion(GLOBAL, deployment, version, first + at, 1, 1)
        for at, version in enumerate(versions)
    ]


async def test_a_handler_is_known_by_what_its_worker_says(world: World) -> None:
    """Without one, by its name alone."""
    await world.allow("it")
    assert world.info() == HandlerInfo("it", "", world.info().loss_policy, False, False, False)
    world.pool.add(said(1, "pay this", "an invoice"))
    info = world.info()
    assert (info.available, info.examples) == (True, ("pay this", "an invoice"))
    assert info.description == "says "


async def test_each_change_shows_at_once(world: World) -> None:
    """Workers that come, go, and may serve something else; permissions of other workspaces."""
    await world.allow("it")
    one = said(1, "one")
    world.pool.add(one)
    assert world.examples() == ("one",)
    one.parents = {"it": frozenset({AWAY})}
    world.pool.changed(one)
    assert not world.info().available
    await world.allow("it", AWAY)
    assert not world.info().available
    assert world.info(workspace_id=AWAY).examples == ("one",)
    world.pool.remove(one)
    assert not world.info(workspace_id=AWAY).available
    await world.permissions.forbid(GLOBAL, HandlerName("it"), ANN)
    assert world.presented.infos(HOME) == ()


async def test_what_has_not_changed_is_not_found_out_anew(world: World) -> None:
    """Each routed turn asks: of all handlers, or but of those of a worker that has come."""
    await world.allow("it")
    await world.allow("other")
    world.pool.add(said(1, "one"))
    before = world.presented.infos(HOME)
    world.pool.versions.add([])
    assert world.presented.infos(HOME) is before
    world.pool.add(said(2, "two"))
    assert world.info("it") is not before[0]
    assert world.info("other") is before[1]


async def test_the_newest_version_speaks(world: World) -> None:
    """Whoever came last: a version's number is that of its first worker."""
    await world.allow("it")
    world.pool.versions.learn(came("v2", "v1", "v3"), ())
    world.pool.add(said(1, "of v1", version="v1"))
    world.pool.add(said(2, "of v2", version="v2"))
    assert world.examples() == ("of v1",)
    newest = said(3, "of v3", version="v3")
    world.pool.add(newest)
    assert world.examples() == ("of v3",)
    world.pool.remove(newest)
    assert world.examples() == ("of v1",)


async def test_a_rollout_says_whose_words_count(world: World) -> None:
    """Not those of a version that is tried on some conversations, unless no other is there."""
    await world.allow("it")
    seen = came("v1", "v2", "v3")
    world.pool.versions.learn(seen, ())
    workers = [said(it, f"of v{it}", version=f"v{it}") for it in (1, 2, 3)]
    for worker in workers:
        world.pool.add(worker)
    world.pool.versions.learn(seen, [Rollout(GLOBAL, "it", "v1", "v3", 10)])
    assert world.examples() == ("of v1",)
    world.pool.remove(workers[0])
    assert world.examples() == ("of v2",)
    world.pool.remove(workers[1])
    assert world.examples() == ("of v3",)


async def test_of_two_deployments_the_newer_one_speaks(world: World) -> None:
    await world.allow("it")
    seen = [*came("v1"), *came("v1", deployment="other", first=2)]
    world.pool.versions.learn(seen, ())
    world.pool.add(said(2, "of it", version="v1"))
    world.pool.add(said(1, "of the other", version="v1", deployment="other"))
    assert world.examples() == ("of the other",)


async def test_servers_agree_on_workers_of_one_version(world: World) -> None:
    """Which should say one thing: in whichever order they came."""
    await world.allow("it")
    for number in (2, 3, 1):
        world.pool.add(said(number, f"of {number}"))
    assert world.examples() == ("of 3",)


async def test_what_is_known_of_a_worker_elsewhere_is_what_its_server_knows(world: World) -> None:
    """Also when it has changed there; and in memory once, however many workers say it."""
    await world.allow("it")
    there = Pool(LIMITS)
    borrower, loan = Borrower(there, LIMITS), ServerLoan(world.pool, Assignments(), LIMITS)
    there.watchers.add(borrower)

    def carry() -> None:
        while borrower.outgoing._waiting:
            loan._hear(borrower.outgoing._waiting.popleft()[0]())

    one, other = said(1, "pay this"), said(2, "pay this")
    there.add(one)
    there.add(other)
    carry()
    assert world.examples() == ("pay this",)
    first, second = (world.pool.find(it.worker_id) for it in (one, other))
    assert first is not None
    assert second is not None
    assert first.worker.offers[0] is second.worker.offers[0]
    assert one.worker.offers[0] is other.worker.offers[0]
    again = replace(one.worker, offers=(Offer("that"),))  # it has dialled in anew
    there.add(Session(again, {"that": frozenset({GLOBAL})}, PROGRAM, LIMITS))
    carry()
    assert world.info().available
    other.parents = {}
    there.changed(other)
    carry()
    assert not world.info().available


async def test_the_examples_in_memory_are_bounded() -> None:
    """Of a user, and of a server; what several workers say counts once, what is gone not at all."""
    a_kib = "x" * 1024
    size = getsizeof(a_kib)
    limits = replace(LIMITS, examples_of_user=2 * size, examples_of_server=3 * size)
    pool = Pool(limits)
    first = said(1, f"1{a_kib[1:]}")
    for worker in (first, said(2, f"1{a_kib[1:]}"), said(3, f"2{a_kib[1:]}")):
        pool.add(worker)
    with Refused(Reason.LIMIT_EXCEEDED):
        pool.add(said(4, a_kib))
    pool.add(said(5, a_kib, user_id="user_q"))
    with Refused(Reason.LIMIT_EXCEEDED):
        pool.add(said(6, f"3{a_kib[1:]}", user_id="user_r"))
    pool.add(said(7, user_id="user_r"))
    pool.add(said(3, f"4{a_kib[1:]}"))  # it has come back, and says something else
    assert len(pool.sessions) == 5
    with Refused(Reason.LIMIT_EXCEEDED):  # its hello stays in memory
        pool.add(said(8, a_kib, user_id="user_q", by_calls=True))
    for worker in (*pool.sessions, said(8), said(9)):
        pool.add(worker)
    for worker in pool.sessions:
        pool.remove(worker)


async def test_a_message_with_parts_that_nobody_takes_is_refused(world: World) -> None:
    await world.allow("it")
    await world.presented.check(HOME, "it", ["image"])
    world.pool.add(said(1))
    with Refused(Reason.INVALID_ARGUMENT):
        await world.presented.check(HOME, "it", ["image"])
