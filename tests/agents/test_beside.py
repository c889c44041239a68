"""What stands beside the messages is asked for once a turn, and no turn waits for long for it."""

from typing import Any

import pytest

from antiphon.context.v1.context_service_pb2 import GetContextResponse
from antiphon.context.v1.message_pb2 import Message, Part
from antiphon.memory.v1 import assembly_service_pb2 as pb
from antiphon.memory.v1.assembly_service_pb2_grpc import (
    AssemblyServiceServicer,
    AssemblyServiceStub,
    add_AssemblyServiceServicer_to_server,
)
from antiphon_server.agents.adapters.beside import AWAY_S, BesideMessages
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.agents.test_prompts import turn

SHOWN = GetContextResponse(
    messages=[Message(message_id="msg_00000001", parts=[Part(text="Where is it?")])],
    estimated_tokens=9,
)


class Memory(AssemblyServiceServicer):
    """Answers, or fails as it is told to; what it was asked is ``asked``."""

    def __init__(self) -> None:
        self.asked: list[pb.AssembleContextRequest] = []
        self.fails: DomainError | None = None

    async def AssembleContext(
        self, request: pb.AssembleContextRequest, context: Any
    ) -> pb.AssembleContextResponse:
        self.asked.append(request)
        if self.fails is not None:
            raise self.fails
        return pb.AssembleContextResponse(texts=["> note"])

    async def ExplainContext(
        self, request: pb.ExplainContextRequest, context: Any
    ) -> pb.ExplainContextResponse:
        raise AssertionError("nobody asks")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def now() -> list[float]:
    """The time, which a test sets."""
    return [1000.0]


@pytest.fixture
def beside(memory: Memory, now: list[float]) -> BesideMessages:
    """It asks that memory."""
    server = LocalServer([ErrorInterceptor()])
    add_AssemblyServiceServicer_to_server(memory, server)
    return BesideMessages(AssemblyServiceStub(server.channel()), lambda: now[0])


async def test_it_is_asked_once_for_whoever_asks(memory: Memory, beside: BesideMessages) -> None:
    """With what is shown in any case, and what was asked."""
    found = await beside.of(turn(1), 3000, SHOWN)
    assert found.texts == ["> note"]
    (request,) = memory.asked
    assert (request.query, request.user_id) == ("Where is it?", turn(1).user_id)
    assert (request.newest.count, request.newest.tokens) == (1, 9)


@pytest.mark.parametrize("reason", [Reason.SERVICE_UNAVAILABLE, Reason.DRAINING])
async def test_memory_that_is_away_is_left_alone(
    memory: Memory, beside: BesideMessages, now: list[float], reason: Reason
) -> None:
    """For a while, by all turns; after that it is asked again."""
    memory.fails = DomainError(reason, service="memory", retry_after=1.0)
    assert not (await beside.of(turn(1), 3000, SHOWN)).texts
    assert not (await beside.of(turn(2), 3000, SHOWN)).texts
    assert len(memory.asked) == 1
    memory.fails = None
    now[0] += AWAY_S
    assert (await beside.of(turn(3), 3000, SHOWN)).texts == ["> note"]


async def test_a_turn_that_memory_refuses_concerns_no_other(
    memory: Memory, beside: BesideMessages
) -> None:
    """It goes on without, and the next one asks."""
    memory.fails = DomainError(Reason.STORE_UNAVAILABLE)
    assert not (await beside.of(turn(1), 3000, SHOWN)).texts
    memory.fails = None
    assert (await beside.of(turn(2), 3000, SHOWN)).texts == ["> note"]
