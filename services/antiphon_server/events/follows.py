"""Unary calls about an open Follow, which may be on another node of the same store.

A question to the other nodes is a message in their log: it arrives within milliseconds while the
bus carries, and within half a second at those who look into the store. Whoever holds the stream
does what is asked, and answers in the same way.
"""

import asyncio
from collections.abc import Sequence
from typing import assert_never

import msgspec

from antiphon_server.events.actions import Action, act
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NODES
from antiphon_server.events.node_messages import NodeMessage, StreamReply, StreamRequest, events_of
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found

ANSWERED_S = 2.0
MOST_AT_ONCE = 1000


class _Call(msgspec.Struct, frozen=True):
    """What is asked of which stream, in whose name. It holds no token."""

    user_id: UserId
    session_id: SessionId
    follow_id: str
    actions: list[Action]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Call).decode


class Follows:
    """Finds open streams by their names, here and elsewhere; call :meth:`close` at the end."""

    def __init__(
        self, subscriptions: Subscriptions, log: EventLog, answered_s: float = ANSWERED_S
    ) -> None:
        self._subscriptions = subscriptions
        self._log = log
        self._answered_s = answered_s
        self._questions: dict[str, asyncio.Future[None]] = {}
        self._tasks = TaskSet()

    async def ask(self, principal: Principal, follow_id: str, actions: Sequence[Action]) -> None:
        """Do ``actions`` in order on the stream of that name; what comes of them it tells.

        Raises DomainError NOT_FOUND, on several nodes if none has answered ``answered_s``
        seconds after it was asked; OVERLOADED, STORE_UNAVAILABLE.
        """
        found = self._subscriptions.find(principal.user_id, principal.session_id, follow_id)
        if found is not None:
            await _act_all(found, actions)
        elif self._log.peer_commits is None:
            raise not_found(f"follow {follow_id}")
        else:
            call = _Call(principal.user_id, principal.session_id, follow_id, list(actions))
            await self._ask_others(call)

    def on_message(self, message: StreamRequest | StreamReply) -> None:
        """Take a message of a node: a question whose stream is here, or an answer to our own."""
        match message:
            case StreamRequest(question, encoded):
                self._answer(question, encoded)
            case StreamReply(question):
                waiting = self._questions.get(question)
                if waiting is not None and not waiting.done():
                    waiting.set_result(None)
            case _:
                assert_never(message)

    async def close(self) -> None:
        """Stop what runs."""
        await self._tasks.stop()

    async def _ask_others(self, call: _Call) -> None:
        if len(self._questions) >= MOST_AT_ONCE:
            raise DomainError(Reason.OVERLOADED, resource="questions to nodes", retry_after=1.0)
        question = new_id("ask")
        answered = asyncio.get_running_loop().create_future()
        self._questions[question] = answered
        try:
            await self._send(StreamRequest(question, _encode(call)))
            async with asyncio.timeout(self._answered_s):
                await answered
        except TimeoutError:
            raise not_found(f"follow {call.follow_id}") from None
        finally:
            del self._questions[question]

    def _answer(self, question: str, encoded: bytes) -> None:
        try:
            call = _decode(encoded)
        except msgspec.MsgspecError:
            return  # a version to come asks for what this one does not know
        found = self._subscriptions.find(call.user_id, call.session_id, call.follow_id)
        if found is not None and len(self._tasks) < MOST_AT_ONCE:
            self._tasks.spawn("follow-asked", self._carry_out(question, found, call.actions))

    async def _carry_out(
        self, question: str, subscription: Subscription, actions: Sequence[Action]
    ) -> None:
        await _act_all(subscription, actions)
        await self._send(StreamReply(question))

    async def _send(self, message: NodeMessage) -> None:
        await self._log.append(NODES, events_of([message]))


async def _act_all(subscription: Subscription, actions: Sequence[Action]) -> None:
    for action in actions:
        await act(subscription, action)
