"""What waits for webhooks is posted when it is due, to as many at once as there are places."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from antiphon.dispatcher.v1.webhook_pb2 import Webhook as Said
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.sql_deliveries import SqlDeliveries
from antiphon_server.notifying.delivering import CLAIM_US, SEEN, Delivering
from antiphon_server.notifying.encoding import new_webhook
from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    DisabledReason,
    Due,
    Outcome,
    State,
    Webhook,
)
from antiphon_server.notifying.places import OF_CREATOR, OF_HOST, OF_WEBHOOK
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.contract.test_webhook_store import ANN, DUE_US, World, turn
from tests.fakes.databases import opened_sqlite

PATIENCE_S = 10.0
SECRET = MasterSecret(b"s" * 32)


class Away(SqlDeliveries):
    """Deliveries in a store that is away as often as it is told to be."""

    away = 0

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database, sealing)
        self.claimed: list[str] = []

    async def claim(self, wanted: Sequence[Due], now_us: int, until_us: int) -> Sequence[Claimed]:
        found = await super().claim(wanted, now_us, until_us)
        self.claimed += [it.webhook.webhook_id for it in found]
        return found

    async def release_all(self, now_us: int) -> None:
        if self.away:
            self.away -= 1
            raise DomainError(Reason.STORE_UNAVAILABLE)
        await super().release_all(now_us)


@dataclass
class Receivers:
    """Those that webhooks lead to: each waits until it may answer; and who may know of what."""

    answers: asyncio.Event = field(default_factory=asyncio.Event)
    posted: list[str] = field(default_factory=list)
    some: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Outcome = Outcome.TAKEN
    disabled: bool = False
    away: Reason | None = None

    async def post(self, webhook: Webhook, notification_id: str, body: bytes) -> Attempt:
        self.posted.append(webhook.webhook_id)
        self.some.set()
        await self.answers.wait()
        return Attempt(self.outcome)

    async def check(self, owner: str, url: str) -> None: ...

    def host(self, url: str) -> str:
        return url.split("/")[2]

    async def may_act(self, owner: str) -> bool:
        if self.away is not None:
            raise DomainError(self.away)
        return not self.disabled

    async def may_read(self, owner: str, conversation_id: str) -> bool:
        return True


@dataclass
class Stage:
    """A server that posts, whose clock stands still."""

    database: Database
    at: Receivers = field(default_factory=Receivers)
    now_us: int = DUE_US

    def __post_init__(self) -> None:
        self.world = World(self.database, SECRET)
        self.store = Away(self.database, Sealing(SECRET))
        self.delivering = Delivering(self.store, self.at, self.at, lambda: self.now_us)

    async def posts(self) -> None:
        """Once, until all that is begun has ended."""
        self.at.answers.set()
        await self.delivering.look()
        await self.delivering.close()

    async def states(self, webhook_id: str = "wh_00000001") -> list[tuple[State, Outcome]]:
        """What has become of its deliveries."""
        found = await self.store.list(webhook_id, None, None, 100)
        return [(it.state, it.outcome) for it in found]


@pytest.fixture
async def it() -> AsyncIterator[Stage]:
    async with opened_sqlite(metadata) as database:
        yield Stage(database)


async def test_what_an_earlier_life_had_claimed_is_due_though_the_store_is_away_at_first(
    it: Stage,
) -> None:
    await it.world.hook()
    await it.world.told(turn())
    due = await it.store.due(DUE_US, (), (), (), 10)
    assert len(await it.store.claim(due, DUE_US, DUE_US + CLAIM_US)) == 1
    it.store.away = 1
    running = asyncio.ensure_future(it.delivering.run(alone=True))
    it.at.answers.set()
    async with asyncio.timeout(PATIENCE_S):
        await it.at.some.wait()
    running.cancel()
    await asyncio.wait({running})
    await it.delivering.close()
    assert await it.states() == [(State.DELIVERED, Outcome.TAKEN)]


async def test_who_may_know_no_more_is_posted_nothing_also_of_what_was_tried_before(
    it: Stage,
) -> None:
    await it.world.hook()
    await it.world.told(turn())
    it.at.outcome = Outcome.REFUSED
    await it.posts()
    assert await it.states() == [(State.WAITING, Outcome.REFUSED)]
    it.at.disabled, it.now_us = True, DUE_US + 6_000_000
    await it.posts()
    assert await it.states() == [(State.FAILED, Outcome.ACCESS_LOST)]
    assert len(it.at.posted) == 1
    hook = await it.world.hooks.get(ANN, "wh_00000001")
    assert hook is not None
    assert hook.disabled is DisabledReason.NONE


async def test_where_nobody_knows_who_may_it_is_tried_when_its_claim_lapses(it: Stage) -> None:
    await it.world.hook()
    await it.world.told(turn())
    it.at.away = Reason.SERVICE_UNAVAILABLE
    await it.posts()
    it.at.away = None
    await it.posts()
    assert it.at.posted == []
    it.now_us += CLAIM_US
    await it.posts()
    assert await it.states() == [(State.DELIVERED, Outcome.TAKEN)]


async def test_a_backlog_is_claimed_as_it_gets_places(it: Stage) -> None:
    """Each delivery once: what has no place is not written."""
    await it.world.hook()
    await it.world.told(*(turn(number) for number in range(1, 31)))
    await it.delivering.look()
    assert len(it.store.claimed) == it.delivering.under_way == OF_WEBHOOK
    for _ in range(10):
        await it.posts()
    assert len(it.at.posted) == len(it.store.claimed) == 30
    assert set(await it.states()) == {(State.DELIVERED, Outcome.TAKEN)}


async def test_one_tenants_dead_path_slows_no_other_one_at_the_same_host(it: Stage) -> None:
    """It has one place itself, however much there is for it."""
    await it.world.hook(1)
    await it.world.told(turn())
    it.at.outcome = Outcome.TIMEOUT
    await it.posts()
    it.at.answers.clear()
    it.store.claimed.clear()
    it.at.outcome = Outcome.TAKEN
    await it.world.told(*(turn(number) for number in range(2, 400)))
    await it.world.hook(2)
    await it.world.told(*(turn(number) for number in range(400, 410)))
    await it.delivering.look()
    assert Counter(it.store.claimed) == {"wh_00000001": 1, "wh_00000002": OF_WEBHOOK}


async def test_a_host_has_so_many_places_for_all_webhooks(it: Stage) -> None:
    for number in range(1, OF_HOST):
        owner = f"users/user_{number:08}"
        await it.world.hook(number, owner)
        await it.world.told(turn(number, owner), turn(99, owner))
    await it.delivering.look()
    assert len(it.store.claimed) == it.delivering.under_way == OF_HOST
    for _ in range(3):
        await it.posts()
    assert len(it.at.posted) == 2 * (OF_HOST - 1)


async def hooks_of_ann(it: Stage, many: int) -> None:
    """So many that she has made, each at a host of its own, and something for each."""
    for number in range(1, many + 1):
        owner = f"users/user_{number:08}"
        made = await it.world.hook(number, owner)
        moved = new_webhook(Said(url=f"https://{number}.example/in"), owner, owner)
        after = replace(made, url=moved.url, said=moved.said, etag="etag_new")
        assert await it.world.hooks.change(after, made.etag)
        await it.world.told(turn(number, owner))


async def test_one_look_begins_all_that_has_a_place(it: Stage) -> None:
    many = SEEN + 10
    await hooks_of_ann(it, many)
    await it.delivering.look()
    assert it.delivering.under_way == many


async def test_who_makes_many_webhooks_leaves_places_to_others(it: Stage) -> None:
    """However many hosts they are at."""
    await hooks_of_ann(it, OF_CREATOR + 5)
    await it.delivering.look()
    assert it.delivering.under_way == OF_CREATOR
