"""Every store keeps which users' workers may serve what, and the rules keep to it."""

import asyncio

import pytest

from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import Reason, not_found
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.adapters.tables import permissions, trail_outbox
from antiphon_server.workers.model import GLOBAL, MOST_PERMISSIONS, HandlerName, Parent
from antiphon_server.workers.permissions import Permissions
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, permissions.metadata)
HOME, AWAY = Parent("ws_00000001"), Parent("ws_00000002")
REVIEWER, SEARCH = HandlerName("reviewer"), HandlerName("search")
ANN, BOB, NOBODY = UserId("user_00000ann"), UserId("user_00000bob"), UserId("user_0nobody")
BOSS = Principal("user", UserId("user_000boss"), SessionId("sess_1"))


class Accounts:
    """Everybody has one, but for one."""

    async def require(self, user_id: UserId) -> None:
        if user_id == NOBODY:
            raise not_found(f"user {user_id}")


def _server(database: Database) -> Permissions:
    return Permissions(SqlPermissions(database), Accounts(), ["assistant", "echo"])


@pytest.fixture
async def here(database: Database) -> Permissions:
    set_principal(BOSS)
    server = _server(database)
    await server.refresh()
    return server


async def _told(database: Database) -> list[SecurityEvent]:
    """What waits for the audit trail."""
    waits = await SqlOutbox(database, trail_outbox).first(0, 1000)
    return [RecordSecurityEventsRequest.FromString(it.body).events[0] for _, it in waits]


async def test_whose_it_is_may_serve_it_there(here: Permissions) -> None:
    """In that workspace alone, and whoever may everywhere, in all."""
    await here.allow(HOME, REVIEWER, ANN)
    await here.allow(AWAY, REVIEWER, ANN)
    await here.allow(GLOBAL, SEARCH, BOB)
    names = [REVIEWER, SEARCH]
    assert await here.parents(ANN, names) == {REVIEWER: {HOME, AWAY}, SEARCH: set()}
    assert await here.parents(BOB, names) == {REVIEWER: set(), SEARCH: {GLOBAL}}


async def test_a_workspaces_own_stands_before_the_installations(here: Permissions) -> None:
    """Another workspace has the installation's; a name that nobody may serve is nobody's."""
    await here.allow(GLOBAL, REVIEWER, BOB)
    await here.allow(HOME, REVIEWER, ANN)
    assert await here.parent_of(HOME, REVIEWER) == HOME
    assert await here.parent_of(AWAY, REVIEWER) == GLOBAL
    assert await here.parent_of(HOME, SEARCH) is None
    await here.forbid(HOME, REVIEWER, ANN)
    assert await here.parent_of(HOME, REVIEWER) == GLOBAL
    await here.forbid(GLOBAL, REVIEWER, BOB)
    assert await here.parent_of(HOME, REVIEWER) is None


async def test_without_a_workspace_it_is_the_installations_if_no_workspace_has_one(
    here: Permissions,
) -> None:
    """Of a conversation that is to be made it is not known where."""
    assert await here.parent_of("", REVIEWER) is None
    await here.allow(GLOBAL, REVIEWER, BOB)
    assert await here.parent_of("", REVIEWER) == GLOBAL
    await here.allow(HOME, REVIEWER, ANN)
    assert await here.parent_of("", REVIEWER) is None


async def test_another_workspaces_is_nobodys_here(here: Permissions) -> None:
    """A workspace's own handler is its alone."""
    await here.allow(AWAY, REVIEWER, ANN)
    assert await here.parent_of(HOME, REVIEWER) is None
    assert [await here.known(it) for it in (REVIEWER, SEARCH)] == [True, False]


async def test_repeated_nothing_changes(here: Permissions, database: Database) -> None:
    """Since when it is so, who said so, and what the audit trail is told."""
    await here.allow(HOME, REVIEWER, ANN)
    first, version = await here.listed(HOME, ("", ""), 10), here.version
    await here.allow(HOME, REVIEWER, ANN)
    assert await here.listed(HOME, ("", ""), 10) == first
    assert first[0].creator == "users/user_000boss"
    for _ in range(2):
        await here.forbid(HOME, REVIEWER, ANN)
    assert here.version == version + 1
    told = await _told(database)
    assert [it.WhichOneof("detail") for it in told] == ["worker_allowed", "worker_forbidden"]
    assert {(it.actor, it.user_id) for it in told} == {("users/user_000boss", ANN)}
    assert told[0].worker_allowed.resource == "workspaces/ws_00000001"
    assert told[0].worker_allowed.handler == told[1].worker_forbidden.handler == "reviewer"


async def test_what_is_built_in_is_no_workers(here: Permissions, database: Database) -> None:
    """Whoever asks, and wherever; nothing is stored of it."""
    for parent in (HOME, GLOBAL):
        with Refused(Reason.INVALID_ARGUMENT):
            await here.allow(parent, HandlerName("assistant"), ANN)
    assert await here.listed(HOME, ("", ""), 10) == []
    assert await _told(database) == []


async def test_who_has_no_account_has_no_workers(here: Permissions) -> None:
    """Though one who had is still forbidden."""
    with Refused(Reason.NOT_FOUND):
        await here.allow(HOME, REVIEWER, NOBODY)
    await here.forbid(HOME, REVIEWER, NOBODY)


async def test_a_parent_has_200(here: Permissions) -> None:
    """The 201st is refused, one that is there is not; another parent has room."""
    for number in range(MOST_PERMISSIONS - 1):
        await here.allow(HOME, HandlerName(f"h-{number:03}"), ANN)
    ways = [here.allow(HOME, HandlerName(f"last-{n}"), BOB) for n in range(4)]
    ends = await asyncio.gather(*ways, return_exceptions=True)
    assert sum(it is None for it in ends) == 1, "at once, too"
    with Refused(Reason.LIMIT_EXCEEDED):
        await here.allow(HOME, REVIEWER, ANN)
    await here.allow(HOME, HandlerName("h-000"), ANN)
    await here.allow(GLOBAL, REVIEWER, ANN)
    await here.forbid(HOME, HandlerName("h-000"), ANN)
    await here.allow(HOME, REVIEWER, ANN)


async def test_they_are_listed_by_handler_and_user(here: Permissions) -> None:
    """From behind any of them; no other parent's."""
    wanted = [(REVIEWER, ANN), (REVIEWER, BOB), (SEARCH, ANN)]
    for handler, user_id in reversed(wanted):
        await here.allow(HOME, handler, user_id)
    await here.allow(AWAY, REVIEWER, ANN)
    listed = await here.listed(HOME, ("", ""), 10)
    assert [(it.handler, it.user_id) for it in listed] == wanted
    assert await here.listed(HOME, (REVIEWER, ANN), 1) == listed[1:2]
    assert await here.listed(HOME, (REVIEWER, BOB), 9) == listed[2:]


async def test_another_server_knows_within_a_second(here: Permissions, database: Database) -> None:
    """Those who wait for a change there are woken: that somebody is forbidden ends their work."""
    there = _server(database)
    await there.refresh()
    looking = asyncio.create_task(there.run())
    try:
        seen = there.version
        await here.allow(HOME, REVIEWER, ANN)
        async with asyncio.timeout(1):
            seen = await there.changed(seen)
        assert await there.parent_of(HOME, REVIEWER) == HOME
        await here.forbid(HOME, REVIEWER, ANN)
        async with asyncio.timeout(1):
            await there.changed(seen)
        assert await there.parents(ANN, [REVIEWER]) == {REVIEWER: set()}
    finally:
        looking.cancel()


async def test_what_was_allowed_is_known_after_a_start(
    here: Permissions, database: Database
) -> None:
    """Whoever allowed it, and before anybody changes something again."""
    await here.allow(GLOBAL, SEARCH, BOB)
    later = _server(database)
    await later.refresh()
    assert await later.parent_of(AWAY, SEARCH) == GLOBAL


class Slow(SqlPermissions):
    """Stores as ever, and answers when it may."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.stored, self.may_answer = asyncio.Event(), asyncio.Event()

    async def add(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        await super().add(parent, handler, user_id)
        self.stored.set()
        await self.may_answer.wait()


async def test_who_hangs_up_has_allowed_it(database: Database) -> None:
    """Stored it is: a server that is alone with its store looks at no other time."""
    store = Slow(database)
    server = Permissions(store, Accounts())
    await server.refresh()
    calling = asyncio.create_task(server.allow(HOME, REVIEWER, ANN))
    await store.stored.wait()
    calling.cancel()
    await asyncio.wait([calling])
    store.may_answer.set()
    await server.close()
    assert await server.parent_of(HOME, REVIEWER) == HOME
