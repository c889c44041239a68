"""Who is calling: signs in, keeps a token that works, makes calls with it."""

import asyncio
import platform
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from failures import BROKEN, Details, Failure, failure_of
from grpclib.client import Channel
from grpclib.exceptions import GRPCError
from stubs.antiphon.auth.v1 import (
    ApiKeyCredential,
    AuthServiceStub,
    LoginRequest,
    PasswordCredential,
    RefreshRequest,
    TokenPair,
)

CALL_S = 10.0
_TRIES = 5
# A token is renewed a minute before it expires; a short-lived one at half its life.
_MARGIN_S = 60.0

Credential = ApiKeyCredential | PasswordCredential
Answer = TypeVar("Answer")


def dial(address: str) -> Channel:
    """A channel to ``host:port``, or to ``https://host:port`` by TLS."""
    scheme, _, rest = address.rpartition("://")
    host, _, port = rest.rpartition(":")
    return Channel(host, int(port), ssl=scheme == "https" or None, status_details_codec=Details())


class Session:
    """One session, on as many connections as it takes."""

    def __init__(self, address: str, credential: Credential) -> None:
        self.address = address
        self._credential = credential
        self._tokens: TokenPair | None = None
        self._renew_at = 0.0

    @property
    def renew_in(self) -> float:
        """Seconds until the token is to be renewed."""
        return max(self._renew_at - time.time(), 0.0)

    async def metadata(self) -> dict[str, str]:
        """What each call carries."""
        return {"authorization": f"Bearer {await self.token()}"}

    async def token(self) -> str:
        """An access token that works: by sign-in, or by refreshing the one before."""
        if self._tokens is None or self.renew_in == 0:
            self._tokens = tokens = await self._next()
            assert tokens.access_expire_time is not None
            life = tokens.access_expire_time.timestamp() - time.time()
            self._renew_at = time.time() + life - min(_MARGIN_S, life / 2)
        return self._tokens.access_token

    def forget(self) -> None:
        """The server does not accept the token any more: sign in again."""
        self._tokens = None

    async def _next(self) -> TokenPair:
        async with dial(self.address) as channel:
            auth = AuthServiceStub(channel)
            if self._tokens and self._tokens.refresh_token:
                refresh = RefreshRequest(refresh_token=self._tokens.refresh_token)
                answer = await repeated(lambda: auth.refresh(refresh, timeout=CALL_S))
            else:  # programs' sessions have no refresh token
                answer = await once(auth.login(self._login(), timeout=CALL_S))
        assert answer.tokens is not None
        return answer.tokens

    def _login(self) -> LoginRequest:
        device = f"betterproto2 example on {platform.node()}"[:128]
        match self._credential:
            case ApiKeyCredential() as key:
                return LoginRequest(api_key=key, device=device)
            case password:
                return LoginRequest(password=password, device=device)


async def once(call: Awaitable[Answer]) -> Answer:
    """A unary call's answer. Raises Failure."""
    try:
        return await call
    except (GRPCError, *BROKEN) as error:
        raise failure_of(error) from None


async def received(frames: AsyncGenerator[Answer]) -> AsyncGenerator[Answer]:
    """A stream's answers as they come. Raises Failure."""
    async with aclosing(frames):
        try:
            async for frame in frames:
                yield frame
        # AttributeError is what grpclib 0.4.9 raises where a connection breaks with answers unread.
        except (GRPCError, AttributeError, *BROKEN) as error:
            raise failure_of(error) from None


async def repeated(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of a call whose second arrival changes nothing. Raises Failure."""
    for tries in range(_TRIES):
        try:
            return await once(call())
        except Failure as failure:
            if not failure.resumable or tries + 1 == _TRIES:
                raise
        await asyncio.sleep(0.1 * 2**tries)
    raise AssertionError("unreachable")
