"""The access token of a service of this installation, for its calls of others."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import grpc

from antiphon.auth.v1.auth_service_pb2 import LoginRequest, ServiceCredential
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.service.service_statements import service_key, signed
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.concurrency.retry import RetryPolicy, retrying
from antiphon_server.runtime.concurrency.retry_policies import SIGN_IN
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 5.0
SAID_AFTER = 5
"""Failures; while all only begins there are some."""
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
        policy: RetryPolicy = SIGN_IN,
    ) -> None:
        self._name = name
        self._key = service_key(secret, name)
        self._auth = auth
        self._audience = audience
        self._clock = clock
        self._policy = policy
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
        failed = (DomainError, grpc.aio.UsageError)
        while True:
            await retrying(self._sign_in, self._policy, failed, on_wait=self._say)
            await asyncio.sleep((self._expires - self._clock()) / 2)

    async def _say(self, error: Exception, failures: int) -> None:
        if failures == SAID_AFTER:
            level = _level(error, waits=not self.signed_in.is_set())
            log.log(level, "the service %s can't sign in yet: %s", self._name, error)

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
