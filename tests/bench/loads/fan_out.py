"""Many subscribers of one scope, and somebody who publishes in it at a fixed rate."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import grpc

from antiphon.events.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from antiphon.events.v1.stream_pb2 import Watch
from tests.bench.loads.client import Target, channels
from tests.bench.loads.spawn import spawn_load

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


@dataclass(slots=True)
class _Tally:
    """Each frame's offsets and time of arrival: (after, up to, monotonic seconds)."""

    frames: list[tuple[int, int, float]] = field(default_factory=list)


async def run(job: Job) -> dict[str, Any]:
    """Returns events and frames delivered a second, and the delay's percentiles in seconds."""
    target, tally = Target(**job.target), _Tally()
    async with channels(target, CONNECTIONS) as connections:
        streams = [
            await _subscribe(connections[at % CONNECTIONS], target, job.scope)
            for at in range(job.subscribers)
        ]
        readers = [
            asyncio.ensure_future(_read(stream, tally, checked=at % CHECKED == 0))
            for at, stream in enumerate(streams)
        ]
        cpu, used = target.cpu_s, time.process_time()
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
        whole = WARM_S + job.seconds + SETTLE_S
        shares = (target.cpu_s - cpu) / whole, (time.process_time() - used) / whole
        for reader in readers:
            if reader.done():
                reader.result()
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return {**_result(job, tally, published), "cpu_share": shares[0], "client_cpu_share": shares[1]}


async def _subscribe(channel: grpc.aio.Channel, target: Target, scope: str) -> Any:
    method: Any = channel.stream_stream(
        METHOD, request_serializer=SubscribeRequest.SerializeToString, response_deserializer=None
    )
    call = method(metadata=target.metadata)
    await call.write(SubscribeRequest(create=Watch(watch_id="w", scope=scope)))
    frame = SubscribeResponse.FromString(await call.read())
    if not frame.HasField("created"):
        raise RuntimeError(f"no watch: {frame}")
    return call


async def _read(call: Any, tally: _Tally, *, checked: bool) -> None:
    last = 0
    while (frame := await call.read()) is not grpc.aio.EOF:
        if frame[0] != _FRAME_OF_BATCH:
            continue
        now, found = time.monotonic(), _OFFSET.search(frame[-48:])
        if found is None:
            raise Gap("a batch without a cursor")
        if checked:
            _check(frame, last)
        up_to = int(found[1], 16)
        tally.frames.append((last, up_to, now))
        last = up_to
    raise Gap("the stream ended")


def _check(frame: bytes, last: int) -> None:
    for event in SubscribeResponse.FromString(frame).batch.events:
        if last and event.first_offset != last + 1:
            raise Gap(f"{event.first_offset} came after {last}")
        last = event.last_offset


def _result(job: Job, tally: _Tally, published: dict[str, Any]) -> dict[str, Any]:
    """What was due in the window: what of it came within, and how late each was, if ever."""
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
    for after, up_to, now in tally.frames:
        for offset in range(after + 1 if after else up_to, up_to + 1):
            if offset in due:
                delivered += now < end
                delays[int((now - due[offset]) * 10_000)] += 1
    return {
        "events_per_s": delivered / job.seconds,
        "frames_per_s": len(tally.frames) / (WARM_S + job.seconds),
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
