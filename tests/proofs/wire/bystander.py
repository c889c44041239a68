"""A good client that calls while others misbehave, and notes how it fares."""

import asyncio
import itertools
import time
from typing import Any

import grpc

from antiphon.auth.v1 import auth_service_pb2 as auth
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1 import context_service_pb2 as context
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from tests.e2e.refusals import reason_of
from tests.proofs.wire.world import LOST

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
GAP_S = 0.02
DEADLINE_S = 10.0
MOST_ENDED = 5
"""How often its session may be ended during one call."""
MOST_TURNS = 66
"""In one conversation; then it begins another, so that its calls cost the same all along."""


class Bystander:
    """Posts, reads and asks who it is, in turn.

    ``delays_s`` are the times of its calls, ``served`` is how many of them were answered.
    """

    def __init__(self, channel: grpc.aio.Channel, key: str, gap_s: float = GAP_S) -> None:
        self._auth: Any = AuthServiceStub(channel)
        self._context: Any = ContextServiceStub(channel)
        self._key = key
        self._gap_s = gap_s
        self._metadata: tuple[tuple[str, str], ...] = ()
        self.delays_s: list[float] = []
        self.served = 0
        self.failures: list[str] = []

    async def run(self) -> None:
        """Call until cancelled. Raises grpc.aio.AioRpcError if it can't sign in."""
        await self.sign_in()
        conversation = ""
        for turn in itertools.count():
            if turn % MOST_TURNS == 0 or not conversation:
                begin = context.CreateConversationRequest()
                made = await self._call(self._context.CreateConversation, begin)
                conversation = made.conversation.conversation_id if made else ""
            post = context.PostMessageRequest(
                conversation_id=conversation, parts=[Part(text="hello")]
            )
            page = context.ListMessagesRequest(conversation_id=conversation, page_size=10)
            for method, request in (
                (self._context.PostMessage, post),
                (self._context.ListMessages, page),
                (self._auth.WhoAmI, auth.WhoAmIRequest()),
            ):
                await self._call(method, request)
                await asyncio.sleep(self._gap_s)

    async def sign_in(self) -> None:
        """Exchange the key for a token."""
        login = auth.LoginRequest(api_key=auth.ApiKeyCredential(api_key=self._key))
        answer = await self._auth.Login(login, timeout=DEADLINE_S)
        self._metadata = (("authorization", f"Bearer {answer.tokens.access_token}"),)

    async def _call(self, method: Any, request: Any) -> Any:
        """The answer; None if there was none, which is noted."""
        began, answer = time.perf_counter(), None
        try:
            answer = await self._signed_in(method, request)
            self.served += 1
        except grpc.aio.AioRpcError as error:
            self.failures.append(f"{error.code().name}: {error.details()}")
        self.delays_s.append(time.perf_counter() - began)
        return answer

    async def _signed_in(self, method: Any, request: Any) -> Any:
        """The answer; signs in again if somebody with the right to ended its session."""
        for _ in range(MOST_ENDED):
            try:
                return await method(request, metadata=self._metadata, timeout=DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                if error.code() is not UNAUTHENTICATED or reason_of(error) not in LOST:
                    raise
                await self.sign_in()
        return await method(request, metadata=self._metadata, timeout=DEADLINE_S)
