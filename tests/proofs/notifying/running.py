"""Turns that end while servers die, logs are away and receivers fail; and a judge."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon.dispatcher.v1 import webhook_pb2 as pb
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.dispatcher.model import (
    ConversationId,
    Order,
    Outcome,
    Parent,
    Policy,
    State,
    Turn,
    TurnId,
)
from antiphon_server.notifying.adapters.notes import note_of_end
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.sql_deliveries import SqlDeliveries
from antiphon_server.notifying.adapters.sql_webhooks import SqlWebhooks
from antiphon_server.notifying.encoding import new_webhook
from antiphon_server.notifying.matching import wants
from antiphon_server.notifying.model import Secret, Webhook
from antiphon_server.notifying.telling import Telling
from antiphon_server.runtime.storage.database import Database
from tests.proofs.notifying.clockwork import Noting, Server, World

BEGIN_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
USERS, WORKSPACES = 8, 3
HANDLERS = ("echo", "assistant", "worker")
ENDS = (State.SUCCEEDED, State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELLED)
DAY_S = 25 * 3600


@dataclass
class Came:
    """What came of it; ``wrong`` are the rules that were broken."""

    turns: int = 0
    told: int = 0
    posted: int = 0
    again: int = 0
    deaths: int = 0
    failures: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it."""
        return (
            f"{self.turns} turns ended: {self.told} told to users, {self.posted} taken by "
            f"webhooks, {self.again} of them more than once; {self.deaths} servers died, "
            f"{self.failures} logs and receivers failed; {len(self.wrong)} wrong"
        )


async def ends_of(
    database: Database,
    count: int,
    seed: str,
    telling: type[Telling] = Telling,
    noting: type[Noting] = Noting,
) -> Came:
    """Let so many turns end, and judge what was told of each."""
    world = World(random.Random(seed), BEGIN_US, deadly=0.01, failing=0.2)
    hooks = await _hooks(database)
    servers = [Server(world, database, telling, noting) for _ in range(2)]
    turns: list[Turn] = []
    for turn in _turns(world.chance, count):
        turns.append(turn)
        which = world.chance.randrange(2)
        if not await _ended(servers[which], turn):
            servers[which] = Server(world, database, telling, noting)
        if world.chance.random() < 0.2:
            world.now_us += world.chance.randrange(1, 20) * SECOND_US
            for number in range(2):
                if not await servers[number].step():
                    servers[number] = Server(world, database, telling, noting)
    await _brought_to_end(world, database, servers[0])
    came = Came(count, deaths=world.deaths, failures=world.failures)
    _judge(world, turns, hooks, came)
    return came


async def _brought_to_end(world: World, database: Database, server: Server) -> None:
    """Nothing dies or fails any more, until nothing waits."""
    world.deadly, world.failing = 0.0, 0.0
    deliveries = SqlDeliveries(database, Sealing(MasterSecret(b"s" * 32)))
    for _ in range(12):
        world.now_us += DAY_S * SECOND_US
        await server.step()
        if not await deliveries.waiting():
            await server.step()
            return


async def _ended(server: Server, turn: Turn) -> bool:
    """Store its end; whether the server still lives."""
    begun = replace(turn, state=State.RUNNING, outcome=None)
    await server.turns.add(begun)
    await server.turns.put(turn)
    return not server.noting.died


def _turns(chance: random.Random, count: int) -> Iterator[Turn]:
    for number in range(count):
        parent = Parent(TurnId("turn_parent00"), "echo", 1) if chance.random() < 0.1 else None
        order = Order(b"", chance.choice(HANDLERS), Policy.QUEUE, parent=parent)
        turn = Turn(
            TurnId(f"turn_{number:08}"),
            ConversationId(f"conv_{number % 50:08}"),
            f"users/user_{chance.randrange(USERS):08}",
            BEGIN_US,
            b"digest",
            order,
            f"ws_{chance.randrange(WORKSPACES):08}",
            node="here",
        )
        yield turn.ended(Outcome(chance.choice(ENDS)), BEGIN_US + number, has_reply=True)


async def _hooks(database: Database) -> list[Webhook]:
    """Some of users, with filters and without; some of workspaces."""
    store = SqlWebhooks(database, Sealing(MasterSecret(b"s" * 32)))
    owners = [f"users/user_{number:08}" for number in range(0, USERS, 2)]
    owners += [f"workspaces/ws_{number:08}" for number in range(WORKSPACES - 1)]
    filters: tuple[dict[str, Any], ...] = ({}, {"handlers": ["echo"]}, {"states": [State.FAILED]})
    made: list[Webhook] = []
    for owner in owners:
        for told in filters:
            number = len(made)
            url = f"https://host-{number % 4}.example/in"
            said = pb.Webhook(webhook_id=f"wh_{number:08}", url=url, **told)
            hook = new_webhook(said, owner, "users/user_00000000")
            kept = replace(hook, secrets=(Secret(b"key"),), etag=f"e{number}")
            made.append(await store.add(kept))
    return made


def _judge(world: World, turns: list[Turn], hooks: list[Webhook], came: Came) -> None:
    """Each end is told to whose turn it was and to webhooks that want it, and to nobody else."""
    wanted_logs: set[tuple[str, str]] = set()
    wanted: set[tuple[str, str]] = set()
    for turn in turns:
        if turn.order.parent is not None:
            continue
        note = note_of_end(turn)
        if turn.state is not State.CANCELLED:
            wanted_logs.add((turn.creator, note.notification_id))
        wanted |= {(it.webhook_id, note.notification_id) for it in hooks if wants(it, note)}
    logged = {(user, each) for user, ids in world.logs.items() for each in ids}
    came.told, came.posted = len(logged), len(world.heard)
    came.again = sum(count > 1 for count in world.heard.values())
    for what, has, wants_it in (("log", logged, wanted_logs), ("webhook", {*world.heard}, wanted)):
        came.wrong += [f"a {what} was not told: {it}" for it in wants_it - has]
        came.wrong += [f"a {what} was told what isn't its: {it}" for it in has - wants_it]
    changed = [key for key, bodies in world.bodies.items() if len(bodies) > 1]
    came.wrong += [f"the same id had two bodies: {it}" for it in changed]
