"""The floor of post to delivery: one message at a time on a bare bidirectional stream."""

import time
from dataclasses import dataclass
from typing import Any

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from tests.proofs.bench.loads.client import Target, Window, channels


@dataclass(frozen=True, slots=True)
class Job:
    """One client for ``seconds``."""

    target: dict[str, Any]
    seconds: float


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds that each message took."""
    target = Target(**job.target)
    window = Window(target, job.seconds)
    took: list[float] = []
    post = DispatchRequest(conversation_id="conv_0123456789abcdef", parts=[Part(text="word " * 8)])
    async with channels(target, 1) as (channel,):
        call = DispatcherServiceStub(channel).Converse()

        async def echo() -> None:
            begun = time.perf_counter()
            await call.write(ConverseRequest(tag="t", post=post))
            await call.read()
            if window.counts(begun):
                took.append(time.perf_counter() - begun)

        await window.run([echo])
    return {"took_s": took}
