"""Publishes events at a fixed rate, whatever becomes of those before (open loop)."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.events.v1.event_pb2 import Event, TextDeltaAppended
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from tests.proofs.bench.loads.client import Target, channels

EVERY_S = 0.01
_REFUSED = "RST_STREAM with error code 7"  # nobody has seen it (RFC 9113, 8.7)


@dataclass(frozen=True, slots=True)
class Job:
    """``per_second`` events for ``seconds``, one Append every 10 ms; the token is a service's."""

    target: dict[str, Any]
    scope: str
    per_second: int
    seconds: float


async def run(job: Job) -> dict[str, Any]:
    """Returns for each Append its first offset, its events, and when it was due (monotonic)."""
    target = Target(**job.target)
    delta = Event(turn_id="turn_0123456789abcdef", actor="handlers/bench", attempt=1)
    delta.text_delta_appended.CopyFrom(TextDeltaAppended(message_id="msg_0123456789", text="word "))
    request = AppendRequest(scope=job.scope, events=[delta] * int(job.per_second * EVERY_S))
    async with channels(target, 1) as (channel,):
        stub = EventServiceStub(channel)

        async def append(due: float) -> tuple[int, int, float]:
            while True:
                try:
                    answer = await stub.Append(request, metadata=target.metadata)
                except grpc.aio.AioRpcError as error:
                    if _REFUSED not in (error.details() or ""):
                        raise
                    await asyncio.sleep(EVERY_S)  # late it is, and so it is counted
                    continue
                return answer.first_offset, len(request.events), due

        begin = time.monotonic() + EVERY_S
        appends = []
        for tick in range(int(job.seconds / EVERY_S)):
            due = begin + tick * EVERY_S
            await asyncio.sleep(max(due - time.monotonic(), 0))
            appends.append(asyncio.ensure_future(append(due)))
        return {"appends": await asyncio.gather(*appends), "begin": begin}
