"""A server in the rig: the real rules of turns and of workers, on a store that others share."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import Engine, delete

from antiphon.dispatcher.v1.worker_service_pb2 import OpenWorkRequest, UpdateWorkRequest
from antiphon.dispatcher.v1.worker_service_pb2_grpc import (
    WorkerServiceStub,
    add_WorkerServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.adapters.shared_sql import SharedTurnStore
from antiphon_server.dispatcher.adapters.sql_handoffs import SqlHandoffQueue
from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.answers import Answers
from antiphon_server.dispatcher.choosing import Choosing
from antiphon_server.dispatcher.encoding import result_of, text_of
from antiphon_server.dispatcher.execution import Execution
from antiphon_server.dispatcher.grants import Grants
from antiphon_server.dispatcher.handing_off import HandingOff
from antiphon_server.dispatcher.handlers.echo import Echo
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.handling import (
    AskedCall,
    Attendance,
    CallPaused,
    CallResult,
    ToolCall,
    Turn,
)
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.leases import Leases
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import ConversationId, ConversationView, TurnId
from antiphon_server.dispatcher.ports import Left, Words
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.dispatcher.turn_states import StoredTurnStates
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.channels.server_ways import ServerWays
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.nodes import NodeLease, nodes
from antiphon_server.runtime.nodes.homes import Homes
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.adapters.sql_versions import SqlVersions
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.borrowing import Borrowing
from antiphon_server.workers.care import Care
from antiphon_server.workers.delegation import Delegation
from antiphon_server.workers.deployments import Deployments
from antiphon_server.workers.encoding import PartContents
from antiphon_server.workers.following import Following
from antiphon_server.workers.hearing import Hearing
from antiphon_server.workers.lending import Lending
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.servicer import WorkerServicer
from antiphon_server.workers.serving import Serving
from antiphon_server.workers.twin import Twin
from antiphon_server.workers.versions import Versions
from antiphon_server.workers.working import Working
from tests.proofs.workers.cables import Line, Net, lost
from tests.proofs.workers.place import Place
from tests.proofs.workers.store import Seen

LEASE_S = 15.0
SEEN_DEAD_S = 1.0
WORKER = Principal("user", UserId("user_worker01"), SessionId("sess_worker1"))
ANNA = Principal("user", UserId("user_anna0001"), SessionId("sess_anna001"))


class Everybody:
    """All may do all, and all conversations are there."""

    async def check_write(self, principal: Principal, conversation_id: ConversationId) -> None:
        """They may."""

    async def check_read(self, principal: Principal, scope: str) -> None:
        """They may."""

    async def check_role(
        self, principal: Principal, conversation_id: str, *, admin: bool, reads: bool = False
    ) -> None:
        """They may."""

    async def verify(self, access_token: str) -> Principal:
        """It is a worker's."""
        return WORKER

    async def verified(self, token: str) -> Principal:
        """It is a worker's."""
        return WORKER

    async def recheck(self, principal: Principal, token: str) -> None:
        """They may go on."""

    async def require(self, user_id: UserId) -> None:
        """There is such a user."""

    async def get(self, conversation_id: ConversationId) -> ConversationView:
        """It is there."""
        return ConversationView(conversation_id, "ws_00000001")

    async def heard(
        self, conversation_id: ConversationId, principal: Principal, content: bytes
    ) -> ConversationView:
        """Nobody detects anything."""
        return await self.get(conversation_id)

    async def screened(
        self,
        view: ConversationView,
        author: str,
        turn_id: TurnId,
        content: bytes,
        *,
        holds: bool = False,
    ) -> Left:
        """There are no filters."""
        return Left(content)

    async def screened_words(
        self, view: ConversationView, author: str, turn_id: TurnId, words: Words
    ) -> Sequence[str]:
        """There are no filters."""
        return [said for said, _ in words]


class Secret:
    """The installation's."""

    is_new = False

    def derive(self, purpose: str) -> bytes:
        """See :meth:`ServerSecret.derive`."""
        return hashlib.sha256(purpose.encode()).digest()

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Nothing is sealed here."""
        raise NotImplementedError

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Nothing is sealed here."""
        raise NotImplementedError


class NoBudgets:
    """Nobody counts what is spent."""

    async def left(self, turn: Turn) -> Sequence[bytes]:
        """Nothing limits it."""
        return ()


class NoTools:
    """There are no tools beside the workers' own."""

    async def planned(self, turn: Turn, calls: Sequence[ToolCall]) -> Sequence[AskedCall]:
        """None is asked for."""
        raise NotImplementedError

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        """None is asked for."""
        raise NotImplementedError


class _Reached:
    """A way to the log, as a server has it that may be dead before the answer comes."""

    def __init__(self, stub: Any, place: Place, chance: Random) -> None:
        self._stub, self._place, self._chance = stub, place, chance

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._stub, name)

        async def call(request: Any, timeout: float) -> Any:
            await self._on_the_way()
            answer = await asyncio.shield(asyncio.ensure_future(method(request)))
            await self._on_the_way()
            return answer

        return call

    async def _on_the_way(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.002))
        self._place.alive()


@dataclass
class Shared:
    """What all servers have in common."""

    engine: Engine
    events: Any
    net: Net
    chance: Random
    limits: WorkerLimits
    living: "dict[str, Server]" = field(default_factory=dict)


class Server:
    """One life of a server."""

    def __init__(self, name: str, shared: Shared) -> None:
        self.place, self._shared = Place(name), shared
        self.name = name
        self.place.here(self._compose)

    @property
    def is_up(self) -> bool:
        """Whether it is alive and not halted."""
        return not (self.place.dead or self.place.is_halted)

    async def start(self) -> None:
        """Take turns in hand that an earlier life had, and look after workers."""
        self._shared.living[self.name] = self
        await self.place.spawn(self._start(), "start")

    async def kill(self) -> None:
        """End it at once; the others see by two signs that it is dead."""
        self._shared.living.pop(self.name, None)
        await self._shared.net.kill(self.place)
        asyncio.get_running_loop().call_later(SEEN_DEAD_S, self._seen_dead)

    def _seen_dead(self) -> None:
        ours = nodes.c.life == self.lease.life
        with self._shared.engine.begin() as connection:
            connection.execute(delete(nodes).where(ours))
        for other in self._shared.living.values():
            other.lease.left.set()

    def open_work(self, metadata: Any, timeout: float) -> Any:
        """A worker's stream, as the server sees it."""
        set_principal(WORKER)
        return WorkerServiceStub(self.channel).Work(metadata=metadata, timeout=timeout)

    def open_twin(self, request: OpenWorkRequest, metadata: Any, timeout: float) -> Any:
        """A stream of one that says by calls."""
        set_principal(WORKER)
        stub = WorkerServiceStub(self.channel)
        return stub.OpenWork(request, metadata=metadata, timeout=timeout)

    def update_twin(self, request: UpdateWorkRequest, metadata: Any) -> Any:
        """What that one says."""
        set_principal(WORKER)
        return WorkerServiceStub(self.channel).UpdateWork(request, metadata=metadata, timeout=60.0)

    def _compose(self) -> None:
        shared, chance = self._shared, self._shared.chance
        database, everybody = Seen(shared.engine, chance, self.place), Everybody()
        self._database = database
        self.lease = NodeLease(database, self.name, LEASE_S, clock=lambda: time.time())
        tasks: set[asyncio.Task[None]] = set()

        def spawn(name: str, it: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
            task = self.place.spawn(it, name)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            return task

        self.store = SharedTurnStore(database)
        reached: Any = _Reached(shared.events, self.place, chance)
        journal = EventLogJournal(reached)
        self.lanes = Lanes()
        self.permissions = Permissions(SqlPermissions(database), everybody, ())
        versions = Versions()
        self.pool = Pool(shared.limits, versions)
        self.deployments = Deployments(SqlVersions(database), versions, self.pool)
        contents = PartContents()
        following = Following(Asking(NoTools(), contents), Delegation(contents), contents)
        grants = Grants(GrantTokens(Secret()))
        rules = grants, following, self.deployments, NoBudgets()
        self.serving = Serving(self.pool, self.permissions, *rules, shared.limits)
        handlers = Handlers([Echo(text_of)], self.serving)
        clock, limits = lambda: time.time(), TurnLimits()
        made_by = self.store, journal, self.name, LEASE_S, Shares()
        handing = HandingOff(journal, SqlHandoffQueue(database))
        asking = handing, Choosing(result_of)
        runner = Runner(*made_by, *asking, clock, lease=self.lease)
        admission = Admission(self.store, handlers, self.lanes, limits)
        made_of = self.store, journal, handlers, runner, self.lanes
        execution = Execution(*made_of, spawn, limits, admission, everybody)
        parts = runner, self.lanes, execution
        recovery = Recovery(self.store, journal, handlers, *parts)
        about = self.store, journal, everybody, everybody, handlers
        self.turns = Turns(*about, *parts, recovery, limits, admission)
        self.answers = Answers(self.store, journal, self.lanes)
        self.adoptions = Adoptions(recovery, self.lanes)
        about_leases = self.store, self.lanes, self.adoptions, self.name
        self.leases = Leases(*about_leases, clock=clock, left=self.lease.left)
        self._compose_workers(everybody)

    def _compose_workers(self, everybody: Everybody) -> None:
        shared, assignments = self._shared, self.serving.assignments
        watched = self.pool, assignments, self.permissions, everybody
        states = StoredTurnStates(self.lanes, self.store)
        hearing = Hearing(self.pool, everybody)
        heard = self.pool, assignments, self.permissions, hearing
        self.working = Working(*heard, states, self.deployments, shared.limits)
        self.care = Care(*watched, shared.limits)
        ways = ServerWays(self._line)
        others = self.lease.others
        self.borrowing = Borrowing(self.pool, assignments, others, ways, shared.limits)
        lending = Lending(self.pool, shared.limits)
        homes = Homes("work", WorkerServiceStub, self._database, self.lease, ServerWays(self._line))
        twin = Twin(self.working, hearing, homes)
        unused: Any = None
        local = LocalServer([ErrorInterceptor()])
        servicer = WorkerServicer(self.working, twin, lending, unused, unused, unused)
        add_WorkerServiceServicer_to_server(servicer, local)
        self.channel = local.channel()

    async def _start(self) -> None:
        await self.lease.begin(self.name)
        self.place.spawn(self.lease.run(), "lease")
        await self.permissions.refresh()
        await self.deployments.refresh()
        self.place.spawn(self.deployments.look_for_changes(), "rollouts")
        self.place.spawn(self.deployments.note(), "versions")
        self.place.spawn(self.care.run(), "care")
        self.place.spawn(self.borrowing.run(), "borrowing")
        await self.lease.announce(self.name)
        await self.leases.adopt_orphans(own=True)
        self.place.spawn(self.leases.run(), "leases")

    def _line(self, address: str) -> Line:
        def there() -> tuple[Place, Any]:
            other = self._shared.living.get(address)
            if other is None:
                raise lost()
            return other.place, other.channel

        # What is passed on to another server is a worker's call.
        return Line(self._shared.net, self.place, there, lambda: set_principal(WORKER))
