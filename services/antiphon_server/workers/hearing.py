"""What a worker says on its stream, or by calls: each frame is heard, or rejected on the stream."""

from antiphon.dispatcher.v1 import worker_service_pb2
from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.duplex import not_first
from antiphon_server.runtime.rpc.interceptors.validation import InvalidMessage
from antiphon_server.workers import encoding
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.ports import Access
from antiphon_server.workers.session import Session, Speaker


class Hearing:
    """Hears workers."""

    def __init__(self, pool: Pool, access: Access) -> None:
        self._pool, self._access = pool, access

    async def take(self, session: Session, request: worker_service_pb2.WorkRequest) -> None:
        """Hear a frame; what can't be taken is said on the stream, which goes on."""
        session.heard_now()
        try:
            await self._hear(session, request)
        except DomainError as error:
            session.reject(error, *encoding.about(request))

    def refuse(self, session: Session, invalid: InvalidMessage) -> None:
        """Say that a frame breaks a rule of the contract."""
        session.reject(invalid, *encoding.about(invalid.message))

    async def _hear(self, session: Session, request: worker_service_pb2.WorkRequest) -> None:
        match request.WhichOneof("frame"):
            case "heartbeat":
                session.heartbeat([TurnId(it) for it in request.heartbeat.turn_ids])
            case "credit":
                session.slots = request.credit.slots
                self._pool.serve()
            case "drain":
                session.draining = True
            case "refresh":
                await self._refresh(session, request.refresh.access_token)
            case "hello":
                session.end(not_first("hello"))
            case _:
                session.hear(*encoding.said(request), request)

    async def _refresh(self, session: Session, token: str) -> None:
        """Go on by the new token; a bad one ends the stream."""
        try:
            principal = await self._access.verified(token)
        except DomainError as refused:
            session.end(refused)
            return
        if principal.user_id != session.worker.user_id:
            session.end(DomainError(Reason.TOKEN_INVALID))
            return
        session.speaker = Speaker(principal, token)
