"""Security events: what happened, and the proof that nothing was changed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

import grpc

from antiphon.auth.v1 import audit_service_pb2 as messages
from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon_client.caller import Caller, pages
from antiphon_client.errors import AntiphonError, Unauthenticated, connection_lost
from antiphon_client.redial import Redial
from antiphon_client.status import error_of_rpc
from antiphon_client.tokens import TokenSource

if TYPE_CHECKING:
    from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceAsyncStub

Request = TypeVar("Request")
Response = TypeVar("Response")
VERIFY_S = 600.0


class Audit:
    """The audit service. Errors: AntiphonError, as each RPC's comment says."""

    _audit: "AuditServiceAsyncStub"
    _caller: Caller
    _silence: float
    _redial: Callable[[], Redial]
    tokens: TokenSource

    def list_security_events(
        self, which: messages.SecurityEventFilter | None = None
    ) -> AsyncGenerator[SecurityEvent]:
        """Events that the caller may see, the newest first."""

        async def fetch(page_token: str) -> messages.ListSecurityEventsResponse:
            request = messages.ListSecurityEventsRequest(page_token=page_token, filter=which)
            return await self._caller.call(self._audit.ListSecurityEvents, request)

        return pages(fetch, lambda page: page.events)

    async def watch_security_events(
        self, after: int | None = None, which: messages.SecurityEventFilter | None = None
    ) -> AsyncGenerator[SecurityEvent]:
        """Events behind a place, or from now on, each once, also after the connection broke."""
        redial = self._redial()
        while True:
            redial.connecting()
            request = messages.WatchSecurityEventsRequest(after_sequence=after, filter=which)
            answers = self._stream(self._audit.WatchSecurityEvents, request, self._silence)
            try:
                async with aclosing(answers):
                    async for answer in answers:
                        if after is None or answer.progress_sequence == after:
                            redial.connected()
                        for event in answer.events:
                            yield event
                        after = answer.progress_sequence
                error: AntiphonError = connection_lost("the watch ended")
            except AntiphonError as failed:
                error = failed
            await redial.pause(error)

    def export_security_events(
        self, after: int = 0
    ) -> AsyncGenerator[messages.ExportSecurityEventsResponse]:
        """Every event behind a place as it is stored, then the signed head; operators only."""
        request = messages.ExportSecurityEventsRequest(after_sequence=after)
        return self._stream(self._audit.ExportSecurityEvents, request, self._silence)

    async def audit_head(self) -> messages.AuditHead:
        """The newest place and hash, signed: to be kept elsewhere; operators only."""
        request = messages.GetAuditHeadRequest()
        return (await self._caller.call(self._audit.GetAuditHead, request)).head

    async def verify_security_events(
        self, signature: str = ""
    ) -> messages.VerifySecurityEventsResponse:
        """What the server finds when it computes the whole chain; operators only.

        ``signature`` is of a head that was kept.
        """
        request = messages.VerifySecurityEventsRequest(signature=signature)
        caller = Caller(self.tokens, VERIFY_S)
        return await caller.call(self._audit.VerifySecurityEvents, request)

    async def _stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        silence: float,
    ) -> AsyncGenerator[Response]:
        token = await self.tokens.get()
        call = method(request, metadata=(("authorization", f"Bearer {token}"),))
        try:
            while True:
                async with asyncio.timeout(silence):
                    answer = await call.read()
                if answer is grpc.aio.EOF:
                    return
                yield answer  # type: ignore[misc] # no EOF
        except grpc.aio.AioRpcError as failed:
            error = error_of_rpc(failed)
            if isinstance(error, Unauthenticated) and error.of_token:
                self.tokens.reject(token)
            raise error from None
        except TimeoutError:
            raise connection_lost("the server has said nothing for too long") from None
        finally:
            call.cancel()
