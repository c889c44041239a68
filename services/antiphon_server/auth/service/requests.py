"""Requests that clients repeat because the answer was lost: done once."""

import hmac

from antiphon_server.auth.model.requests import Request
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.requests import RequestStore
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.access.principal import Principal


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
