"""Two servers on one Postgres under load, while Redis goes and comes back in each way.

``python -m tests.proofs.robustness.redis_outages [SECONDS]`` does each for so long (30), and fails
if a call failed, an event was missing, doubled or late, or Redis was taken up again too slowly.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon.auth.v1.auth_service_pb2 import WhoAmIRequest
from antiphon.events.v1 import event_service_pb2 as events
from antiphon.events.v1.stream_pb2 import START_POSITION_EARLIEST, Watch
from tests.e2e.callers import Caller, channel_to, operator
from tests.e2e.calls import Calls
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until, until_it
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey
from tests.proofs.robustness.mesh.deployment import new_secret, own_postgres

RESYNC_S = 2.0
PAUSE_S = 0.02
TIMEOUT_S = 30.0
PARTS = ("redis", "bus")


@dataclass(slots=True)
class Found:
    """What came of one way."""

    calls: int = 0
    failed: list[str] = field(default_factory=list)
    resync_s: float = 0.0
    lags: list[float] = field(default_factory=list)
    parts_away: set[str] = field(default_factory=set)

    @property
    def wrong(self) -> list[str]:
        """What must not be."""
        slow = [f"resync took {self.resync_s:.2f} s"] if self.resync_s > RESYNC_S else []
        return self.failed + slow

    def __str__(self) -> str:
        """One line."""
        lags = sorted(self.lags)
        return (
            f"{self.calls} calls, {len(self.failed)} failed; {len(lags)} events delivered, "
            f"median {lags[len(lags) // 2] * 1000:.0f} ms, longest {lags[-1] * 1000:.0f} ms after "
            f"the answer; resync {self.resync_s:.2f} s"
        )


class Load:
    """Calls to both servers, and a reader on each that checks what it gets."""

    def __init__(self, servers: list[ServerProcess], caller: Caller) -> None:
        self.found = Found()
        self._metadata = caller.metadata
        channels = [channel_to(server) for server in servers]
        self._calls = [Calls(channel, caller, caller.known["conv"]) for channel in channels]
        self._health: list[Any] = [health_pb2_grpc.HealthStub(channel) for channel in channels]
        self._answered: dict[int, float] = {}
        self._arrived: list[dict[int, float]] = [{} for _ in servers]
        self._positions = [0] * len(servers)
        self._last = 0

    async def during(self, work: Awaitable[None]) -> None:
        """Load both servers until ``work`` is done, and wait until all was delivered."""
        ends = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            readers = [tasks.create_task(self._read(at)) for at in range(len(self._calls))]
            works: list[Callable[[], Awaitable[None]]] = [self._ask_for_health]
            for at in range(len(self._calls)):
                post, who = partial(self._post, at), partial(self._who, at)
                works += [post, post, who]
            callers = [tasks.create_task(self._repeat(ends, each)) for each in works]
            await work
            ends.set()
            await asyncio.wait(callers)
            await self._delivered()
            for reader in readers:
                reader.cancel()
        for calls in self._calls:
            await calls.channel.close()
        self.found.lags = [
            max(arrived[offset] - answered, 0.0)
            for offset, answered in self._answered.items()
            for arrived in self._arrived
            if offset in arrived
        ]

    async def in_step(self) -> None:
        """Return when both servers have Redis and hear each other. Raises TimeoutError."""
        for health in self._health:
            for part in PARTS:
                await until_it(partial(_serves, health, part), TIMEOUT_S)

    async def _ask_for_health(self) -> None:
        """Note which parts are away now; the whole must serve."""
        for health in self._health:
            for part in PARTS:
                if not await _serves(health, part):
                    self.found.parts_away.add(part)
            if not await _serves(health, ""):
                self.found.failed.append("a server says that it does not serve")
        await asyncio.sleep(0.1)

    async def _post(self, at: int) -> None:
        """A post that the other server has to know at once."""
        calls, other = self._calls[at], self._calls[1 - at]
        request = calls.post("hello", request_id=str(uuid.uuid4()))
        answer = await self._call(calls.context.PostMessage, request)
        offset = answer.message.offset
        self._answered[offset] = time.monotonic()
        self._last = max(self._last, offset)
        head = await self._call(other.events.GetHead, events.GetHeadRequest(scope=other.scope))
        if head.last_offset < offset:
            self.found.failed.append(f"{offset} was not known at once")

    async def _who(self, at: int) -> None:
        await self._call(self._calls[at].auth.WhoAmI, WhoAmIRequest())

    async def _repeat(self, ends: asyncio.Event, call: Callable[[], Awaitable[None]]) -> None:
        while not ends.is_set():
            with contextlib.suppress(grpc.aio.AioRpcError):
                await call()
            await asyncio.sleep(PAUSE_S)

    async def _call(self, rpc: Any, request: Any) -> Any:
        self.found.calls += 1
        try:
            return await rpc(request, metadata=self._metadata, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            self.found.failed.append(f"{type(request).__name__}: {error.code()} {error.details()}")
            raise

    async def _read(self, at: int) -> None:
        calls = self._calls[at]
        watch = Watch(watch_id="w", scope=calls.scope, start=START_POSITION_EARLIEST)
        follow: Any = calls.events.Follow(
            events.FollowRequest(watches=[watch]), metadata=self._metadata
        )
        try:
            async for frame in follow:
                for event in frame.batch.events:
                    self._take(at, event.first_offset, event.last_offset)
        except grpc.aio.AioRpcError as error:
            self.found.failed.append(f"a stream ended: {error.code()} {error.details()}")

    def _take(self, at: int, first: int, last: int) -> None:
        position = self._positions[at]
        if not first <= position + 1 <= last:
            self.found.failed.append(f"{first}-{last} came after {position}")
        self._positions[at] = last
        self._arrived[at][last] = time.monotonic()

    async def _delivered(self) -> None:
        try:
            await until(lambda: min(self._positions) >= self._last, TIMEOUT_S)
        except TimeoutError:
            self.found.failed.append(f"{self._positions} of {self._last} were delivered")


async def _serves(health: Any, part: str) -> bool:
    request = health_pb2.HealthCheckRequest(service=part)
    answer = await health.Check(request, timeout=TIMEOUT_S)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def killed(valkey: Valkey, seconds: float) -> None:
    """Away, and back with nothing."""
    await valkey.kill()
    await asyncio.sleep(seconds)
    await valkey.start()


async def frozen(valkey: Valkey, seconds: float) -> None:
    """Connections stay open and nothing is answered."""
    valkey.freeze()
    await asyncio.sleep(seconds)
    valkey.thaw()


async def flapping(valkey: Valkey, seconds: float) -> None:
    """Away and back, again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await valkey.kill()
        await asyncio.sleep(0.3)
        await valkey.start()
        await asyncio.sleep(0.4)


async def emptied(valkey: Valkey, seconds: float) -> None:
    """Back at once, each second, with nothing."""
    for _ in range(max(1, int(seconds))):
        await valkey.kill()
        await valkey.start()
        await asyncio.sleep(1.0)


WAYS = (killed, frozen, flapping, emptied)


@contextlib.asynccontextmanager
async def two_servers(
    folder: Path, postgres: Postgres, valkey: Valkey
) -> AsyncIterator[list[ServerProcess]]:
    """On one database and one Redis."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_REDIS_URL": valkey.url,
        "ANTIPHON_SECRET_KEY": new_secret(),
    }
    servers = [ServerProcess(folder / name, variables=variables) for name in ("one", "two")]
    async with all_of(servers):
        yield servers


async def outage(
    servers: list[ServerProcess],
    valkey: Valkey,
    way: Callable[[Valkey, float], Coroutine[Any, Any, None]],
    seconds: float,
) -> Found:
    """Load the servers before, during and after an outage of that kind."""
    load = Load(servers, await operator(servers[0]))

    async def work() -> None:
        await load.in_step()
        await asyncio.sleep(min(1.0, seconds))
        await way(valkey, seconds)
        back = time.monotonic()
        await load.in_step()
        load.found.resync_s = time.monotonic() - back
        await asyncio.sleep(min(1.0, seconds))

    await load.during(work())
    return load.found


async def _main(seconds: float) -> int:
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            own_postgres() as postgres,
            Valkey() as valkey,
            two_servers(Path(folder), postgres, valkey) as servers,
        ):
            for way in WAYS:
                found = await outage(servers, valkey, way, seconds)
                print(f"{way.__name__}, {seconds:.0f} s: {found}", flush=True)
                wrong += found.wrong
            wrong += [defect for server in servers for defect in server.defects]
    print(*wrong[:20], sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)))
