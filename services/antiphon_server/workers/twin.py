"""A worker's stream for languages that can't stream requests: it is told there, and says by calls.

Any server takes the calls, and hands them to the one that has the stream.
"""

from functools import partial
from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.runtime.access.principal import Principal, current_principal
from antiphon_server.runtime.concurrency.numbered import NumberedCalls
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.nodes.homes import Homes
from antiphon_server.runtime.rpc.duplex import open_stream
from antiphon_server.workers.hearing import Hearing
from antiphon_server.workers.session import Session
from antiphon_server.workers.working import Working

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Twin:
    """Serves such streams; ``homes`` are where servers share a store."""

    def __init__(self, working: Working, hearing: Hearing, homes: Homes | None) -> None:
        self._working, self._hearing, self._homes = working, hearing, homes
        self._named = homes.named if homes is not None else partial(new_id, "work")
        self._open: dict[str, tuple[Session, NumberedCalls]] = {}

    async def open(self, request: pb.OpenWorkRequest, context: Context) -> None:
        """Serve a stream until the worker cancels it, or this server ends it."""
        await open_stream(context)
        worker = self._working.introduced(request.hello)
        async with self._working.taken_on(worker, context, by_calls=True) as session:
            work_id = self._named()
            self._open[work_id] = session, NumberedCalls("worker")
            try:
                await self._working.tell_all(session, context, _Frames(work_id))
            finally:
                del self._open[work_id]

    async def update(self, request: pb.UpdateWorkRequest, context: Context) -> None:
        """Hear what a worker says, here or where its stream is."""
        if self._homes is not None and await self._homes.done("UpdateWork", request, context):
            return
        session, calls = self._found(current_principal(), request.work_id)

        async def hear() -> None:
            for action in request.actions:
                if session.ending is not None:
                    raise session.ending
                await self._hearing.take(session, action)

        await calls.once(request.sequence, hear)

    async def close(self) -> None:
        """Close the ways to other servers."""
        if self._homes is not None:
            await self._homes.close()

    def _found(self, principal: Principal, work_id: str) -> tuple[Session, NumberedCalls]:
        """A limited credential must not speak by its owner's other ones."""
        found = self._open.get(work_id)
        if found is None or _session(found[0].speaker.principal) != _session(principal):
            raise not_found(f"work {work_id}")
        return found


class _Frames:
    """The first one brings the stream's id."""

    def __init__(self, work_id: str) -> None:
        self._work_id = work_id

    def __call__(self, frame: pb.WorkResponse) -> pb.OpenWorkResponse:
        work_id, self._work_id = self._work_id, ""
        return pb.OpenWorkResponse(work_id=work_id, frame=frame)


def _session(principal: Principal) -> tuple[str, str]:
    return principal.user_id, principal.session_id
