"""Requests that clients repeat because the answer was lost: done once."""

import hmac
from collections.abc import Awaitable

from antiphon_server.auth.model.requests import Repeated, Request
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.requests import RequestStore
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason


class Requests:
    """Tells repetitions from other requests."""

    def __init__(self, store: RequestStore, secret: ServerSecret, clock: Clock) -> None:
        self._store = store
        self._key = secret.derive("request digests")
        self._now = micros(clock)

    def of(self, caller: Principal, request_id: str, body: bytes) -> Request | None:
        """The caller's request, of which ``body`` is all; one without an id repeats nothing."""
        if not request_id:
            return None
        digest = hmac.digest(self._key, body, "sha256")
        return Request(caller.actor, request_id, digest, self._now())

    async def response(self, request: Request | None) -> bytes | None:
        """What the same request was answered with. Raises DomainError REQUEST_ID_REUSED."""
        return await self._store.response(request) if request else None

    async def removed(self, request: Request | None, removal: Awaitable[None]) -> None:
        """Await what removes something for a request, which may have removed it before.

        Raises what ``removal`` raises, and DomainError REQUEST_ID_REUSED.
        """
        try:
            await removal
        except Repeated:
            return
        except DomainError as error:
            if error.reason is not Reason.NOT_FOUND or await self.response(request) is None:
                raise
