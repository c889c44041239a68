"""An assignment waits for what is left of budgets no longer than it may."""

import asyncio
import time
from collections.abc import Sequence

from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon_server.dispatcher.handling import Turn
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.workers.adapters.budgets import IntegrationBudgets
from antiphon_server.workers.budgets import left_when
from tests.dispatcher.world import a_turn
from tests.e2e.refusals import Refused


class Slow:
    """Budgets that take so long to be read."""

    def __init__(self, takes_s: float) -> None:
        self._takes_s, self.given_up = takes_s, False

    async def left(self, turn: Turn) -> Sequence[bytes]:
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.given_up = True
            raise
        return [b"left"]


async def test_it_is_found_out_beside_the_commit() -> None:
    """Two times 0.2 s are 0.2 s."""
    began = time.monotonic()
    assert await left_when(asyncio.sleep(0.2), a_turn(), Slow(0.2), patience_s=5.0) == [b"left"]
    assert time.monotonic() - began < 0.35


async def test_what_takes_longer_is_given_up() -> None:
    """The turn is assigned without."""
    budgets = Slow(3600)
    assert await left_when(asyncio.sleep(0), a_turn(), budgets, patience_s=0.01) == ()
    await asyncio.sleep(0)
    assert budgets.given_up


async def test_a_commit_that_fails_gives_it_up() -> None:
    """Nobody reads for a turn that is not assigned."""

    async def fails() -> None:
        await asyncio.sleep(0)
        raise DomainError(Reason.FENCED)

    budgets = Slow(3600)
    with Refused(Reason.FENCED):
        await left_when(fails(), a_turn(), budgets)
    await asyncio.sleep(0)
    assert budgets.given_up


async def test_what_cannot_be_asked_is_not_told() -> None:
    """A server that is older does not know the question."""
    channel = LocalServer([ErrorInterceptor()]).channel()
    assert await IntegrationBudgets(IntegrationServiceStub(channel)).left(a_turn()) == ()
