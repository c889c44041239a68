"""Servers that tell and post, on a store that is real; clocks, deaths and listeners are not.

A server may die at each step: behind the turn's end in the store, behind what a log was told,
before and behind a request, and behind what is stored of it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.model import Turn
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.sql_deliveries import SqlDeliveries
from antiphon_server.notifying.adapters.sql_notes import SqlNotes
from antiphon_server.notifying.adapters.user_logs import is_for_user
from antiphon_server.notifying.delivering import Delivering
from antiphon_server.notifying.model import Attempt, Note, Outcome, Webhook
from antiphon_server.notifying.ports import Posts
from antiphon_server.notifying.telling import Telling
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database

FAILURES = (Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.REFUSED)


class Death(BaseException):
    """The end of a server."""


@dataclass
class World:
    """What all servers share: the time, and what those who are told have heard.

    ``logs`` have what users were told, as the events service keeps it: an id once. ``heard`` are
    how often a webhook has taken an id, ``bodies`` what was posted by that.
    """

    chance: random.Random
    now_us: int
    deadly: float
    failing: float
    logs: dict[str, set[str]] = field(default_factory=dict)
    heard: Counter[tuple[str, str]] = field(default_factory=Counter)
    bodies: dict[tuple[str, str], set[bytes]] = field(default_factory=dict)
    deaths: int = 0
    failures: int = 0

    def perhaps_die(self) -> None:
        """Now and then."""
        if self.chance.random() < self.deadly:
            self.deaths += 1
            raise Death

    def fails(self) -> bool:
        """Now and then."""
        found = self.chance.random() < self.failing
        self.failures += found
        return found


@dataclass
class Logs:
    """A :class:`~antiphon_server.notifying.ports.TellsUsers`."""

    world: World

    async def tell(self, note: Note) -> None:
        if not is_for_user(note):
            return
        self.world.perhaps_die()
        if self.world.fails():
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="events")
        self.world.logs.setdefault(note.creator, set()).add(note.notification_id)
        self.world.perhaps_die()


@dataclass
class Receivers(Posts):
    """All that webhooks lead to."""

    world: World

    async def post(self, webhook: Webhook, notification_id: str, body: bytes) -> Attempt:
        self.world.perhaps_die()
        await asyncio.sleep(0)
        if self.world.fails():
            return Attempt(self.world.chance.choice(FAILURES), 0)
        key = webhook.webhook_id, notification_id
        self.world.heard[key] += 1
        self.world.bodies.setdefault(key, set()).add(body)
        self.world.perhaps_die()
        return Attempt(Outcome.TAKEN, 200)

    async def check(self, owner: str, url: str) -> None:
        pass

    def host(self, url: str) -> str:
        return url.split("/")[2]


@dataclass
class Everybody:
    """Rights of users who all may."""

    async def may_act(self, owner: str) -> bool:
        return True

    async def may_read(self, owner: str, conversation_id: str) -> bool:
        return True


@dataclass
class Dying:
    """A store whose server may die behind each step."""

    world: World
    store: Any

    def __getattr__(self, name: str) -> Any:
        step = getattr(self.store, name)

        async def taken(*given: Any) -> Any:
            found = await step(*given)
            self.world.perhaps_die()
            return found

        return taken


class Server:
    """One life of one, whose parts ``telling`` and ``noting`` make."""

    def __init__(
        self,
        world: World,
        database: Database,
        telling: type[Telling] = Telling,
        noting: "type[Noting] | None" = None,
    ) -> None:
        sealing, receivers = Sealing(MasterSecret(b"s" * 32)), Receivers(world)
        skew_us = world.chance.randrange(-500_000, 500_000)
        self.world, self._now = world, lambda: world.now_us + skew_us
        notes = SqlNotes(database, sealing, receivers.host)
        deliveries: Any = Dying(world, SqlDeliveries(database, sealing))
        self.delivering = Delivering(deliveries, receivers, Everybody(), self._now)
        kept: Any = Dying(world, notes)
        self.telling = telling(kept, Logs(world), self.delivering.wake, self._now)
        self.noting = (noting or Noting)(world, notes, self.telling)
        self.turns = SqlTurnStore(database, self.noting)

    async def step(self) -> bool:
        """Tell and post what there is; whether it still lives."""
        deaths = self.world.deaths
        try:
            await self.telling.tell_held()
            await self.telling.look()
            await self.delivering.look()
            while self.delivering.under_way and deaths == self.world.deaths:  # noqa: ASYNC110
                await asyncio.sleep(0)
        except Death:
            pass
        if deaths == self.world.deaths:
            return True
        await self.delivering.close()
        return False


class Noting:
    """See :class:`~antiphon_server.dispatcher.notifying_room.NotesEnds`.

    ``died`` says that the server did, right behind a commit.
    """

    died = False

    def __init__(self, world: World, notes: SqlNotes, telling: Telling) -> None:
        self.world, self.notes, self.telling = world, notes, telling

    def keep(self, connection: Connection, ended: Sequence[Turn]) -> Callable[[], None]:
        kept = self.notes.keep(connection, ended)
        return lambda: self.committed(kept)

    def committed(self, kept: Sequence[Note]) -> None:
        """The turns' ends are stored."""
        try:
            self.world.perhaps_die()
        except Death:
            self.died = True
            return
        self.telling.take(kept)
