"""A server in the rig: the real rules of turns and of workers, on a store that others share."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import Engine

from antiphon.dispatcher.v1.worker_service_pb2_grpc import (
    WorkerServiceStub,
    add_WorkerServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.answers import Answers
from antiphon_server.dispatcher.encoding import text_of
from antiphon_server.dispatcher.execution import Execution
from antiphon_server.dispatcher.grants import Grants
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
from antiphon_server.dispatcher.model import ConversationId, ConversationView
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.dispatcher.turn_states import StoredTurnStates
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.channels.server_ways import ServerWays
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.adapters.sql_versions import SqlVersions
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.borrowing import Borrowing
from antiphon_server.workers.care import Care
from antiphon_server.workers.delegation import Delegation
from antiphon_server.workers.deployments import Deployments
from antiphon_server.workers.encoding import PartContents
from antiphon_server.workers.hearing import Hearing
from antiphon_server.workers.lending import Lending
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.servicer import WorkerServicer
from antiphon_server.workers.serving import Serving
from antiphon_server.workers.versions import Versions
from antiphon_server.workers.working import Working
from tests.proofs.workers.cables import Line, Net
from tests.proofs.workers.place import Place
from tests.proofs.workers.store import Seen

LEASE_S = 15.0
WORKER = Principal("user", UserId("user_worker01"), SessionId("sess_worker1"))
ANNA = Principal("user", UserId("user_anna0001"), SessionId("sess_anna001"))


class Everybody:
    """All may do all, and all conversations are there."""

    async def check_write(self, principal: Principal, conversation_id: ConversationId) -> None:
        """They may."""

    async def check_read(self, principal: Principal, scope: str) -> None:
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
        await self._place.alive()


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
        return not self.place.dead and self.place.running.is_set()

    async def start(self) -> None:
        """Take turns in hand that an earlier life had, and look after workers."""
        self._shared.living[self.name] = self
        await self.place.spawn(self._start(), "start")

    async def kill(self) -> None:
        """End it at once."""
        self._shared.living.pop(self.name, None)
        await self._shared.net.kill(self.place)

    def set_caller(self, principal: Principal) -> None:
        """Who makes the call that comes next."""
        set_principal(principal)

    def open_work(self, metadata: Any, timeout: float) -> Any:
        """A worker's stream, as the server sees it."""
        return WorkerServiceStub(self.channel).Work(metadata=metadata, timeout=timeout)

    def _compose(self) -> None:
        shared, chance = self._shared, self._shared.chance
        database, everybody = Seen(shared.engine, chance, self.place), Everybody()
        tasks: set[asyncio.Task[None]] = set()

        def spawn(name: str, it: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
            task = self.place.spawn(it, name)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            return task

        self.store = SqlTurnStore(database)
        reached: Any = _Reached(shared.events, self.place, chance)
        journal = EventLogJournal(reached)
        self.lanes = Lanes()
        self.permissions = Permissions(SqlPermissions(database), everybody, ())
        versions = Versions()
        self.pool = Pool(shared.limits, versions)
        self.deployments = Deployments(SqlVersions(database), versions, self.pool)
        asking = Asking(NoTools(), PartContents())
        grants = Grants(GrantTokens(Secret()))
        rules = grants, asking, Delegation(PartContents()), self.deployments
        self.serving = Serving(self.pool, self.permissions, *rules, shared.limits)
        handlers = Handlers([Echo(text_of)], self.serving)
        clock, limits = lambda: time.time(), TurnLimits()
        runner = Runner(self.store, journal, self.name, LEASE_S, Shares(), clock)
        execution = Execution(self.store, journal, handlers, runner, self.lanes, spawn, limits)
        parts = runner, self.lanes, execution
        recovery = Recovery(self.store, journal, handlers, *parts)
        admission = Admission(self.store, handlers, self.lanes, limits)
        about = self.store, journal, everybody, everybody, handlers
        self.turns = Turns(*about, *parts, recovery, limits, admission)
        self.answers = Answers(self.store, journal, self.lanes)
        self.adoptions = Adoptions(recovery, self.lanes)
        self.leases = Leases(self.store, self.lanes, self.adoptions, self.name, clock=clock)
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
        self.borrowing = Borrowing(self.pool, assignments, self._others, ways, shared.limits)
        lending = Lending(self.pool, shared.limits)
        unused: Any = None
        local = LocalServer([ErrorInterceptor()])
        servicer = WorkerServicer(self.working, unused, lending, unused, unused, unused)
        add_WorkerServiceServicer_to_server(servicer, local)
        self.channel = local.channel()

    async def _start(self) -> None:
        await self.permissions.refresh()
        await self.deployments.refresh()
        self.place.spawn(self.deployments.look_for_changes(), "rollouts")
        self.place.spawn(self.deployments.note(), "versions")
        self.place.spawn(self.care.run(), "care")
        self.place.spawn(self.borrowing.run(), "borrowing")
        await self.leases.adopt_orphans(own=True)
        self.place.spawn(self.leases.run(), "leases")

    async def _others(self) -> Mapping[str, str]:
        return {str(id(it)): name for name, it in self._shared.living.items() if it is not self}

    def _line(self, address: str) -> Line:
        other = self._shared.living[address]
        return Line(self._shared.net, self.place, other.place, other.channel)
