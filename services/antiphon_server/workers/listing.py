"""The workers that are there, as the contract lists them."""

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit
from antiphon_server.runtime.rpc.times import timestamp
from antiphon_server.workers.frames import Standing
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Session


def list_workers(request: pb.ListWorkersRequest, pool: Pool) -> pb.ListWorkersResponse:
    """ListWorkers, by deployment, version and id."""
    listed, limit = f"workers of {request.parent}", page_limit(request.page_size)
    after = tuple(decode_page_token(request.page_token, listed, fields=3) or ("", "", ""))
    found = sorted((_key(it), it) for it in pool.sessions if _handlers(it, request.parent))
    rows = [it for it in found if it[0] > after][: limit + 1]
    token = encode_page_token(listed, *rows[limit - 1][0]) if len(rows) > limit else ""
    workers = [_worker(it, request.parent) for _, it in rows[:limit]]
    return pb.ListWorkersResponse(workers=workers, next_page_token=token)


def _key(session: Session) -> tuple[str, str, str]:
    it = session.worker
    return it.deployment, it.version, it.worker_id


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
