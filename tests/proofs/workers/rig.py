"""One seeded run: servers, workers, turns, and what befalls them."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from antiphon.events.v1 import event_pb2
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters.tables import metadata as turn_tables
from antiphon_server.dispatcher.model import ConversationId, Order, Policy, TurnId
from antiphon_server.events.adapters.tables import metadata as event_tables
from antiphon_server.events.log import EventLog
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.nodes.tables import metadata as node_tables
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.workers.adapters.tables import permissions
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.model import GLOBAL, HandlerName
from tests.proofs.workers.cables import Net
from tests.proofs.workers.counting import Count
from tests.proofs.workers.faults import FAULTS, Faults
from tests.proofs.workers.hand import HANDLER, Hand
from tests.proofs.workers.judging import Asked, Judge
from tests.proofs.workers.people import People
from tests.proofs.workers.place import Place
from tests.proofs.workers.server import ANNA, WORKER, Everybody, Server, Shared
from tests.proofs.workers.store import RecordedLog, Seen, memory_engine

KINDS = ("drops", "deaths", "servers", "all")
FAULTS_S, PATIENCE_S = 30.0, 150.0


class Rig(Faults):
    """A run. Scenes are kinds of it."""

    turns, begin_s, cancelled = 12, 12.0, 0.1
    answered_after_s: Sequence[float] = (0.0, 0.5, 3.0, 9.0)

    def __init__(self, seed: str) -> None:
        self.chance = Random(seed)
        self.kind = self.chance.choice(KINDS)
        self.judge = Judge()
        self.judge.served = self.kind in ("drops", "deaths")
        self.limits = WorkerLimits()
        self._hands: list[Hand] = []
        self._servers: list[Server] = []
        self._clients: list[asyncio.Task[None]] = []

    async def run(self) -> list[str]:
        """Let it happen, and judge."""
        self.net = Net(self.chance)
        engine = memory_engine(turn_tables, event_tables, node_tables)
        assert permissions.metadata is turn_tables
        database = Seen(engine, self.chance, None)
        self.log = RecordedLog(database)
        log = EventLog(self.log, clock=lambda: time.time())
        running = asyncio.create_task(log.run())
        local = LocalServer([ErrorInterceptor()])
        add_EventServiceServicer_to_server(
            EventServicer(log, Subscriptions(Everybody(), Shares())), local
        )
        events = EventServiceStub(local.channel())
        self.shared = Shared(engine, events, self.net, self.chance, self.limits)
        people = People(self.log, self._owner, self.judge.asks, self.chance, self.answered_after_s)
        answering = asyncio.create_task(people.run())
        try:
            await self._begin()
            await asyncio.gather(self._dispatch_all(), self._befall())
            await self._heal()
            await self._until_ended()
            self._look_for_remains()
        finally:
            answering.cancel()
            for place in self._places:
                await place.kill()
            log.close()
            await running
            engine.dispose()
        calm, strict = self.kind == "drops", self.kind in ("drops", "deaths")
        return self.judge.judge(self.log.events, self.log.times, strict=strict, calm=calm)

    async def _begin(self) -> None:
        for name in ("a", "b"):
            await self._new_server(name)
        first = self._servers[0]
        allowing = first.permissions.allow(GLOBAL, HandlerName(HANDLER), WORKER.user_id)
        await first.place.spawn(allowing, "allow")
        await self._servers[1].place.spawn(self._servers[1].permissions.refresh(), "refresh")
        self._begin_hands()
        await asyncio.sleep(0.5)

    def _begin_hands(self) -> None:
        self._new_hand("anchor", 100)
        for number in range(self.chance.randint(1, 3)):
            self._new_hand(f"w{number}", self.chance.choice([1, 2, 3, 8]))

    async def _new_server(self, name: str) -> None:
        server = Server(name, self.shared)
        self._servers.append(server)
        await server.start()

    def _new_hand(self, name: str, slots: int) -> None:
        about = self._dialled, self.net, self.judge, self.chance
        self._hands.append(Hand(name, slots, *about))

    async def _dispatch_all(self) -> None:
        for number in range(self.turns):
            await asyncio.sleep(self.chance.uniform(0, 2 * self.begin_s / self.turns))
            self._clients.append(asyncio.create_task(self._dispatch(number)))

    async def _dispatch(self, number: int) -> None:
        turn_id = TurnId(f"turn_{number:08}")
        count = self._size()
        self.judge.asked[turn_id] = Asked(turn_id, count)
        posted = event_pb2.MessagePosted()
        posted.message.parts.add(text=str(count))
        order = Order(posted.SerializeToString(), HANDLER, Policy.QUEUE, time_limit_s=600.0)
        conversation = ConversationId(f"conv_{number % 8:08}")
        while not await self._dispatched(conversation, turn_id, order):  # noqa: ASYNC110 - tried
            await asyncio.sleep(0.5)
        if self.chance.random() < self.cancelled:
            await asyncio.sleep(self.chance.uniform(0, 5))
            await self._cancel(conversation, turn_id)

    def _size(self) -> Count:
        many, gap_ms = self.chance.randint(1, 120), self.chance.choice([0, 10, 50, 150])
        every = self.chance.choice([0, 0, 7])
        questions = self.chance.choice([0, 0, 0, 1, 2])
        return Count(
            many, gap_ms, every, questions, self.chance.choice([0, 0, 0, 0, 0, 0, 1, 2, 3])
        )

    async def _dispatched(
        self, conversation: ConversationId, turn_id: TurnId, order: Order
    ) -> bool:
        # As its owner would have it: one conversation's turns are one server's while it lives.
        owner = self._owner(conversation)
        if owner is None:
            return False
        call = owner.turns.dispatch(ANNA, conversation, turn_id, order, turn_id.encode())
        return await self._done_by(owner, call)

    async def _cancel(self, conversation: ConversationId, turn_id: TurnId) -> None:
        owner = self._owner(conversation)
        if owner is not None and owner.lanes.find(conversation, turn_id) is not None:
            self.judge.asked[turn_id].cancelled = True
            await self._done_by(owner, owner.turns.cancel(conversation, turn_id, ANNA.actor))

    def _owner(self, conversation: ConversationId) -> Server | None:
        up = [it for it in self._servers if it.is_up]
        has = [it for it in up if it.lanes.among(conversation)]
        if has:
            return has[0]
        return self.chance.choice(up) if up else None

    async def _done_by(self, server: Server, call: Any) -> bool:
        task = server.place.spawn(call, "call")
        await asyncio.wait([task], timeout=20.0)
        if not task.done() or task.cancelled():
            task.cancel()
            return False
        return not isinstance(task.exception(), DomainError)

    async def _befall(self) -> None:
        until = asyncio.get_running_loop().time() + FAULTS_S
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(self.chance.uniform(0.2, 5.0))
            self.fault = self.chance.choice(FAULTS[self.kind])
            self.judge.counts[f"fault {self.fault}"] += 1
            await getattr(self, f"_{self.fault}")()

    async def _heal(self) -> None:
        for place in self._places:
            place.go_on()
        for place in self._places:
            self.net.join(place, torn=False)

    @property
    def _places(self) -> list[Place]:
        return [*(it.place for it in self._hands), *(it.place for it in self._servers)]

    async def _until_ended(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        while loop.time() < until:
            ended = {it.turn_id for it in self.log.events if it.HasField("turn_finished")}
            begun = {it.turn_id for it in self.log.events if it.HasField("turn_accepted")}
            asked = begun | self.judge.asked.keys()
            if ended >= asked and all(it.done() for it in self._clients):
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(20.0)  # what is left behind has had its time

    def _look_for_remains(self) -> None:
        left = self.judge.wrong.append
        for server in self._servers:
            pool = server.pool
            for session in pool.sessions:
                if session.turns:
                    left(f"{session.worker_id} at {server.name} has {dict(session.turns)} still")
            if server.serving.assignments.live or server.lanes.all() or pool.waiting:
                left(f"{server.name} has {list(server.serving.assignments.live)} {pool.waiting}")
            ids = [it.worker_id for it in pool.sessions]
            if len(ids) != len(set(ids)):
                left(f"{server.name} knows workers twice")
        here = [it.worker_id for server in self._servers for it in server.pool.sessions]
        alive = [it.worker_id for it in self._hands if not it.run.done()]
        if sorted(here) != sorted(alive):
            left(f"workers {alive} live, {here} are there")
        for hand in self._hands:
            if not hand.run.done() and len(hand.session.held):
                left(f"{hand.place.name} holds {hand.session.held.attached()}")
            if hand.run.done() and not hand.run.cancelled() and hand.run.exception():
                left(f"{hand.place.name} ended by {hand.run.exception()!r}")
