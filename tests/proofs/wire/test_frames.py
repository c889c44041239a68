"""Frames and headers that are wrong: refused so that a client understands, or harmless."""

import pytest

from tests.e2e.server import ServerProcess
from tests.proofs.wire.malformed import CALLS, CASES, Call, Case
from tests.proofs.wire.raw import Raw, begun, connected, grpc_frame

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSED_S = 10.0
OK = 0


async def serves(raw: Raw, stream: int) -> bool:
    """Whether a good call on the same connection is answered."""
    await raw.call(stream, grpc_frame())
    await raw.until(lambda: raw.of(stream).status is not None, REFUSED_S)
    return raw.of(stream).status == OK


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_connection_that_misbehaves(server: ServerProcess, case: Case) -> None:
    """It is ended, or what it sent changes nothing; others are served."""
    async with connected(server.port) as raw:
        if case.preface:
            await raw.begin()
            await raw.until(lambda: raw.settings, 2)
        await case.send(raw)
        if case.tolerated:
            assert await serves(raw, 101) or raw.outcome.closed or raw.outcome.goaway is not None
        else:
            came = await raw.refused(REFUSED_S)
            assert came.refused, came
    async with begun(server.port) as other:
        assert await serves(other, 1)


@pytest.mark.parametrize("call", CALLS, ids=[call.name for call in CALLS])
async def test_a_call_that_misbehaves(server: ServerProcess, call: Call) -> None:
    """It gets a status or a reset, and the connection goes on unless it was closed."""
    async with begun(server.port) as raw:
        await raw.until(lambda: raw.settings, 2)  # they hold from when they are acknowledged
        await raw.call(1, call.body, call.headers)
        came = await raw.refused(REFUSED_S)
        assert came.refused, came
        assert call.tolerated or came.status != OK, came
        assert call.spoils or raw.outcome.closed or await serves(raw, 3)
