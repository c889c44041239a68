"""Turns: dispatched, worked on, cancelled, let go of, and gone on with after a crash."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.model import (
    ConversationId,
    LossPolicy,
    Policy,
    State,
    StoredTurn,
)
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Scope
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.world import CONVERSATION, TABLES, turn_id, world
from tests.proofs.properties.life import Life, MortalDatabase, bury
from tests.proofs.properties.machine import Machine
from tests.proofs.properties.turn_model import Asked, Story, check_order, read
from tests.proofs.properties.turn_world import Clock, Puppet

T = TypeVar("T")
SCOPE = Scope(f"conversations/{CONVERSATION}")
picks = st.integers(0, 20)
policies = st.sampled_from([p for p in Policy if p is not Policy.UNSPECIFIED])


class TurnMachine(Machine):
    """One conversation, many who speak at once."""

    store_type: ClassVar[type[SqlTurnStore]] = SqlTurnStore
    log_type: ClassVar[type[SqlLogStore]] = SqlLogStore

    async def open(self) -> None:
        self.clock = Clock()
        self.database = await self.open_database(*TABLES)
        self.store = SqlTurnStore(self.database)
        await SqlLogStore(self.database).head(SCOPE)  # is there, so who reads commits nothing
        self.asked: list[Asked] = []
        self.said: dict[str, str] = {}
        self.waiting: list[asyncio.Task[None]] = []
        await self._start()

    async def _start(self) -> None:
        self.life = Life()
        database = MortalDatabase(self.database, self.life)
        steady = Puppet("steady", LossPolicy.RESUME, self.said)
        self.puppets = [steady, Puppet("frail", LossPolicy.FAIL, self.said)]
        log = EventLog(self.log_type(database))
        self.log, self.writer = log, asyncio.create_task(log.run())
        self.stack = AsyncExitStack()
        store = self.store_type(database)
        self.world = await self.stack.enter_async_context(
            world(database, log, store, self.puppets, self.clock)
        )
        await self.world.adopted()

    async def _stop(self) -> None:
        await self.stack.aclose()
        self.log.close()
        await self.writer

    async def close(self) -> None:
        """In the end every turn ends, and everything fits together."""
        self.life.go_on()
        await self._quiet()
        await self._finish_all()
        await asyncio.gather(*self.waiting)
        await self._check()
        stories = read(await self.world.history())
        assert all(story.state is not None for story in stories.values()), "it never ended"
        await self._stop()
        await self.database.close()

    @rule(policy=policies, loss=st.sampled_from(LossPolicy), hurry=st.booleans())
    def dispatch(self, policy: Policy, loss: LossPolicy, hurry: bool) -> None:
        """Ask for a new turn."""
        one = Asked(len(self.asked) + 1, policy, loss)
        self.asked.append(one)
        self.run(self._begin(self._dispatch(one), hurry))

    @precondition(lambda self: self.asked)
    @rule(which=picks)
    def repeat(self, which: int) -> None:
        """Ask for a turn again, as one who heard no answer does; or first, if it was cancelled."""
        self.run(self._begin(self._dispatch(self._pick(which)), hurry=False))

    @precondition(lambda self: self.asked)
    @rule(which=picks, hurry=st.booleans())
    def cancel(self, which: int, hurry: bool) -> None:
        """Stop a turn."""
        self.run(self._begin(self._cancel(self._pick(which)), hurry))

    @rule()
    def cancel_before_it_comes(self) -> None:
        """Stop a turn that nobody has asked for yet."""
        one = Asked(len(self.asked) + 1)
        self.asked.append(one)
        self.run(self._begin(self._cancel(one), hurry=False))

    @rule(which=picks, count=st.integers(1, 3), hurry=st.booleans())
    def write(self, which: int, count: int, hurry: bool) -> None:
        """Let a handler say something."""
        for number in range(count):
            self._tell(which, f"{number} and ")
        self.run(self._quiet(hurry))

    @rule(which=picks, hurry=st.booleans())
    def succeed(self, which: int, hurry: bool) -> None:
        """Let a handler finish."""
        self._tell(which, None)
        self.run(self._quiet(hurry))

    @rule(which=picks)
    def conclude(self, which: int) -> None:
        """Let a handler say its last words and finish in the same breath."""
        for line in ("and ", "that ", "is all", None):
            self._tell(which, line)
        self.run(self._quiet())

    @rule(which=picks)
    def fail(self, which: int) -> None:
        """Let a handler fail."""
        self._tell(which, DomainError(Reason.MODEL_PROTOCOL))
        self.run(self._quiet())

    @rule(which=picks, commits=st.integers(0, 3))
    def die_speaking(self, which: int, commits: int) -> None:
        """Kill the process while a handler speaks, and let it go on in the next one."""
        self.life.end_after(commits)
        for line in ("it ", "was ", "said "):
            self._tell(which, line)
            self.run(self._quiet())
        self._tell(which, "again")
        self.run(self._quiet())

    @rule(commits=st.integers(0, 6))
    def die(self, commits: int) -> None:
        """Kill the process after so many more commits."""
        self.life.end_after(commits)

    @rule(seconds=st.sampled_from([1.0, 20.0]))
    def adopt(self, seconds: float) -> None:
        """Let time pass and leases run out; who holds them takes them again."""
        self.clock.time += seconds
        self.run(self._begin(self._adopt(), hurry=False))

    @rule()
    def drain(self) -> None:
        """Stop the process in order, and begin the next."""
        self.run(self._drain())

    @rule()
    def look(self) -> None:
        """Read the log."""
        self.run(self._look())

    async def _look(self) -> None:
        await self._quiet()
        await self._check()

    def _pick(self, which: int) -> Asked:
        return self.asked[-1 - which % len(self.asked)]

    def _tell(self, which: int, line: str | Exception | None) -> None:
        queues = [told for puppet in self.puppets for told in puppet.told.values()]
        if queues:
            queues[which % len(queues)].put_nowait(line)

    async def _begin(self, work: Awaitable[None], hurry: bool) -> None:
        asked = asyncio.ensure_future(work)
        asked.add_done_callback(_retrieved)  # of a process that dies nobody waits for it
        self.waiting.append(asked)
        await self._quiet(hurry)

    async def _quiet(self, hurry: bool = False) -> None:
        """Wait until nothing happens by itself, or go on in the middle of it."""
        await self.life.quiet(3 if hurry else 40)
        if self.life.dead.is_set():
            await self._bury()

    async def _bury(self) -> None:
        """End the process where it is, and begin the next."""
        await bury(self.database)
        self.waiting.clear()
        await self.stack.aclose()
        await self._start()
        await self._quiet()

    async def _drain(self) -> None:
        await self._quiet()
        self.life.go_on()
        draining = asyncio.ensure_future(self.world.turns.drain(0.0))
        await self._quiet()
        await draining
        await asyncio.gather(*self.waiting)
        self.waiting.clear()
        await self._stop()
        await self._start()

    async def _dispatch(self, one: Asked) -> None:
        handler = self.puppets[0 if one.loss is LossPolicy.RESUME else 1].info.name
        one.dispatched = True
        turn = await _outcome(self.world.dispatch(one.number, handler, one.policy))
        if isinstance(turn, StoredTurn):
            one.accepted = True
            return
        if turn is Reason.TURN_REJECTED:
            assert one.policy is Policy.REJECT
        else:
            assert turn in (Reason.DRAINING, Reason.STORE_UNAVAILABLE), turn

    async def _cancel(self, one: Asked) -> None:
        one.cancelled = True
        turn = await _outcome(self.world.cancel(one.number))
        if isinstance(turn, StoredTurn) and turn.state.ended:
            one.stopped_at = len(await self.world.history())

    async def _adopt(self) -> None:
        await self.world.adopted(own=False)

    async def _finish_all(self) -> None:
        """Let every handler finish, until none works."""
        for _ in range(3 * len(self.asked) + 3):
            for puppet in self.puppets:
                for told in puppet.told.values():
                    told.put_nowait(None)
            await self._quiet()

    async def _check(self) -> None:
        """Hold the log against what was asked, and the store against the log."""
        events = await self.world.history()
        stories = read(events)
        mine = [stories.get(turn_id(one.number)) for one in self.asked]
        check_order(self.asked, mine)
        some_rollback = any(one.policy is Policy.ROLLBACK for one in self.asked)
        for one, story in zip(self.asked, mine, strict=True):
            await self._check_one(one, story)
            assert some_rollback or not (story and story.rolled_back)

    async def _check_one(self, one: Asked, story: Story | None) -> None:
        name = turn_id(one.number)
        stored = await self.store.get(ConversationId(CONVERSATION), name)
        if story is None:
            assert not one.accepted, "acknowledged, and not in the log"
            return
        if story.accepted_at < 0:
            assert (one.cancelled, story.kinds) == (True, ["turn_finished"])
        elif one.stopped_at is not None:
            assert 0 <= story.finished_at < one.stopped_at, "it went on after it was stopped"
        if story.state is State.CANCELLED:
            later = (it.policy for it in self.asked if it is not one and it.dispatched)
            assert one.cancelled or {Policy.INTERRUPT, Policy.ROLLBACK} & {*later}
        if one.loss is LossPolicy.FAIL:
            assert story.attempts <= 1, "it was resumed"
        if story.state is not None and stored is not None and stored.state.ended:
            assert stored.state is story.state
        self._check_text(one, story)

    def _check_text(self, one: Asked, story: Story) -> None:
        """What was seen once stays, and an answer that ended well is whole."""
        text = story.text if story.reply is None else story.reply
        if not story.text_at or story.reply is not None:
            assert text.startswith(one.seen), "it was seen, and is gone"
            one.seen = text
        if story.state is State.SUCCEEDED:
            assert text == self.said.get(turn_id(one.number), ""), "not all that was said"


def _retrieved(asked: "asyncio.Future[None]") -> None:
    """Take an error for seen: a defect's, told at some later time, would hold up another test."""
    if not asked.cancelled():
        asked.exception()


async def _outcome(call: Awaitable[T]) -> T | Reason:
    try:
        return await call
    except DomainError as error:
        return error.reason
