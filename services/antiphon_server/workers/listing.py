"""The workers that are there, on all servers, as the contract lists them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import grpc

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.runtime.channels.server_ways import FORWARDED, was_forwarded
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit
from antiphon_server.runtime.rpc.times import timestamp
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.workers.frames import Standing
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Session

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub

PATIENCE_S = 2.0

log = structlog.get_logger(__name__)


class Listing:
    """Lists workers; ``others`` are the other servers that have some."""

    def __init__(
        self, pool: Pool, others: "Callable[[], Sequence[WorkerServiceAsyncStub]]"
    ) -> None:
        self._pool, self._others = pool, others

    async def workers(self, request: pb.ListWorkersRequest, brought: Any) -> pb.ListWorkersResponse:
        """By deployment, version and id; a server that does not answer soon is left out."""
        listed, limit = f"workers of {request.parent}", page_limit(request.page_size)
        after = tuple(decode_page_token(request.page_token, listed, fields=3) or ("", "", ""))
        sessions = [it for it in self._pool.sessions if _handlers(it, request.parent)]
        found = [_worker(it, request.parent) for it in sessions]
        answers = await self._elsewhere(request, brought)
        found.extend(worker for answer in answers for worker in answer.workers)
        rows = sorted((it for it in found if _key(it) > after), key=_key)
        more = len(rows) > limit or any(answer.next_page_token for answer in answers)
        token = encode_page_token(listed, *_key(rows[:limit][-1])) if more else ""
        return pb.ListWorkersResponse(workers=rows[:limit], next_page_token=token)

    async def _elsewhere(
        self, request: pb.ListWorkersRequest, brought: Any
    ) -> Sequence[pb.ListWorkersResponse]:
        if was_forwarded(tuple(brought or ())):
            return ()
        return await asyncio.gather(*(_of_other(stub, request) for stub in self._others()))


async def _of_other(
    stub: "WorkerServiceAsyncStub", request: pb.ListWorkersRequest
) -> pb.ListWorkersResponse:
    try:
        metadata = ((FORWARDED, "1"),)
        return await stub.ListWorkers(request, metadata=metadata, timeout=PATIENCE_S)
    except grpc.aio.AioRpcError as error:
        log.warning("a server's workers are not listed", code=error.code().name)
        return pb.ListWorkersResponse()


def _key(worker: pb.Worker) -> tuple[str, str, str]:
    return worker.deployment, worker.version, worker.worker_id


def _handlers(session: Session, parent: str) -> list[str]:
    return [name for name, parents in session.parents.items() if parent in parents]


def _worker(session: Session, parent: str) -> pb.Worker:
    it = session.worker
    standing = session.standing
    worker = pb.Worker(
        worker_id=it.worker_id,
        user_id=it.user_id,
        deployment=it.deployment,
        version=it.version,
        handlers=_handlers(session, parent),
        state=pb.WorkerState.ValueType(standing),
        slots=session.slots,
        turns=len(session.turns),
        connect_time=timestamp(round(session.since * 1e6)),
        heartbeat_time=timestamp(round(session.heard_time * 1e6)),
        accept_p50_ms=session.accept_p50_ms,
        finished_turns=session.finished,
        library=it.library,
    )
    if standing is Standing.QUARANTINED:
        worker.quarantine_end_time.CopyFrom(timestamp(round(session.quarantine_end * 1e6)))
    return worker
