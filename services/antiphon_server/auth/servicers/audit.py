"""AuditService: decode, call, encode."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from antiphon.auth.v1 import audit_service_pb2 as pb
from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceServicer
from antiphon_server.auth import audit_encoding, encoding
from antiphon_server.auth.model.audit import SignedHead
from antiphon_server.auth.service.audit_trail import AuditTrail
from antiphon_server.auth.service.audit_watches import AuditWatches, Check
from antiphon_server.auth.service.reported_events import ReportedEvents
from antiphon_server.auth.service.requests import Requests
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.access.rules import TokenRechecker
from antiphon_server.runtime.rpc.duplex import open_stream
from antiphon_server.runtime.rpc.interceptors.authentication import bearer_token
from antiphon_server.runtime.rpc.paging import page_limit
from antiphon_server.runtime.rpc.slow_readers import TimedWriter


class AuditServicer(AuditServiceServicer):
    """The RPCs of ``antiphon.auth.v1.AuditService``.

    Streams are coroutines that write, not generators (a cancelled generator may never be
    closed, grpc/grpc#42295).
    """

    def __init__(
        self,
        requests: Requests,
        reported: ReportedEvents,
        trail: AuditTrail,
        watches: AuditWatches,
        keys: SigningKeys,
        verifier: TokenRechecker,
    ) -> None:
        self._requests = requests
        self._reported = reported
        self._trail = trail
        self._watches = watches
        self._keys = keys
        self._verifier = verifier

    async def ListSecurityEvents(
        self, request: pb.ListSecurityEventsRequest, context: Any
    ) -> pb.ListSecurityEventsResponse:
        limit, which = page_limit(request.page_size), audit_encoding.selection(request.filter)
        caller = current_principal()
        listed = audit_encoding.listed(which, caller)
        before = audit_encoding.place(request.page_token, listed)
        page = await self._trail.newest(caller, which, before, limit)
        return pb.ListSecurityEventsResponse(
            events=[audit_encoding.shown(event, caller) for event in page],
            next_page_token=audit_encoding.next_events(page, limit, listed),
        )

    async def WatchSecurityEvents(  # type: ignore[override]
        self, request: pb.WatchSecurityEventsRequest, context: Any
    ) -> None:
        caller, which = current_principal(), audit_encoding.selection(request.filter)
        after = request.after_sequence if request.HasField("after_sequence") else None
        await open_stream(context)
        check = self._check(context, self._verifier.verify)
        batches = self._watches.watch(caller, which, after, check)
        async with aclosing(batches):
            with TimedWriter(context) as writer:
                async for batch in batches:
                    await writer.write(audit_encoding.batch(batch, caller))

    def _check(self, context: Any, ask: Callable[[str], Awaitable[object]]) -> Check:
        """What asks about the caller's token, each time that the stream goes on."""
        if current_principal().kind == "service":
            return _always
        token = bearer_token(context)
        return lambda: ask(token)

    async def ExportSecurityEvents(  # type: ignore[override]
        self, request: pb.ExportSecurityEventsRequest, context: Any
    ) -> None:
        caller = current_principal()
        check = self._check(context, lambda token: self._verifier.recheck(token, caller))
        head, pages = await self._trail.export(request.after_sequence)
        await open_stream(context)
        async with aclosing(pages):
            with TimedWriter(context) as writer:
                async for page in pages:
                    await check()  # a slow reader takes hours, and the right may be gone by then
                    await writer.write(audit_encoding.exported(page, head))
                await check()
                signed = self._head(self._trail.sign(head))
                await writer.write(
                    pb.ExportSecurityEventsResponse(last_sequence=head.sequence, head=signed)
                )

    async def GetAuditHead(
        self, request: pb.GetAuditHeadRequest, context: Any
    ) -> pb.GetAuditHeadResponse:
        return pb.GetAuditHeadResponse(head=self._head(await self._trail.head()))

    async def VerifySecurityEvents(
        self, request: pb.VerifySecurityEventsRequest, context: Any
    ) -> pb.VerifySecurityEventsResponse:
        verdict = await self._trail.verify(request.signature)
        head = self._head(self._trail.sign(verdict.head))
        return pb.VerifySecurityEventsResponse(
            fault=pb.AuditFault.ValueType(verdict.found.fault if verdict.found else 0),
            fault_sequence=verdict.found.sequence if verdict.found else 0,
            verified=verdict.verified,
            head=head,
        )

    async def RecordSecurityEvents(
        self, request: pb.RecordSecurityEventsRequest, context: Any
    ) -> pb.RecordSecurityEventsResponse:
        body = encoding.body(request)
        repeatable = self._requests.of(current_principal(), request.request_id, body)
        events = list(map(audit_encoding.recorded, request.events))
        await self._reported.record(events, repeatable)
        return pb.RecordSecurityEventsResponse()

    def _head(self, signed: SignedHead) -> pb.AuditHead:
        return pb.AuditHead(
            sequence=signed.head.sequence,
            hash=signed.head.hash,
            create_time=encoding.timestamp(signed.create_time),
            signature=signed.signature,
            keys=encoding.web_keys(self._keys.valid()),
        )


async def _always() -> None:
    """A service of this installation goes on as long as it calls."""
