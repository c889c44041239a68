"""The log: appends, subscribers, folding and trimming, over lives of the process."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import ClassVar, TypeVar

import grpc
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.proofs.properties.log_answers import account, check_lost, order
from tests.proofs.properties.log_model import DAY_S, Log, Position, Said
from tests.proofs.properties.log_node import Clock, LogNode
from tests.proofs.properties.log_reader import Reader
from tests.proofs.properties.machine import Machine

T = TypeVar("T")
SCOPES = [f"conversations/conv_{number:08}" for number in range(3)]
TURNS = ["turn_a", "turn_b"]
MOST_READERS = 4
scopes = st.sampled_from(SCOPES)
turns = st.sampled_from(TURNS)
picks = st.integers(0, 40)
bodies = st.lists(st.tuples(st.booleans(), turns), min_size=1, max_size=4)
request_ids = st.sampled_from(["", "", "one", "two", "three"])


class LogMachine(Machine):
    """Any order of calls from any number of clients."""

    store_type: ClassVar[type[SqlLogStore]] = SqlLogStore

    async def open(self) -> None:
        self.clock = Clock()
        self.logs = {scope: Log() for scope in SCOPES}
        self.readers: list[Reader] = []
        self.positions: list[Position] = []
        self.number = 0
        await self._start()

    async def _start(self) -> None:
        self.database = await self.open_database(metadata)
        self.node = LogNode(self.store_type(self.database), self.clock)

    async def _stop(self) -> None:
        for reader in self.readers:
            self.positions += reader.given
            await reader.leave()
        self.readers.clear()
        await self.node.stop()
        await self.database.close()

    async def close(self) -> None:
        """Everybody who is there reads to the end first."""
        for reader in self.readers:
            await reader.catch_up()
        await self._stop()

    @rule(scope=scopes, what=bodies, request_id=request_ids, token=st.integers(0, 3))
    def append(self, scope: str, what: list[tuple[bool, str]], request_id: str, token: int) -> None:
        """Say something: new, or new under an id that is known, or behind a fence."""
        self.run(self._append(scope, self._body(what), request_id, token))

    @rule(scope=scopes, turn=turns, count=st.integers(1, 6))
    def speak(self, scope: str, turn: str, count: int) -> None:
        """Say an answer piece by piece, and then as a whole."""
        for _ in range(count):
            self.run(self._append(scope, self._body([(True, turn)]), "", 0))
        self.run(self._append(scope, self._body([(False, turn)]), "", 0))

    @rule(scope=scopes, request_id=st.sampled_from(["one", "two", "three"]))
    def repeat(self, scope: str, request_id: str) -> None:
        """Say the same again, if it was said."""
        known = self.logs[scope].requests.get(request_id)
        if known is not None:
            self.run(self._append(scope, known.body, request_id, 0))

    @rule(scope=scopes, whats=st.lists(st.tuples(bodies, request_ids), min_size=2, max_size=6))
    def append_at_once(self, scope: str, whats: list[tuple[list[tuple[bool, str]], str]]) -> None:
        """Say many things at the same time."""
        self.run(self._all_at_once(scope, whats))

    @rule(scope=scopes, what=bodies, request_id=st.sampled_from(["one", "two"]), turns=picks)
    def give_up(
        self, scope: str, what: list[tuple[bool, str]], request_id: str, turns: int
    ) -> None:
        """Go away while something is being said; say it again to learn what became of it."""
        self.run(self._give_up(scope, self._body(what), request_id, turns % 6))

    @rule(scope=scopes, turn=turns)
    def fold(self, scope: str, turn: str) -> None:
        """End a turn: its pieces go."""
        request = pb.FoldRequest(scope=scope, turn_id=turn)
        answer = self.run(_outcome(self.node.stub.Fold(request)))
        assert isinstance(answer, pb.FoldResponse), answer
        assert answer.removed == self.logs[scope].fold(turn)

    @rule(scope=scopes, before=picks)
    def trim(self, scope: str, before: int) -> None:
        """Remove the oldest."""
        log = self.logs[scope]
        before = 1 + before % (log.last + 2)
        request = pb.TrimRequest(scope=scope, before_offset=before)
        answer = self.run(_outcome(self.node.stub.Trim(request)))
        assert isinstance(answer, pb.TrimResponse), answer
        assert answer.earliest_offset == log.trim(before)

    @precondition(lambda self: len(self.readers) < MOST_READERS)
    @rule(
        scope=scopes,
        earliest=st.booleans(),
        kinds=st.sampled_from([(), (), (), (16,), (10,)]),
        size=st.integers(0, 3),
    )
    def follow(self, scope: str, earliest: bool, kinds: Sequence[int], size: int) -> None:
        """Follow a scope from its beginning or from now on."""
        self._follow(scope, None, earliest, kinds, size)

    @precondition(lambda self: self.positions and len(self.readers) < MOST_READERS)
    @rule(pick=picks, kinds=st.sampled_from([(), (), (16,)]), size=st.integers(0, 3))
    def resume(self, pick: int, kinds: Sequence[int], size: int) -> None:
        """Follow from any position that was ever given to anybody."""
        start = self.positions[-1 - pick % len(self.positions)]
        self._follow(start.scope, start, False, kinds, size)

    @precondition(lambda self: self.readers)
    @rule(pick=picks, all_of_it=st.booleans())
    def take(self, pick: int, all_of_it: bool) -> None:
        """Let a reader read."""
        reader = self.readers[pick % len(self.readers)]
        self.run(reader.catch_up() if all_of_it else reader.take_one())

    @precondition(lambda self: self.readers)
    @rule(pick=picks)
    def cut(self, pick: int) -> None:
        """Cut a reader off; where it was can be resumed."""
        reader = self.readers.pop(pick % len(self.readers))
        self.run(reader.leave())
        self.positions += reader.given

    @rule(scope=scopes, pick=picks, size=st.integers(1, 4))
    def read(self, scope: str, pick: int, size: int) -> None:
        """Read pages from somewhere to the end."""
        mine = [at for at in self.positions if at.scope == scope]
        start = mine[pick % len(mine)] if mine and pick % 2 else None
        self.run(self._read(scope, start, size))

    @rule()
    def restart(self) -> None:
        """End the process and begin the next; all streams are cut."""
        self.run(self._stop())
        self.run(self._start())

    @rule()
    def lose(self) -> None:
        """Lose the disk."""
        self.run(self._stop())
        self.lose_database()
        self.logs = {scope: Log(epoch=log.epoch + 1) for scope, log in self.logs.items()}
        self.run(self._start())

    @rule(hours=st.sampled_from([1, 23, 26]))
    def wait(self, hours: int) -> None:
        """Let time pass, and the log tidy up."""
        self.clock.time += hours * 3600
        self.run(self.node.log.forget_requests())

    @invariant()
    def nothing_waits(self) -> None:
        """Whatever was answered is committed."""
        assert self.node.log.waiting == 0

    def _body(self, what: Sequence[tuple[bool, str]]) -> tuple[Said, ...]:
        body = []
        for delta, turn in what:
            self.number += 1
            body.append(Said(f"text {self.number}", turn, delta))
        return tuple(body)

    def _follow(
        self,
        scope: str,
        start: Position | None,
        earliest: bool,
        kinds: Sequence[int],
        size: int,
    ) -> None:
        reader = Reader(self.node, scope, self.logs[scope], kinds)
        self.run(reader.begin(start, earliest=earliest, size=size))
        self.readers.append(reader)

    async def _send(
        self, scope: str, body: tuple[Said, ...], request_id: str, token: int
    ) -> pb.AppendResponse | Reason:
        request = pb.AppendRequest(
            scope=scope, events=[said.event() for said in body], request_id=request_id
        )
        if token:
            request.fence.key, request.fence.token = body[0].turn, token
        return await _outcome(self.node.stub.Append(request))

    async def _append(
        self, scope: str, body: tuple[Said, ...], request_id: str, token: int
    ) -> None:
        self._account(
            scope, body, request_id, token, await self._send(scope, body, request_id, token)
        )

    async def _all_at_once(
        self, scope: str, whats: list[tuple[list[tuple[bool, str]], str]]
    ) -> None:
        asked = [(self._body(what), request_id) for what, request_id in whats]
        asked += asked[:1]  # and one of them twice
        answers = await asyncio.gather(*(self._send(scope, b, r, 0) for b, r in asked))
        for at in sorted(range(len(asked)), key=lambda at: order(answers[at])):
            self._account(scope, *asked[at], 0, answers[at])

    async def _give_up(
        self, scope: str, body: tuple[Said, ...], request_id: str, turns: int
    ) -> None:
        sending = asyncio.create_task(self._send(scope, body, request_id, 0))
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
        answer = await self._send(scope, body, request_id, 0)
        if isinstance(answer, pb.AppendResponse) and answer.first_offset > self.logs[scope].last:
            answer.duplicate = False  # by whichever of the two: it is there once
        self._account(scope, body, request_id, 0, answer)

    def _account(
        self,
        scope: str,
        body: tuple[Said, ...],
        request_id: str,
        token: int,
        answer: pb.AppendResponse | Reason,
    ) -> None:
        log = self.logs[scope]
        may_be_forgotten = self.clock.time - Clock().time > DAY_S
        now = self.clock.time
        if account(log, body, request_id, token, answer, now, fences_forgotten=may_be_forgotten):
            assert isinstance(answer, pb.AppendResponse)
            first, last = answer.first_offset, answer.last_offset
            self.positions.append(Position(scope, log.epoch, first - 1, answer.previous_cursor))
            self.positions.append(Position(scope, log.epoch, last, answer.cursor))

    async def _read(self, scope: str, start: Position | None, size: int) -> None:
        log = self.logs[scope]
        request = pb.ReadEventsRequest(
            scope=scope, cursor=start.cursor if start else "", page_size=size
        )
        position = start.offset if start else log.earliest - 1
        while True:
            answer = await _outcome(self.node.stub.ReadEvents(request))
            if isinstance(answer, Reason):
                assert start is not None, answer
                check_lost(log, start, answer)
                return
            for event in answer.events:
                position = log.check(event, position)
            request.cursor = answer.cursor
            if answer.at_head:
                assert position == log.last
                return


async def _outcome(call: Awaitable[T]) -> T | Reason:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        return domain_error_of(error).reason
