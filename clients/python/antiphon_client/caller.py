"""Unary calls: with a token, a deadline, and typed errors."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

import grpc

from antiphon_client.errors import Unauthenticated
from antiphon_client.status import error_of_rpc
from antiphon_client.tokens import TokenSource

Request = TypeVar("Request")
Response = TypeVar("Response")
Item = TypeVar("Item")

DEADLINE_S = 30.0


class Pager(Protocol):
    """A response that is one page of a list."""

    @property
    def next_page_token(self) -> str:
        """The next page's token; empty on the last."""


Page = TypeVar("Page", bound=Pager)


class Caller:
    """Calls with the session's token, and once more with a new one if it is refused."""

    def __init__(self, tokens: TokenSource, deadline: float = DEADLINE_S) -> None:
        self._tokens = tokens
        self._deadline = deadline

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request
    ) -> Response:
        """Make one call. Raises AntiphonError."""
        token = await self._tokens.get()
        try:
            return await self._once(method, request, token)
        except Unauthenticated as error:
            if not error.of_token:
                raise
            self._tokens.reject(token)
            if not self._tokens.renewable:
                raise
        return await self._once(method, request, await self._tokens.get())

    async def _once(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        token: str,
    ) -> Response:
        metadata = (("authorization", f"Bearer {token}"),)
        try:
            return await method(request, metadata=metadata, timeout=self._deadline)
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
