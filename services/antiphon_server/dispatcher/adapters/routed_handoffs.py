"""Calls about hand-offs, answered by the server that has the conversation's lane."""

from antiphon.dispatcher.v1 import handoff_service_pb2 as pb
from antiphon.dispatcher.v1.handoff_service_pb2_grpc import HandoffServiceStub
from antiphon_server.dispatcher.adapters.routed_calls import RoutedCalls
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.handoff_calls import HandoffCalls


class RoutedHandoffCalls:
    """A :class:`~antiphon_server.dispatcher.handoff_calls.HandoffCalls` for one of several."""

    def __init__(self, here: HandoffCalls, routed: RoutedCalls) -> None:
        self._here, self._routed = here, routed.routed

    async def hand_off(
        self, request: pb.HandOffTurnRequest, caller: Caller
    ) -> pb.HandOffTurnResponse:
        here = self._here.hand_off
        return await self._routed(request, caller, here, "HandOffTurn", HandoffServiceStub)

    async def claim(
        self, request: pb.ClaimHandoffRequest, caller: Caller
    ) -> pb.ClaimHandoffResponse:
        here = self._here.claim
        return await self._routed(request, caller, here, "ClaimHandoff", HandoffServiceStub)

    async def release(
        self, request: pb.ReleaseHandoffRequest, caller: Caller
    ) -> pb.ReleaseHandoffResponse:
        here = self._here.release
        return await self._routed(request, caller, here, "ReleaseHandoff", HandoffServiceStub)

    async def reply(
        self, request: pb.AnswerHandoffRequest, caller: Caller
    ) -> pb.AnswerHandoffResponse:
        here = self._here.reply
        return await self._routed(request, caller, here, "AnswerHandoff", HandoffServiceStub)

    async def give_back(
        self, request: pb.ReturnHandoffRequest, caller: Caller
    ) -> pb.ReturnHandoffResponse:
        here = self._here.give_back
        return await self._routed(request, caller, here, "ReturnHandoff", HandoffServiceStub)

    async def decline(
        self, request: pb.DeclineHandoffRequest, caller: Caller
    ) -> pb.DeclineHandoffResponse:
        here = self._here.decline
        return await self._routed(request, caller, here, "DeclineHandoff", HandoffServiceStub)
