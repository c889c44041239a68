"""A client that goes in the very moment in which it is refused."""

import asyncio
from typing import Any, NoReturn

import grpc
import pytest

from antiphon_server.runtime.channels.local_context import LocalContext
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.methods import Method

GONE = 'Failed "execute_batch": (...)'
MISUSED = "Failed grpc_call_start_batch: 8"


class Closed(LocalContext):
    """A call on which nothing can be sent any more, as gRPC's core says it."""

    def __init__(self, said: str) -> None:
        super().__init__((), None)
        self._said = said

    async def abort(self, code: Any, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        raise grpc.aio.InternalError(self._said)


async def refused(said: str) -> None:
    async def handler(_request: Any, _context: Any) -> None:
        raise not_found("it")

    await ErrorInterceptor().wrap(Method("/x/y"), handler)(None, Closed(said))


async def test_a_client_that_has_gone_is_no_defect() -> None:
    """The call ends as a cancelled one, of which gRPC logs nothing."""
    with pytest.raises(asyncio.CancelledError):
        await refused(GONE)


async def test_a_misuse_of_the_transport_is_one() -> None:
    """What else gRPC can't do is reported."""
    with pytest.raises(grpc.aio.InternalError):
        await refused(MISUSED)
