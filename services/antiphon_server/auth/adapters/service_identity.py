"""The access token of a service of this installation, for its calls of others."""

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING

import grpc

from antiphon.auth.v1.auth_service_pb2 import LoginRequest, ServiceCredential
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.service.service_statements import service_key, signed
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 5.0
PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
log = logging.getLogger(__name__)


class ServiceIdentity:
    """Signs a service in, and again half-way through each token's life; ``run`` must be running.

    While nobody issues tokens the last one is good for as long as it lives.
    """

    def __init__(
        self,
        name: str,
        secret: ServerSecret,
        auth: "AuthServiceAsyncStub",
        audience: str = TokenSettings().audience,
        clock: Clock = time.time,
    ) -> None:
        self._name = name
        self._key = service_key(secret, name)
        self._auth = auth
        self._audience = audience
        self._clock = clock
        self._token = ""
        self._expires = 0.0
        self.signed_in = asyncio.Event()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call. Raises DomainError SERVICE_UNAVAILABLE without a valid token."""
        if self._clock() >= self._expires:
            raise unavailable("auth")
        return (("authorization", f"Bearer {self._token}"),)

    async def run(self) -> None:
        """Sign in and renew, until cancelled."""
        pause = PAUSE_S
        while True:
            try:
                await self._sign_in()
            except (DomainError, grpc.aio.UsageError) as error:
                if pause < LONGEST_PAUSE_S <= 2 * pause:  # not while all only begins
                    level = _level(error, waits=not self.signed_in.is_set())
                    log.log(level, "the service %s can't sign in yet: %s", self._name, error)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                pause = PAUSE_S
                await asyncio.sleep((self._expires - self._clock()) / 2)

    async def _sign_in(self) -> None:
        statement = signed(self._key, self._name, self._audience, self._clock())
        request = LoginRequest(service=ServiceCredential(assertion=statement))
        with remote_errors("auth"):
            response = await self._auth.Login(request, timeout=TIMEOUT_S)
        self._token = response.tokens.access_token
        self._expires = response.tokens.access_expire_time.ToMicroseconds() / 1e6
        self.signed_in.set()


def _level(error: Exception, *, waits: bool) -> int:
    """Who waits for the first time for an auth that has not come yet lacks nothing."""
    away = isinstance(error, DomainError) and error.reason is Reason.SERVICE_UNAVAILABLE
    return logging.INFO if away and waits else logging.WARNING
