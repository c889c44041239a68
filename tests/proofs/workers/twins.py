"""A worker's stream for languages that can't stream requests, as the library would have it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from antiphon.dispatcher.v1.worker_service_pb2 import (
    OpenWorkRequest,
    UpdateWorkRequest,
    WorkRequest,
)
from tests.proofs.workers.cables import Cable, Frames, lost

MOST = 64
PAUSE_S = 0.1
_FOR_NOW = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
Opened = Callable[[OpenWorkRequest], Cable]
Updated = Callable[[UpdateWorkRequest], Awaitable[Any]]


class TwinCall:
    """OpenWork and UpdateWork as one call both ways.

    What is said goes by numbered calls, one at a time, each repeated until it is answered.
    """

    def __init__(self, opened: Opened, updated: Updated, said: Frames, told: Frames) -> None:
        self._opened, self._updated = opened, updated
        self._said, self._told = said, told
        self._cable: Cable | None = None
        self._waiting: deque[WorkRequest] = deque()
        self._news = asyncio.Event()
        self._work_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._is_done = False
        self._saying = asyncio.create_task(self._say_all(), name="twin")

    async def write(self, frame: WorkRequest) -> None:
        """Say a frame: by the first one the stream is opened. Raises AioRpcError."""
        if self._cable is None:
            self._said(frame)
            self._cable = self._opened(OpenWorkRequest(hello=frame.hello))
            return
        if self._cable.closed:
            raise lost()
        self._said(frame)
        said = WorkRequest()
        said.CopyFrom(frame)  # who says it may change it
        self._waiting.append(said)
        self._news.set()

    async def done_writing(self) -> None:
        """Say no more: the call is cancelled when all that was said has come there."""
        self._is_done = True
        self._news.set()

    async def read(self) -> Any:
        """The next frame of the server. Raises AioRpcError at the end."""
        assert self._cable is not None, "a hello comes first"
        frame = await self._cable.read()
        if frame.work_id and not self._work_id.done():
            self._work_id.set_result(frame.work_id)
        self._told(frame.frame)
        return frame.frame

    def cancel(self) -> bool:
        """Hang up."""
        self._saying.cancel()
        return self._cable is None or self._cable.cancel()

    async def _say_all(self) -> None:
        work_id = await self._work_id
        sequence = 0
        while self._waiting or not self._is_done:
            self._news.clear()
            if not self._waiting:
                await self._news.wait()
                continue
            sequence += 1
            actions = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            await self._say(UpdateWorkRequest(work_id=work_id, sequence=sequence, actions=actions))
        self._hang_up()

    async def _say(self, request: UpdateWorkRequest) -> None:
        while True:
            try:
                await self._updated(request)
                return
            except grpc.aio.AioRpcError as error:
                if error.code() not in _FOR_NOW:
                    self._hang_up()
                    raise asyncio.CancelledError from error
            await asyncio.sleep(PAUSE_S)

    def _hang_up(self) -> None:
        assert self._cable is not None, "it has a name"
        self._cable.cancel()
