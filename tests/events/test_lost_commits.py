"""A store in another's place that has not got the newest commits: those who saw them learn it."""

import asyncio

from sqlalchemy import Connection, delete, select, update

from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import log, metadata, scopes
from antiphon_server.events.frames import Batch, Close, Ended
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NODES, Cursor, Offset, Scope
from antiphon_server.events.node_message_reader import NodeMessageReader
from antiphon_server.events.node_messages import AccessChanged, events_of
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.peer_commits import LookTimes
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.process.lifecycle import Lifecycle
from tests.e2e.refusals import Refused
from tests.e2e.until import SOON_S
from tests.events.nodes import nodes
from tests.events.world import ANNA, SCOPE, events, next_of, until
from tests.fakes.databases import on_each_kind


class Forgetful(SqlLogStore):
    """A store that can lose what it has."""

    async def lose(self, scope: Scope, kept: Offset) -> None:
        """Lose what the scope has behind an offset."""

        def work(connection: Connection) -> None:
            found = select(scopes.c.id).where(scopes.c.scope == scope).scalar_subquery()
            connection.execute(delete(log).where(log.c.scope_id == found, log.c.last_offset > kept))
            connection.execute(
                update(scopes).where(scopes.c.scope == scope).values(last_offset=kept)
            )

        await self._database.write(work)


it = on_each_kind(Forgetful, metadata)


async def test_whoever_saw_what_is_lost_begins_again(it: Forgetful) -> None:
    """The watch ends with EPOCH_CHANGED, and the next one gets all that there is now."""
    async with nodes(it, it) as (here, there):
        subscription = Subscription(here.log, here.gate, ANNA, Pacing())
        await subscription.create(WatchRequest("w", SCOPE, from_latest=False))
        frames = subscription.frames()
        await there.append(*events(5))
        await until(frames, lambda seen: any(isinstance(one, Batch) for one in seen))
        await it.lose(SCOPE, Offset(3))
        await there.append(*events())
        *_, ended = await until(frames, lambda seen: any(isinstance(one, Ended) for one in seen))
        assert isinstance(ended, Ended)
        assert ended.reason is Close.HISTORY_LOST
        assert ended.error is not None
        assert ended.error.reason is Reason.EPOCH_CHANGED
        subscription.close()
        reader = await here.reader()
        await there.append(*events())
        await reader.reached(5)


async def test_whoever_is_behind_what_is_lost_does_not_ask_without_end(it: Forgetful) -> None:
    """A reader that waits for what the store has not got asks once, and is told."""
    async with nodes(it, it, times=LookTimes(short_s=60.0)) as (here, _):
        subscription = Subscription(here.log, here.gate, ANNA, Pacing())
        await here.append(*events(3))
        await subscription.create(WatchRequest("w", SCOPE))
        frames = subscription.frames()
        await until(frames, bool)
        (await here.log.hub(SCOPE)).skip(Offset(5))  # it was told of what is gone now
        assert (await next_of(frames, Ended)).reason is Close.HISTORY_LOST
        subscription.close()


async def test_a_cursor_of_what_is_lost_is_refused_at_once(it: Forgetful) -> None:
    """Nobody has looked, for nobody follows here: what takes their places is not skipped."""
    async with nodes(it, it) as (here, there):
        await here.append(*events(5))
        hub = await here.log.hub(SCOPE)
        cursor = Cursor(hub.epoch, Offset(5)).encode(SCOPE)
        await it.lose(SCOPE, Offset(3))
        with Refused(Reason.EPOCH_CHANGED):
            await here.log.read(SCOPE, Offset(5), 10)
        await here.log.read(SCOPE, Offset(3), 10)
        await there.append(*events(2))
        await here.log.read(SCOPE, Offset(5), 10)
        await it.lose(SCOPE, Offset(3))
        subscription = Subscription(here.log, here.gate, ANNA, Pacing())
        await subscription.create(WatchRequest("w", SCOPE, cursor=cursor))
        frames = subscription.frames()
        ended = await next_of(frames, Ended)
        assert ended.error is not None
        assert ended.error.reason is Reason.EPOCH_CHANGED
        subscription.close()


async def test_words_between_nodes_that_are_lost_are_noticed(it: Forgetful) -> None:
    """Whoever holds streams checks all of them: nobody knows what was said."""
    node = EventLog(it, bus=SilentBus())
    lost = asyncio.Event()
    words = NodeMessageReader(node, lambda word: None, lost.set)
    await words.begin()
    assert node.peer_commits is not None
    async with Lifecycle() as lifecycle:
        lifecycle.spawn("log", node.run())
        lifecycle.spawn("words", words.run())
        await node.append(NODES, events_of([AccessChanged(ANNA.user_id)] * 3))
        await it.lose(NODES, Offset(1))
        await node.peer_commits.look([NODES])
        async with asyncio.timeout(SOON_S):
            await lost.wait()
