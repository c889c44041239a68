"""Many subscribers of one scope, and somebody who publishes in it at a fixed rate."""

import asyncio
import itertools
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from antiphon.events.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import OPEN_TIMEOUT_S, Connection, Failed, connect
from tests.proofs.bench.loads.spawn import spawn_load

METHOD = "/antiphon.events.v1.EventService/Subscribe"
CONNECTIONS = 20
CHECKED = 100
WARM_S = 1.0
SETTLE_S = 0.5
_FRAME_OF_BATCH = 0x0A
# A batch ends with its cursor, whose hexadecimal tail is the offset.
_OFFSET = re.compile(rb"[0-9a-f]{20}([0-9a-f]+)\Z")


class Gap(Exception):
    """A subscriber did not get every event, in order."""


@dataclass(frozen=True, slots=True)
class Job:
    """``subscribers`` streams over a few connections; the publisher's ``token`` is a service's."""

    target: dict[str, Any]
    scope: str
    subscribers: int
    per_second: int
    seconds: float
    publisher: dict[str, Any]


class _Reader:
    """One stream; its frames are noted as (after, up to, monotonic seconds)."""

    def __init__(self, connection: Connection, scope: str, *, checked: bool) -> None:
        self.frames: list[tuple[int, int, float]] = []
        self.created: asyncio.Future[None] = connection.loop.create_future()
        self._checked = checked
        self._last = 0
        self.stream = connection.stream(self._got)
        create = SubscribeRequest(create=Watch(watch_id="w", scope=scope))
        self.stream.send(create.SerializeToString())

    def _got(self, frame: bytes) -> None:
        if frame[0] != _FRAME_OF_BATCH:
            if not self.created.done():
                self._begin(SubscribeResponse.FromString(frame))
            return
        now, found = time.monotonic(), _OFFSET.search(frame[-48:])
        if found is None:
            raise Gap("a batch without a cursor")
        if self._checked:
            check_batch(frame, self._last)
        up_to = int(found[1], 16)
        self.frames.append((self._last, up_to, now))
        self._last = up_to

    def _begin(self, frame: SubscribeResponse) -> None:
        if frame.HasField("created"):
            self.created.set_result(None)
        else:
            self.created.set_exception(Failed(f"no watch: {frame}"))


async def run(job: Job) -> dict[str, Any]:
    """Returns events and frames delivered a second, and the delay's percentiles in seconds."""
    target = Target(**job.target)
    connections = [await connect(target, METHOD) for _ in range(CONNECTIONS)]
    try:
        readers = await _subscribe(job, connections)
        parts = target.parts_s()
        cpu, used, begun = target.cpu_s, time.process_time(), time.monotonic()
        published = await spawn_load(
            "publish",
            {
                "target": job.publisher,
                "scope": job.scope,
                "per_second": job.per_second,
                "seconds": WARM_S + job.seconds,
            },
        )
        await asyncio.sleep(SETTLE_S)
        whole = time.monotonic() - begun
        shares = (target.cpu_s - cpu) / whole, (time.process_time() - used) / whole
        parts = {part: s - parts[part] for part, s in target.parts_s().items()}
        for reader in readers:
            if reader.stream.done.done():
                reader.stream.done.result()
                raise Gap("a stream ended")
    finally:
        for connection in connections:
            connection.close()
    frames = list(itertools.chain.from_iterable(reader.frames for reader in readers))
    figures = result(job, frames, published, begun + whole)
    sent = sum(up_to - after for after, up_to, _ in frames if after) or 1
    figures["parts_us"] = {part: s / sent * 1e6 for part, s in parts.items()}
    return {**figures, "cpu_share": shares[0], "client_cpu_share": shares[1]}


async def _subscribe(job: Job, connections: list[Connection]) -> list[_Reader]:
    readers = []
    for at in range(job.subscribers):
        connection = connections[at % CONNECTIONS]
        reader = _Reader(connection, job.scope, checked=at % CHECKED == 0)
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            await reader.created
        readers.append(reader)
    return readers


def check_batch(frame: bytes, last: int) -> None:
    """Raise Gap unless the frame's events go on after ``last`` (0: anywhere), in order."""
    for event in SubscribeResponse.FromString(frame).batch.events:
        if last and event.first_offset != last + 1:
            raise Gap(f"{event.first_offset} came after {last}")
        last = event.last_offset


def result(
    job: Job, frames: list[tuple[int, int, float]], published: dict[str, Any], looked: float
) -> dict[str, Any]:
    """What was due in the window: what of it came within, and how late each was.

    What had not come when it was ``looked`` for was at least so late.
    """
    begin = published["begin"] + WARM_S
    end = begin + job.seconds
    due = {
        first + at: when
        for first, count, when in published["appends"]
        for at in range(count)
        if begin <= when < end
    }
    delivered = 0
    delays: Counter[int] = Counter()  # in tenths of a millisecond
    came: Counter[int] = Counter()
    for after, up_to, now in frames:
        for offset in range(after + 1 if after else up_to, up_to + 1):
            if offset in due:
                delivered += now < end
                came[offset] += 1
                delays[int((now - due[offset]) * 10_000)] += 1
    for offset, when in due.items():
        delays[int((looked - when) * 10_000)] += job.subscribers - came[offset]
    return {
        "events_per_s": delivered / job.seconds,
        "frames_per_s": len(frames) / (WARM_S + job.seconds),
        "p50_s": _percentile(delays, 50),
        "p99_s": _percentile(delays, 99),
    }


def _percentile(delays: "Counter[int]", percent: float) -> float:
    left = delays.total() * percent / 100
    for delay in sorted(delays):
        left -= delays[delay]
        if left <= 0:
            break
    return delay / 10_000
