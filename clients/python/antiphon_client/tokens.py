"""The access token for the next call: bought, kept and renewed in time."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import grpc

from antiphon_client.credentials import ApiKey, Credentials, Password, Tokens
from antiphon_client.errors import AntiphonError, Unauthenticated, Unavailable
from antiphon_client.token_store import TokenStore

_MARGIN_S = 60.0
_MARGIN_SHARE = 0.2
_LEAST_LIFE_S = 10.0


class Exchange(Protocol):
    """Buys tokens; see :class:`~antiphon_client.token_exchange.TokenExchange`."""

    async def login(self, credentials: ApiKey | Password) -> Tokens:
        """Open a session."""

    async def refresh(self, refresh_token: str) -> Tokens:
        """Get a session's next tokens."""

    async def logout(self, access_token: str) -> None:
        """End the session."""


class TokenSource:
    """Gives a token that works, however many ask at once.

    Renewal is one flight for all who wait, and goes on when they are cancelled: a refresh
    token works once, so its answer must not get lost.
    """

    def __init__(
        self,
        exchange: Exchange,
        credentials: Credentials | None,
        store: TokenStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._exchange = exchange
        self._login = None if isinstance(credentials, Tokens) else credentials
        self._store = store
        self._clock = clock
        if isinstance(credentials, Tokens):
            store.save(credentials)
        self._tokens = store.load()
        self._due_at = self._due(self._tokens) if self._tokens else 0.0
        self._rejected = ""
        self._flight: asyncio.Task[Tokens] | None = None

    async def get(self) -> str:
        """An access token for the next call.

        Raises Unauthenticated if there are no credentials or they are refused, and
        Unavailable if the server can't be reached and the old token has ended.
        """
        if self._tokens is not None and self.usable_for > 0:
            return self._tokens.access_token
        try:
            return (await self._renewed()).access_token
        except Unavailable:
            if self._tokens is not None and self._works(self._tokens):
                return self._tokens.access_token
            raise

    @property
    def usable_for(self) -> float:
        """Seconds until the token is to be renewed; 0 or less if it must be now."""
        if self._tokens is None or self._tokens.access_token == self._rejected:
            return 0.0
        return self._due_at - self._clock()

    @property
    def renewable(self) -> bool:
        """Whether another token can be had than the present one."""
        return self._login is not None or bool(self._tokens and self._tokens.refresh_token)

    def reject(self, access_token: str) -> None:
        """Note that the server refused a token: :meth:`get` will not give it again."""
        self._rejected = access_token

    async def close(self) -> None:
        """Await a renewal under way; end the session if that was asked for."""
        if self._flight is not None:
            await asyncio.wait([self._flight])
        if isinstance(self._login, ApiKey) and self._login.end_session and self._tokens:
            await self.logout()

    async def logout(self) -> bool:
        """Forget the session's tokens; return whether the server ended it as well."""
        tokens, self._tokens = self._tokens, None
        try:
            if tokens is not None:
                await self._exchange.logout(tokens.access_token)
        except AntiphonError:
            return False
        finally:
            self._store.save(None)
        return True

    async def _renewed(self) -> Tokens:
        if self._flight is None:
            self._flight = asyncio.create_task(self._renew(), name="antiphon token renewal")
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[Tokens]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # those who waited have it; nobody may have

    async def _renew(self) -> Tokens:
        async with self._store.locked():
            tokens = self._store.load() or self._tokens
            if tokens is None or tokens == self._tokens or not self._works(tokens):
                tokens = await self._next(tokens)
                self._store.save(tokens)
            self._tokens, self._due_at = tokens, self._due(tokens)
            return tokens

    def _works(self, tokens: Tokens) -> bool:
        ended = tokens.access_expires_at <= self._clock()
        return tokens.access_token != self._rejected and not ended

    async def _next(self, tokens: Tokens | None) -> Tokens:
        if tokens and tokens.refresh_token and tokens.refresh_expires_at > self._clock():
            try:
                return self._lasting(await self._exchange.refresh(tokens.refresh_token))
            except Unauthenticated:
                if self._login is None:
                    self._store.save(None)
                    raise
        if self._login is None:
            raise Unauthenticated(grpc.StatusCode.UNAUTHENTICATED, "not logged in")
        return self._lasting(await self._exchange.login(self._login))

    def _lasting(self, tokens: Tokens) -> Tokens:
        """Tokens just received; a clock that is ahead must not make them look expired."""
        if tokens.access_expires_at > self._clock():
            return tokens
        least = self._clock() + _LEAST_LIFE_S
        later = max(tokens.refresh_expires_at, least)
        return replace(tokens, access_expires_at=least, refresh_expires_at=later)

    def _due(self, tokens: Tokens) -> float:
        left = tokens.access_expires_at - self._clock()
        return tokens.access_expires_at - min(_MARGIN_S, left * _MARGIN_SHARE)
