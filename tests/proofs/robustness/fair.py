"""One user at the limit, beside another: what the other one's calls take without and with them.

Measured in pairs, in one run, because machines are shared: each round gives the other's times
without the greedy user and with them, and the figures are the medians of the rounds' ratios.
"""

import asyncio
import contextlib
import json
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import grpc
import psutil

from antiphon.context.v1.context_service_pb2 import (
    CreateConversationRequest,
    GetConversationRequest,
)
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import CancelTurnRequest, DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1 import event_service_pb2 as events
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import START_POSITION_LATEST, Watch
from antiphon_client import Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.valkey import Valkey
from tests.proofs.bench.figures import percentile
from tests.proofs.bench.processes import ROOT, environment, printed, used_s
from tests.proofs.robustness.greedy import Job, job_line
from tests.proofs.robustness.mesh.deployment import new_secret, own_postgres

Kind = Literal["turns", "streams"]
KINDS: Sequence[Kind] = ("turns", "streams")
ASKED: Mapping[Kind, tuple[int, int]] = {"turns": (120, 1), "streams": (1, 1000)}
"""Turns that it asks for, and streams of the conversation of each."""
OFF = {"enabled": False, "turns": 800, "running": 800, "streams": 1000}
"""As if there were no shares."""
OTHERS = ("anna", "bert", "carl", "dora")
CALL_GAP_S, TURN_GAP_S, STAY_GAP_S = 0.1, 0.8, 5.0
SETTLING_S = 2.0
LOW = 10
DEADLINE_S = 60.0
DELTAS, DELTA_GAP_MS = 4000, 25
MOST_P50, MOST_P99 = 1.5, 2.0


@dataclass(slots=True)
class Times:
    """How long another's calls took, and how long their turns had no text, in ms."""

    calls: list[float] = field(default_factory=list)
    first_texts: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Fair:
    """What came of it: a pair of times for each round; ``had`` is what the greedy one had."""

    kind: Kind
    servers: int
    pairs: list[tuple[Times, Times]] = field(default_factory=list)
    had: dict[str, int] = field(default_factory=dict)
    busy: list[tuple[float, float]] = field(default_factory=list)
    """The part of a processor that the servers took, without and with."""
    defects: list[str] = field(default_factory=list)

    def ratio(self, of: str, percent: float) -> float:
        """By how much it is more with the greedy one, in the middle of the rounds."""
        return statistics.median(
            percentile(getattr(beside, of), percent) / percentile(getattr(without, of), percent)
            for without, beside in self.pairs
        )

    @property
    def taken(self) -> float:
        """The part of a processor that the greedy one takes, in the middle of the rounds."""
        return statistics.median(beside - without for without, beside in self.busy)

    def figures(self) -> list[dict[str, Any]]:
        """The percentiles without, with, and their ratios."""
        found: list[dict[str, Any]] = []
        for of in ("calls", "first_texts"):
            for percent in (50, 99):
                sides = [
                    [round(percentile(getattr(pair[side], of), percent), 2) for pair in self.pairs]
                    for side in (0, 1)
                ]
                found.append(
                    {
                        "of": f"{of.replace('_', ' ')} p{percent}",
                        "without_ms": sides[0],
                        "beside_ms": sides[1],
                        "ratio": round(self.ratio(of, percent), 2),
                    }
                )
        return found

    @property
    def wrong(self) -> list[str]:
        """What broke the promise."""
        found = list(self.defects)
        for figure in self.figures():
            most = MOST_P50 if figure["of"].endswith("p50") else MOST_P99
            if figure["ratio"] > most:
                found.append(f"{figure['of']}: {figure['ratio']:.2f} times what it is without")
        return found

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        return {
            "name": f"fair {self.kind} {self.servers}",
            "kind": self.kind,
            "servers": self.servers,
            "had": self.had,
            "busy": self.busy,
            "figures": self.figures(),
            "violations": self.wrong,
        }

    @property
    def line(self) -> str:
        """All of it in some lines."""
        lines = [f"fair: {self.kind}, {self.servers} server(s); the greedy one has {self.had}"]
        for it in self.figures():
            sides = [", ".join(f"{ms:.1f}" for ms in it[f"{s}_ms"]) for s in ("without", "beside")]
            lines.append(
                f"  {it['of']}: {sides[0]} ms without, {sides[1]} ms with: {it['ratio']:.2f}"
            )
        busy = ", ".join(f"{a:.2f} -> {b:.2f}" for a, b in self.busy)
        return "\n".join([*lines, f"  processors busy: {busy}"])


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody who works as people do: looks things up, and asks the model now and then."""

    channels: Sequence[grpc.aio.Channel]
    token: str
    conversation: str

    async def work(self, times: Times, end: float) -> None:
        """Do so until then; what has begun is waited for, and leaves nothing behind."""
        await asyncio.sleep(random.uniform(0, TURN_GAP_S))  # people do not go in step
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_up(times, end))
            group.create_task(self._talk(times, end))

    async def stay(self) -> None:
        """Be there, until cancelled: who has not called for a minute is not held to be."""
        request = GetConversationRequest(conversation_id=self.conversation)
        context = ContextServiceStub(self.channels[0])
        while True:
            await context.GetConversation(request, metadata=self._metadata, timeout=DEADLINE_S)
            await asyncio.sleep(STAY_GAP_S)

    async def _look_up(self, times: Times, end: float) -> None:
        request = GetConversationRequest(conversation_id=self.conversation)
        contexts = cycle([ContextServiceStub(channel) for channel in self.channels])
        while time.monotonic() < end:
            began = time.perf_counter()
            await next(contexts).GetConversation(
                request, metadata=self._metadata, timeout=DEADLINE_S
            )
            times.calls.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(CALL_GAP_S)

    async def _talk(self, times: Times, end: float) -> None:
        dispatcher: Any = DispatcherServiceStub(self.channels[0])
        request = DispatchRequest(
            conversation_id=self.conversation,
            parts=[Part(text="go")],
            policy=TURN_POLICY_PARALLEL,
        )
        watch = Watch(
            watch_id="w",
            scope=f"conversations/{self.conversation}",
            start=START_POSITION_LATEST,
        )
        follow = EventServiceStub(self.channels[-1]).Follow(
            events.FollowRequest(watches=[watch]), metadata=self._metadata
        )
        await follow.read()
        while time.monotonic() < end:
            began = time.perf_counter()
            answer = await dispatcher.Dispatch(request, metadata=self._metadata, timeout=DEADLINE_S)
            turn_id = answer.turn.turn_id
            async with asyncio.timeout(DEADLINE_S):
                while not _speaks(await follow.read(), turn_id):
                    pass
            times.first_texts.append(1000 * (time.perf_counter() - began))
            await dispatcher.CancelTurn(
                CancelTurnRequest(conversation_id=self.conversation, turn_id=turn_id),
                metadata=self._metadata,
                timeout=DEADLINE_S,
            )
            await asyncio.sleep(TURN_GAP_S)
        follow.cancel()

    @property
    def _metadata(self) -> tuple[tuple[str, str]]:
        return (("authorization", f"Bearer {self.token}"),)


async def _measured(others: Sequence[Other], seconds: float) -> Times:
    """What they all saw in that time."""
    times, end = Times(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for other in others:
            group.create_task(other.work(times, end))
    return times


def _speaks(frame: Any, turn_id: str) -> bool:
    return any(
        event.turn_id == turn_id and event.HasField("text_delta_appended")
        for event in frame.batch.events
    )


@asynccontextmanager
async def _servers(
    home: Path, count: int, shares: Mapping[str, Any]
) -> AsyncIterator[Sequence[ServerProcess]]:
    """One with a store of its own, or some that share one."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(
            printed("tests.proofs.bench.endpoint", f"--deltas={DELTAS}", f"--gap-ms={DELTA_GAP_MS}")
        )
        _elsewhere(model.pid)
        variables = {"ANTIPHON_SHARES": json.dumps(dict(shares))}
        if count > 1:
            postgres = await stack.enter_async_context(own_postgres())
            valkey = await stack.enter_async_context(Valkey())
            variables |= {
                "ANTIPHON_SECRET_KEY": new_secret(),
                "ANTIPHON_DATABASE_URL": await postgres.database(),
                "ANTIPHON_REDIS_URL": valkey.url,
            }
        models = [openai_model("fake/ok", model.line, model="fake")]
        yield [
            await stack.enter_async_context(
                ServerProcess(home / f"server-{n}", models=models, variables=variables)
            )
            for n in range(count)
        ]


def _elsewhere(pid: int) -> None:
    """Models and greedy clients have machines of their own: here they make way for servers."""
    psutil.Process(pid).nice(LOW)


@asynccontextmanager
async def _greedy(job: Job, other: Other) -> AsyncIterator[dict[str, int]]:
    """It takes in a process of its own: what it costs there is not measured.

    Alone it would have all of the server, so another is there while it asks.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.proofs.robustness.greedy"),
        cwd=ROOT,
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    _elsewhere(process.pid)
    try:
        process.stdin.write(job_line(job))
        async with asyncio.timeout(DEADLINE_S * 5), asyncio.TaskGroup() as group:
            there = group.create_task(other.stay())
            had = json.loads(await process.stdout.readline())  # for long: its share is small
            there.cancel()
        yield had
        process.stdin.close()
        async with asyncio.timeout(DEADLINE_S):
            await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def fair_of(
    home: Path,
    kind: Kind,
    count: int,
    rounds: int,
    seconds: float,
    shares: Mapping[str, Any] = MappingProxyType({}),
) -> Fair:
    """Measure in turn, ``seconds`` each, on ``count`` servers with such ``shares``."""
    fair = Fair(kind, count)
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(_servers(home, count, shares))
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
            for server in servers
        ]
        others = [await _other(servers[0], channels, name) for name in OTHERS]
        greedy = await _signed_in(servers[0], "greedy")
        job = Job([server.address for server in servers], greedy, *ASKED[kind])
        for _ in range(rounds):
            await _round(fair, servers, others, job, seconds)
        fair.defects = [f"log: {line}" for server in servers for line in server.defects]
    return fair


async def _round(
    fair: Fair, servers: Sequence[ServerProcess], others: Sequence[Other], job: Job, seconds: float
) -> None:
    async def measured() -> tuple[Times, float]:
        await _measured(others, SETTLING_S)
        used = sum(used_s(server.pid) for server in servers)
        began = time.monotonic()
        times = await _measured(others, seconds)
        passed = time.monotonic() - began
        return times, round((sum(used_s(server.pid) for server in servers) - used) / passed, 2)

    without, busy_without = await measured()
    async with _greedy(job, others[0]) as fair.had:
        beside, busy_beside = await measured()
    fair.pairs.append((without, beside))
    fair.busy.append((busy_without, busy_beside))


async def _other(server: ServerProcess, channels: Sequence[grpc.aio.Channel], name: str) -> Other:
    """Whose turns are asked for by one of the channels, and followed by another."""
    token = await _signed_in(server, name)
    at = OTHERS.index(name) % len(channels)
    own = [*channels[at:], *channels[:at]]
    return Other(own, token, await _conversation(own[0], token))


async def _signed_in(server: ServerProcess, name: str) -> str:
    async with server.client() as operator:
        await operator.create_user(name, PASSWORD)
    async with Client.connect(server.address, Password(name, PASSWORD)) as client:
        return await client.tokens.get()


async def _conversation(channel: grpc.aio.Channel, token: str) -> str:
    made = await ContextServiceStub(channel).CreateConversation(
        CreateConversationRequest(),
        metadata=(("authorization", f"Bearer {token}"),),
        timeout=DEADLINE_S,
    )
    return made.conversation.conversation_id
