"""Streams that are found again by name: for the session that they belong to, nobody else."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from antiphon_server.events.actions import End
from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.follows import Follows
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Append, Appended
from antiphon_server.events.node_message_reader import NodeMessageReader
from antiphon_server.events.node_messages import NodeMessage, StreamReply, StreamRequest
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.events.world import ANNA, Gate


async def test_a_stream_is_its_sessions(log: EventLog) -> None:
    """Another session of the same user, an API key's for one, does not find it; nor do others."""
    subscriptions = Subscriptions(Gate(), Shares())
    elsewhere = replace(ANNA, session_id=SessionId("sess_2"))
    stranger = replace(ANNA, user_id=UserId("user_eve"))
    with subscriptions.open(log, ANNA, "mine") as subscription:
        follows = Follows(subscriptions, log)
        assert find(subscriptions, ANNA) is subscription
        for caller in (elsewhere, stranger):
            assert find(subscriptions, caller) is None
            with Refused(Reason.NOT_FOUND):
                await follows.ask(caller, "mine", [End()])


async def test_a_stream_goes_with_its_token(log: EventLog) -> None:
    """With a token of another session it is that session's."""
    subscriptions = Subscriptions(Gate(), Shares())
    earlier = replace(ANNA, session_id=SessionId("sess_0"))
    with subscriptions.open(log, earlier, "mine") as subscription:
        await subscription.refresh("good")
        assert find(subscriptions, ANNA) is subscription
        assert find(subscriptions, earlier) is None


class Slow(SqlLogStore):
    """A store that takes its time."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        await asyncio.sleep(0.3)
        return await super().append(batch)


async def test_a_slow_store_is_no_stream_that_is_not_there(database: Database) -> None:
    """The time for an answer begins when the question can be heard."""
    log = EventLog(Slow(database), bus=SilentBus())
    follows = Follows(Subscriptions(Gate(), Shares()), log, answered_s=0.25)

    def answer(word: NodeMessage) -> None:
        if isinstance(word, StreamRequest):
            follows.on_message(StreamReply(word.question))

    words = NodeMessageReader(log, answer, lambda: None)
    await words.begin()
    async with Lifecycle() as lifecycle:
        lifecycle.spawn("log", log.run())
        lifecycle.spawn("words", words.run())
        await follows.ask(ANNA, "mine", [End()])


def find(subscriptions: Subscriptions, caller: Principal) -> Subscription | None:
    """The caller's stream."""
    return subscriptions.find(caller.user_id, caller.session_id, "mine")
