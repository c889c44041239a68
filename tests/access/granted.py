"""Turns that run for a while, and their grants, as a worker would have got them."""

import time
from dataclasses import dataclass

import grpc

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon_client import new_turn_id
from antiphon_server.auth.adapters.server_secret import SECRET_FILE, load_or_create
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.principal import Grant
from tests.e2e.callers import Caller
from tests.e2e.server import ServerProcess

WORDS = "on " * 20_000
"""What an echo says in 400 s: a turn that runs until it is stopped."""
FOR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A caller's turn that runs in their conversation."""

    channel: grpc.aio.Channel
    caller: Caller
    turn_id: str

    @property
    def conversation_id(self) -> str:
        """Where it runs."""
        return self.caller.known["conv"]

    @classmethod
    async def begun(cls, channel: grpc.aio.Channel, caller: Caller) -> "Turn":
        """Post what it answers."""
        turn_id = new_turn_id()
        request = pb.DispatchRequest(
            conversation_id=caller.known["conv"],
            turn_id=turn_id,
            handler="echo",
            policy=TURN_POLICY_PARALLEL,
            parts=[Part(text=WORDS)],
        )
        await DispatcherServiceStub(channel).Dispatch(request, metadata=caller.metadata)
        return cls(channel, caller, turn_id)

    async def stop(self, channel: grpc.aio.Channel | None = None) -> None:
        """Cancel it; where it was posted, or elsewhere."""
        request = pb.CancelTurnRequest(conversation_id=self.conversation_id, turn_id=self.turn_id)
        stub = DispatcherServiceStub(channel or self.channel)
        await stub.CancelTurn(request, metadata=self.caller.metadata)

    def grant(self, tokens: GrantTokens, attempt: int = 1, for_s: float = FOR_S) -> str:
        """The grant of an attempt."""
        known = self.caller.known
        grant = Grant(self.turn_id, known["conv"], known["ws"], attempt)
        return tokens.issue(grant, known["user"], (), time.time() + for_s)


def tokens_of(server: ServerProcess) -> GrantTokens:
    """What the server issues grants with."""
    return GrantTokens(load_or_create(server.data_dir / SECRET_FILE))
