"""Requests with an id: repeated, changed, sent many times at once, over restarts and days."""

import asyncio
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

import grpc
from google.protobuf.message import Message
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchResponse
from tests.e2e.callers import channel_to, operator
from tests.e2e.contracts import Rpc, every_rpc
from tests.e2e.prepared import prepared
from tests.e2e.refusals import reason_of
from tests.e2e.server import ServerProcess
from tests.e2e.smallest import SAMPLE, Ids, smallest
from tests.proofs.properties.machine import Machine
from tests.proofs.robustness.clock import Clock

KEPT_S = 24 * 3600
FREE = {"title", "display_name"}
"""Fields without a rule that may hold anything."""
ELSEWHERE = {"LinkIdentity", "UnlinkIdentity"}
"""What needs an identity provider is asked where there is one."""
picks = st.integers(0, 20)


@dataclass(frozen=True, slots=True)
class Kind:
    """An RPC that can be repeated, and the field by which it is recognised."""

    rpc: Rpc
    id_field: str

    def varies(self, ids: Ids) -> bool:
        """Whether another number makes another body."""
        return self.request(ids, "", 1) != self.request(ids, "", 2)

    def request(self, ids: Ids, request_id: str, number: int) -> Message:
        """A valid request; another ``number`` makes another body, if it has any text."""
        resource = self.rpc.access.resource_field
        made = smallest(self.rpc.request_type, ids, resource)
        setattr(made, self.id_field, request_id)
        _vary(made, f"sample-{number:06}")
        return made

    def new_id(self, number: int) -> str:
        """An id that was not used before."""
        unique = uuid.uuid5(uuid.NAMESPACE_OID, f"{self.rpc.path} {number}")
        return f"turn_{unique.hex}" if self.id_field == "turn_id" else str(unique)


def kinds() -> list[Kind]:
    """All that a client can call, found in the contracts."""
    found = []
    for rpc in every_rpc():
        fields = rpc.method.input_type.fields_by_name
        if rpc.access.permission == access_pb2.PERMISSION_INTERNAL or rpc.method.name in ELSEWHERE:
            continue
        if "request_id" in fields:
            found.append(Kind(rpc, "request_id"))
        elif rpc.method.name == "Dispatch":
            found.append(Kind(rpc, "turn_id"))
    return found


def _vary(message: Message, text: str) -> None:
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                if field.is_repeated or message.HasField(field.name):
                    _vary(inner, text)
        elif field.name in FREE or value == SAMPLE:
            setattr(message, field.name, text)


@dataclass(slots=True)
class Answered:
    """A request and what it got, at which time of the server's clock."""

    kind: Kind
    request: Message
    answer: Message
    at: float


class RequestsMachine(Machine):
    """The operator, who is never sure whether he was heard."""

    server: ClassVar[ServerProcess]
    clock: ClassVar[Clock]
    now: ClassVar[float] = 0.0
    number: ClassVar[int] = 0

    async def open(self) -> None:
        self.answered: list[Answered] = []
        self.ids = (await operator(self.server)).known
        await self._connect()

    async def _connect(self) -> None:
        async with self.server.client() as client:
            self.token = await client.tokens.get()
        self.channel = channel_to(self.server)

    async def close(self) -> None:
        await self._revoke_keys()
        await self.channel.close()

    async def _revoke_keys(self) -> None:
        """Nobody may have more than 100."""
        auth, metadata = AuthServiceStub(self.channel), (("authorization", f"Bearer {self.token}"),)
        listed = await auth.ListApiKeys(pb.ListApiKeysRequest(page_size=200), metadata=metadata)
        for key in listed.api_keys:
            if key.label.startswith("sample-"):
                await auth.RevokeApiKey(
                    pb.RevokeApiKeyRequest(key_id=key.key_id), metadata=metadata
                )

    @rule(kind=st.sampled_from(kinds()), times=st.integers(1, 4))
    def ask(self, kind: Kind, times: int) -> None:
        """Ask for something new, perhaps many times at once."""
        request = self._new(kind)
        answers = self.run(self._all([(kind, request)] * times))
        self._same(kind, answers, None)
        answer = answers[0]
        assert isinstance(answer, Message)
        self.answered.append(Answered(kind, request, answer, type(self).now))

    @precondition(lambda self: self.answered)
    @rule(which=picks, times=st.integers(1, 3))
    def repeat(self, which: int, times: int) -> None:
        """Ask again, as one who heard nothing."""
        one = self._pick(which)
        answers = self.run(self._all([(one.kind, one.request)] * times))
        if self._kept(one):
            self._same(one.kind, answers, one.answer)

    @precondition(lambda self: self.answered)
    @rule(which=picks)
    def change(self, which: int) -> None:
        """Ask for something else under an id that was used."""
        one = self._pick(which)
        if not one.kind.varies(self.ids):
            return
        request_id = getattr(one.request, one.kind.id_field)
        type(self).number += 1
        other = one.kind.request(self.ids, request_id, self.number)
        (answer,) = self.run(self._all([(one.kind, other)]))
        if self._kept(one):
            assert answer == "REQUEST_ID_REUSED", answer
        else:
            self.answered.remove(one)

    @rule(kind=st.sampled_from(kinds()))
    def ask_two_at_once(self, kind: Kind) -> None:
        """Ask for two things under one id at the same time: one of them is done."""
        if not kind.varies(self.ids):
            return
        request = self._new(kind)
        type(self).number += 1
        other = kind.request(self.ids, getattr(request, kind.id_field), self.number)
        answers = self.run(self._all([(kind, request), (kind, other), (kind, request)]))
        mine = [answers[0], answers[2]]
        if isinstance(answers[1], Message):
            assert mine == ["REQUEST_ID_REUSED"] * 2, mine
        else:
            assert answers[1] == "REQUEST_ID_REUSED", answers[1]
            self._same(kind, mine, None)

    @rule(kind=st.sampled_from(kinds()), wait_ms=st.sampled_from([0, 2, 5, 10, 20]))
    def lose_the_answer(self, kind: Kind, wait_ms: int) -> None:
        """Kill the server while it is asked; the next one knows whether it was done."""
        request = self._new(kind)
        self.run(self._killed(kind, request, wait_ms))
        (first,) = self.run(self._all([(kind, request)]))
        assert isinstance(first, Message), first
        self._same(kind, self.run(self._all([(kind, request)] * 2)), first)
        self.answered.append(Answered(kind, request, first, type(self).now))

    @rule(hours=st.sampled_from([1, 20]))
    def wait(self, hours: int) -> None:
        """Let time pass; tokens expire."""
        type(self).now += hours * 3600
        self.clock.jump(type(self).now)
        self.run(self._reconnect())

    async def _killed(self, kind: Kind, request: Message, wait_ms: int) -> None:
        asking = asyncio.ensure_future(self._outcome(kind, request))
        await asyncio.sleep(wait_ms / 1000)
        await self.server.restart()
        await asking
        await self._reconnect()

    async def _reconnect(self) -> None:
        await self.channel.close()
        await self._connect()

    def _new(self, kind: Kind) -> Message:
        type(self).number += 1
        ids = self.run(self._prepared(kind))
        return kind.request(ids, kind.new_id(self.number), self.number)

    async def _prepared(self, kind: Kind) -> Ids:
        async with self.server.client() as client:
            return {**self.ids, **await prepared(client, self.ids, kind.rpc)}

    def _pick(self, which: int) -> Answered:
        return self.answered[-1 - which % len(self.answered)]

    def _kept(self, one: Answered) -> bool:
        return type(self).now - one.at < KEPT_S - 60

    def _same(self, kind: Kind, answers: list[Message | str], first: Message | None) -> None:
        """Hold that all got one answer; of a turn, which moves on, that it is one turn."""
        for answer in answers:
            assert isinstance(answer, Message), (kind.rpc.path, answer)
            expected = first if first is not None else answers[0]
            if kind.id_field == "turn_id":
                turn, first_turn = cast(DispatchResponse, answer), cast(DispatchResponse, expected)
                assert (turn.cursor, turn.turn.turn_id) == (
                    first_turn.cursor,
                    first_turn.turn.turn_id,
                )
            else:
                assert answer == expected, (kind.rpc.path, answer, expected)

    async def _all(self, asked: list[tuple[Kind, Message]]) -> list[Message | str]:
        return await asyncio.gather(*(self._outcome(kind, request) for kind, request in asked))

    async def _outcome(self, kind: Kind, request: Message) -> Message | str:
        try:
            return await kind.rpc.call(self.channel, request, self.token)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return "UNAVAILABLE"
            return reason_of(error)


@contextmanager
def machine_on(home: Path, module: str) -> Iterator[type[RequestsMachine]]:
    """The machine on a server whose clock can jump."""
    clock = Clock(home / "clock")
    server = ServerProcess(home, variables=clock.variables, command=(sys.executable, "-m", module))
    with asyncio.Runner() as runner:
        runner.run(server.start())
        given = {"server": server, "clock": clock, "runner": runner}
        try:
            yield type("Machine", (RequestsMachine,), given)
        finally:
            runner.run(server.kill())
