"""The audit service as clients call it, on the clock of the wall."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from antiphon_server.auth.model import User
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.auth.api import Rpcs, served
from tests.auth.world import FakeClock, open_world

# No more is on its way to a client that does not read, however long it waits.
LITTLE_AHEAD = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1 << 16)]


@dataclass(slots=True)
class AuditApi(Rpcs):
    """The service with an operator, who calls where nobody else does, and a user."""

    ann: User
    token: str
    boss_token: str

    async def call(self, method: str, request: Any, token: str = "") -> Any:
        """See :meth:`Rpcs.call`."""
        return await Rpcs.call(self, method, request, token or self.boss_token)

    def stream(self, method: str, request: Any, token: str = "") -> Any:
        """See :meth:`Rpcs.stream`."""
        return Rpcs.stream(self, method, request, token or self.boss_token)


async def end_of(stream: Any) -> Reason:
    """How a stream ends, read to its end."""
    return (await rest_of(stream))[1]


async def rest_of(stream: Any) -> tuple[list[Any], Reason]:
    """What is left of a stream, and how it ends."""
    answers = []
    try:
        while (answer := await stream.read()) is not grpc.aio.EOF:
            answers.append(answer)
    except grpc.aio.AioRpcError as failed:
        return answers, domain_error_of(failed).reason
    raise AssertionError("the stream ended well")


@asynccontextmanager
async def audit_api(data_dir: Path) -> AsyncIterator[AuditApi]:
    """The service on a port, with all its guards."""
    clock = FakeClock()
    clock.time = time.time()
    world = await open_world(data_dir, clock=clock)
    ann = await world.user("ann")
    await world.user("boss", operator=True)
    token, boss_token = [(await world.login(it)).tokens.access_token for it in ("ann", "boss")]
    async with served(world, options=LITTLE_AHEAD) as channel:
        yield AuditApi(world, channel, ann, token, boss_token)
    await world.close()
