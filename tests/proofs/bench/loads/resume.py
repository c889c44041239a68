"""One client that is far behind: it reads a scope from the beginning, checking every event."""

import time
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.events.v1.event_service_pb2 import SubscribeRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import START_POSITION_EARLIEST, Watch
from tests.proofs.bench.loads.client import Target, channels


class Gap(Exception):
    """An event is missing, doubled or out of order."""


@dataclass(frozen=True, slots=True)
class Job:
    """Read ``events`` of ``scope``."""

    target: dict[str, Any]
    scope: str
    events: int


async def run(job: Job) -> dict[str, Any]:
    """Returns events a second, from asking to the last of them. Raises Gap."""
    target = Target(**job.target)
    watch = Watch(watch_id="w", scope=job.scope, start=START_POSITION_EARLIEST)
    async with channels(target, 1) as (channel,):
        await channel.channel_ready()
        call = EventServiceStub(channel).Subscribe(metadata=target.metadata)
        begun, last = time.perf_counter(), 0
        await call.write(SubscribeRequest(create=watch))
        while last < job.events:
            frame: Any = await call.read()
            if frame is grpc.aio.EOF or frame.HasField("ended"):
                raise Gap(f"the stream ended: {frame}")
            for event in frame.batch.events:
                if event.first_offset != last + 1:
                    raise Gap(f"{event.first_offset} came after {last}")
                last = event.last_offset
        took = time.perf_counter() - begun
        call.cancel()
    return {"events_per_s": job.events / took}
