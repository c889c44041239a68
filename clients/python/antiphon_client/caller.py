"""Unary calls: with a token, a deadline, typed errors, and patience."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

import grpc

from antiphon_client.backoff import Backoff
from antiphon_client.contracts import may_be_repeated, with_request_id
from antiphon_client.errors import Unauthenticated, Unavailable, Untrusted
from antiphon_client.status import error_of_rpc
from antiphon_client.tokens import TokenSource

Request = TypeVar("Request")
Response = TypeVar("Response")
Item = TypeVar("Item")

DEADLINE_S = 30.0
TOOL_DEADLINE_S = 3660.0
"""For what the server ends itself: a tool may take an hour at most, and then it says so."""
PATIENCE_S = 10.0
"""How long a service may be away that is started again."""
_AWAY = frozenset({"", "SERVICE_UNAVAILABLE", "DRAINING"})


class Pager(Protocol):
    """A response that is one page of a list."""

    @property
    def next_page_token(self) -> str:
        """The next page's token; empty on the last."""


Page = TypeVar("Page", bound=Pager)


class Caller:
    """Calls with the session's token, and once more with a new one if it is refused.

    With ``patience`` what may be made twice is, for so many seconds while nobody is there.
    """

    def __init__(
        self, tokens: TokenSource, deadline: float = DEADLINE_S, patience: float = 0.0
    ) -> None:
        self._tokens = tokens
        self._deadline = deadline
        self._patience = patience

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        at_least: float = 0.0,
    ) -> Response:
        """Make one call; a change that lacks its ``request_id`` gets one. Raises AntiphonError.

        One that the server may take longer for has ``at_least`` so many seconds.
        """
        began, request = time.monotonic(), with_request_id(request)
        deadline = max(self._deadline, at_least)
        patience = min(self._patience, deadline) if may_be_repeated(request) else 0.0
        token, is_new = await self._tokens.get(), False  # a login is made once
        backoff = Backoff()
        while True:
            try:
                return await self._once(method, request, token, began + deadline)
            except Untrusted:
                raise
            except Unavailable as error:
                pause = error.retry_after or backoff.next()
                if error.reason not in _AWAY or time.monotonic() + pause > began + patience:
                    raise
                await asyncio.sleep(pause)
            except Unauthenticated as error:
                if is_new or not error.of_token:
                    raise
                self._tokens.reject(token)
                if not self._tokens.renewable:
                    raise
                token, is_new = await self._tokens.get(), True

    async def stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        deadline: float,
    ) -> AsyncGenerator[Response]:
        """Make one call that is answered in steps; closing it ends the call.

        Raises AntiphonError. It is made once.
        """
        metadata = (("authorization", f"Bearer {await self._tokens.get()}"),)
        call = method(request, metadata=metadata, timeout=deadline)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
        finally:
            call.cancel()

    async def _once(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        token: str,
        end: float,
    ) -> Response:
        metadata = (("authorization", f"Bearer {token}"),)
        try:
            return await method(request, metadata=metadata, timeout=end - time.monotonic())
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None


async def pages(
    fetch: Callable[[str], Awaitable[Page]], items: Callable[[Page], Iterable[Item]]
) -> AsyncGenerator[Item]:
    """All items of a list, page after page, each fetched when it is needed."""
    page_token = ""
    while True:
        page = await fetch(page_token)
        for item in items(page):
            yield item
        page_token = page.next_page_token
        if not page_token:
            return
