"""500 logins at once, for as long as it takes: what they cost others, and how much memory.

``python -m tests.auth.flood``. The calls of others are timed without and with the flood in turn,
because machines are shared: each round gives a pair of 99th percentiles, and the median of their
ratios is the figure. Who is told to come back later does so then, as clients do.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon_client import new_request_id
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.e2e.callers import Caller, channel_to, operator
from tests.e2e.server import ServerProcess
from tests.proofs.bench.figures import percentile
from tests.proofs.bench.processes import ROOT

LOGINS = 500
CONNECTIONS = 10
OWN = [("grpc.use_local_subchannel_pool", 1)]
SETTLE_S = 3.0
"""From the burst of all at once on, until they come as they are told to."""
PACE_S = 0.02
MOST_RATIO = 2.0
EVALUATION_BYTES = 64 << 20
THREADS = 2
MOST_GROWN_BYTES = THREADS * EVALUATION_BYTES + (64 << 20)


@dataclass(slots=True)
class Flood:
    """What came of it: pairs of percentiles (ms), bytes, and how logins were answered."""

    pairs: list[tuple[float, float]] = field(default_factory=list)
    grown_bytes: int = 0
    failed: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def ratio(self) -> float:
        """How much worse the 99th percentile of others' calls is."""
        return statistics.median(beside / without for without, beside in self.pairs)


async def run(
    home: Path, logins: int, rounds: int, seconds: float, settle: float = SETTLE_S
) -> Flood:
    """So many rounds; the others call for ``seconds`` without the flood, and again with it."""
    flood = Flood()
    async with ServerProcess(home) as server:
        other = await operator(server)
        async with channel_to(server) as channel:
            await _calls(channel, other, seconds / 2, flood)  # the first calls import
            before = server.resident_bytes
            for _ in range(rounds):
                without = await _calls(channel, other, seconds, flood)
                async with _storm(server, logins, flood) as peak:
                    await asyncio.sleep(settle)
                    beside = await _calls(channel, other, seconds, flood)
                flood.grown_bytes = max(flood.grown_bytes, peak() - before)
                flood.pairs.append((percentile(without, 99), percentile(beside, 99)))
    return flood


async def _calls(
    channel: grpc.aio.Channel, other: Caller, seconds: float, flood: Flood
) -> list[float]:
    """What others' calls took, in ms: a read and a durable write in turn, at an even pace."""
    auth: Any = AuthServiceStub(channel)
    context: Any = ContextServiceStub(channel)
    post = PostMessageRequest(conversation_id=other.known["conv"], parts=[Part(text="hello")])
    took: list[float] = []
    ends = time.monotonic() + seconds
    while (began := time.monotonic()) < ends:
        post.request_id = new_request_id()
        for call, request in ((auth.WhoAmI, pb.WhoAmIRequest()), (context.PostMessage, post)):
            sent = time.perf_counter()
            try:
                await call(request, metadata=other.metadata, timeout=10)
            except grpc.aio.AioRpcError:
                flood.failed += 1
            took.append((time.perf_counter() - sent) * 1000)
        await asyncio.sleep(max(0.0, began + PACE_S - time.monotonic()))
    return took


@contextlib.asynccontextmanager
async def _storm(server: ServerProcess, logins: int, flood: Flood) -> AsyncIterator[Any]:
    """The flood, from a process of its own; gives the server's largest memory so far."""
    most = server.resident_bytes

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, server.resident_bytes)
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    storm = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.auth.flood", "--storm", server.address),
        *("--logins", str(logins)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert storm.stdout is not None
    await storm.stdout.readline()  # all logins are on their way
    try:
        yield lambda: most
    finally:
        answers, _ = await storm.communicate(b"")  # closes its input, which ends it
        watching.cancel()
        await asyncio.wait([watching])
    for line in answers.decode().splitlines():
        reason, _, count = line.partition(" ")
        flood.answers[reason] += int(count)


async def storm(address: str, logins: int) -> None:
    """That many people who log in again and again, until the input ends.

    They would sit at other machines, so they stand back behind who works on this one.
    """
    os.nice(10)
    answers: Counter[str] = Counter()
    async with contextlib.AsyncExitStack() as stack:
        stubs = [
            AuthServiceStub(
                await stack.enter_async_context(grpc.aio.insecure_channel(address, options=OWN))
            )
            for _ in range(CONNECTIONS)
        ]
        people = [
            asyncio.create_task(_person(stubs[n % CONNECTIONS], n, answers)) for n in range(logins)
        ]
        print("begun", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        async with asyncio.timeout(60):  # one at least is looked at, however busy the machine is
            while not answers["CREDENTIALS_INVALID"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for person in people:
            person.cancel()
        await asyncio.gather(*people, return_exceptions=True)
    for reason, count in answers.items():
        print(reason, count)


async def _person(stub: Any, number: int, answers: Counter[str]) -> None:
    request = pb.LoginRequest(device="flood")
    for attempt in range(1_000_000):
        request.password.name = f"user{number}.{attempt}"
        request.password.password = "wrong password"
        try:
            await stub.Login(request, timeout=60)
        except grpc.aio.AioRpcError as error:
            refused = domain_error_of(error)
            answers[refused.reason.value] += 1
            await asyncio.sleep(refused.retry_after or 0)


def main() -> int:
    """Run it, and print its figures; 1 if one is too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.auth.flood", description=__doc__)
    parser.add_argument("--logins", type=int, default=LOGINS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--storm", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.storm:
        asyncio.run(storm(arguments.storm, arguments.logins))
        return 0
    with tempfile.TemporaryDirectory() as home:
        flood = asyncio.run(run(Path(home), arguments.logins, arguments.rounds, arguments.seconds))
    pairs = ", ".join(f"{without:.1f}->{beside:.1f}" for without, beside in flood.pairs)
    print(
        f"{arguments.logins} logins at once: others' 99th percentile {flood.ratio:.2f} times what "
        f"it is without (median; ms: {pairs}); {flood.failed} of their calls failed; "
        f"+{flood.grown_bytes >> 20} MB; {dict(flood.answers)}"
    )
    bad = flood.ratio > MOST_RATIO or flood.grown_bytes > MOST_GROWN_BYTES or flood.failed
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
