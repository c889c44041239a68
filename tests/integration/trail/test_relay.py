"""What waits for the trail is told, whatever the trail does meanwhile."""

import asyncio

import pytest

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.integration.secrets.adapters.sql import SqlSecrets
from antiphon_server.integration.secrets.adapters.tables import secrets
from antiphon_server.integration.secrets.model import MOST_SECRETS, SecretName
from antiphon_server.integration.trail.adapters.outbox import SqlOutbox
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail import relay as relay_module
from antiphon_server.runtime.trail.model import Entry
from tests.e2e.until import PATIENCE_S
from tests.fakes.databases import on_each_kind

WORKSPACE = "ws_00000001"


class Trail:
    """It is away, refuses entries for good, takes its time or has them, as it is told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.away = False
        self.refused: set[str] = set()
        self.came = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def record(self, entry: Entry) -> None:
        await self.may_answer.wait()
        if self.away:
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="auth")
        (event,) = RecordSecurityEventsRequest.FromString(entry.body).events
        name = event.secret_stored.name
        if name in self.refused:
            raise DomainError(Reason.INVALID_ARGUMENT)
        self.names.append(name)
        self.came.set()


class World:
    """Secrets, the outbox beside them, and a trail."""

    def __init__(self, database: Database) -> None:
        self.secrets = SqlSecrets(database, MasterSecret(bytes(range(32))))
        self.outbox, self.trail = SqlOutbox(database), Trail()

    def relay(self) -> TrailRelay:
        return TrailRelay(self.outbox, self.trail, RetryPolicy(0.01, factor=1.0))

    async def put(self, name: str) -> None:
        await self.secrets.put(WORKSPACE, SecretName(name), "a value")

    async def waiting(self) -> int:
        return len(await self.outbox.first(0, 1000))


world = on_each_kind(World, secrets.metadata)


async def test_what_was_told_is_forgotten(world: World) -> None:
    """In the order in which it was committed, each once."""
    for name in ("a", "b", "c"):
        await world.put(name)
    relay = world.relay()
    await asyncio.gather(relay.tell(), relay.tell())
    await relay.close()
    assert (world.trail.names, await world.waiting()) == (["a", "b", "c"], 0)


async def test_what_was_refused_leaves_no_entry(world: World) -> None:
    """The change and what is told of it are one transaction."""
    for number in range(MOST_SECRETS):
        await world.put(f"n{number}")
    before = await world.waiting()
    with pytest.raises(DomainError, match="LIMIT_EXCEEDED"):
        await world.put("more")
    await world.secrets.delete(WORKSPACE, SecretName("nobody"))
    assert await world.waiting() == before == MOST_SECRETS


async def test_what_a_trail_missed_is_told_when_it_is_back(world: World) -> None:
    """Answers go out meanwhile; the next process tells what this one could not."""
    world.trail.away = True
    await world.put("a")
    relay = world.relay()
    await relay.tell()
    await relay.close()
    assert (world.trail.names, await world.waiting()) == ([], 1)
    running = asyncio.create_task(world.relay().run())
    await asyncio.sleep(0.05)
    world.trail.away = False
    await asyncio.wait_for(world.trail.came.wait(), PATIENCE_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert world.trail.names == ["a"]


async def test_one_that_is_refused_holds_up_no_other(world: World) -> None:
    """It is kept and told when it is accepted, by a server that knows its kind."""
    world.trail.refused = {"a"}
    await world.put("a")
    await world.put("b")
    relay = world.relay()
    await relay.tell()
    assert (world.trail.names, await world.waiting()) == (["b"], 1)
    world.trail.refused = set()
    await relay.tell()
    await relay.close()
    assert (world.trail.names, await world.waiting()) == (["b", "a"], 0)


async def test_while_the_trail_says_nothing_no_work_piles_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tells and one waits for it, whatever number of changes there is; all are told."""
    monkeypatch.setattr(relay_module, "WAIT_S", 0.01)
    relay = world.relay()
    world.trail.may_answer.clear()
    before = len(asyncio.all_tasks())
    for name in "abcdef":
        await world.put(name)
        await relay.tell()
    assert len(asyncio.all_tasks()) - before <= 2
    world.trail.may_answer.set()
    await relay.close()
    assert (world.trail.names, await world.waiting()) == (list("abcdef"), 0)
