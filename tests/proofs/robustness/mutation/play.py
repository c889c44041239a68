"""One short play that touches every promise; what is wrong with it, in words."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL, Conversation
from antiphon.context.v1.message_pb2 import Part
from antiphon_client import Client, Password
from antiphon_client.ids import new_turn_id
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import until
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.disk.tracing import python
from tests.proofs.robustness.history import History, Reader
from tests.proofs.robustness.mutation.__main__ import VARIABLE
from tests.proofs.robustness.mutation.bare import BareReader
from tests.proofs.robustness.mutation.ledger import ledger_defects
from tests.proofs.robustness.traffic import Talker, caught_up, read_state
from tests.proofs.robustness.validators import violations

STEP_S = 30.0
ABORT_S = 4.0
TOLD_S = 5.0
BEGUN_S = 10.0
WORDS = " ".join(f"wörd{at}" for at in range(60))
ANSWER = Behaviour(deltas=25, gap_ms=15.0, usage=(11, 25))
# Longer than any pause between an answer's beginning and what is done to it.
LONG_ANSWER = replace(ANSWER, deltas=600)
TALKER = "talker"
PROGRAM = python("tests.proofs.robustness.mutation")


@dataclass(slots=True)
class Play:
    """One conversation on a server that may have a defect. ``wrong`` is ``rule: what``."""

    server: ServerProcess
    endpoint: FakeEndpoint
    client: Client
    conversation: Conversation
    history: History = field(default_factory=History)
    wrong: list[str] = field(default_factory=list)
    over: bool = False

    @property
    def conversation_id(self) -> str:
        """Where it plays."""
        return self.conversation.conversation_id

    async def step(self, rule: str, do: Callable[[], Awaitable[object]]) -> None:
        """Do one thing; that it fails, or takes too long, breaks ``rule``.

        When something took too long the play is over: the rest is not waited for.
        """
        if self.over:
            return
        try:
            async with asyncio.timeout(STEP_S):
                await do()
        except TimeoutError:
            self.over = True
            self.wrong.append(f"{rule}: not done in {STEP_S:.0f} s")
        except Exception as error:
            self.wrong.append(f"{rule}: {type(error).__name__}: {error}")

    async def turns(self, talker: Talker) -> None:
        """Answers by a model and by an echo, and some messages."""
        await self.step("turns end", lambda: talker.turn("What is the capital of France?"))
        await self.step("turns end", lambda: talker.turn(WORDS, handler="echo"))
        await self.step("posts are accepted", self._posts)

    async def _posts(self) -> None:
        for number in range(6):
            posted = await self.client.post_message(self.conversation_id, f"message {number}")
            self.history.accepted_messages.append(posted.message_id)

    async def repeats(self) -> None:
        """The same post three times, and the same turn: once each."""
        request = PostMessageRequest(
            conversation_id=self.conversation_id,
            parts=[Part(text="again and again")],
            request_id=str(uuid.uuid4()),
        )
        token = await self.client.tokens.get()
        context = ContextServiceStub(self.client.channel)
        answers = await asyncio.gather(
            *(
                context.PostMessage(request, metadata=(("authorization", f"Bearer {token}"),))
                for _ in range(3)
            )
        )
        self.history.accepted_messages.append(answers[0].message.message_id)
        if len({answer.message.message_id for answer in answers}) != 1:
            self.wrong.append("repeats get the first answer: another message's id")
        turn_id = new_turn_id()
        await asyncio.gather(
            *(
                self.client.dispatch(self.conversation_id, "hello", turn_id=turn_id, handler="echo")
                for _ in range(3)
            )
        )
        self.history.accepted_turns.append(turn_id)

    async def stop(self, talker: Talker) -> None:
        """An answer stopped in the middle: the model hears of it."""
        asked = len(self.endpoint.seen)
        self.endpoint.plan.append(LONG_ANSWER)
        while len(self.endpoint.seen) == asked:  # a busy machine had not asked it by then
            await talker.turn("Tell me everything", stop_after_s=0.15)
        if talker.states[-1] != "CANCELLED":
            self.wrong.append(f"stop means stop: the turn ended as {talker.states[-1]}")
        try:
            await self.endpoint.wait_aborted(asked, ABORT_S)
        except TimeoutError:
            self.wrong.append("stop means stop: the model was not told")

    async def access(self) -> None:
        """Somebody follows, is removed, and sees nothing more."""
        user = await self.client.create_user("anna", PASSWORD)
        await self.client.add_member(self.conversation_id, user.user_id, ROLE_VIEWER)
        async with Client.connect(self.server.address, Password("anna", PASSWORD)) as anna:
            reader = BareReader(anna, self.conversation_id, Reader("anna"))
            reading = asyncio.create_task(reader.run())
            try:
                await until(lambda: bool(reader.cursor))
                await self.client.remove_member(self.conversation_id, user.user_id)
                await until(lambda: reader.close_reason == "ACCESS_REMOVED", TOLD_S)
            except TimeoutError:
                self.wrong.append(f"access ends streams: {reader.close_reason or 'it goes on'}")
            finally:
                reading.cancel()
                await asyncio.wait([reading])

    async def crash(self, talker: Talker) -> None:
        """The server dies while two answers stream, and lives again."""
        told = next(reader.told for reader in self.history.readers if reader.name == TALKER)
        before = set(told)
        self.endpoint.plan.append(LONG_ANSWER)
        async with asyncio.TaskGroup() as group:
            group.create_task(talker.turn("What is the capital of Spain?"))
            group.create_task(talker.turn(WORDS, handler="echo"))
            await until(
                lambda: len([it for it in told if told[it] and it not in before]) == 2, BEGUN_S
            )
            await self.server.restart()
        await talker.turn("still there?", handler="echo")

    async def read(self) -> None:
        """What is stored when all is done; first the server forgets what it has in memory."""
        await self.server.restart()
        await read_state(self.client, self.conversation_id, self.history)
        wrong = await ledger_defects(self.client, self.conversation.workspace_id, self.endpoint)
        self.wrong += [f"the ledger is the truth: {it}" for it in wrong]

    async def new_history(self, cursor: str) -> None:
        """The data are lost and the conversation made anew: an old cursor is told so."""
        await self.server.kill()
        await asyncio.to_thread(shutil.rmtree, self.server.data_dir)
        await self.server.start()
        async with self.server.client() as client:
            await client.create_conversation(conversation_id=self.conversation_id)
            for _ in range(10):  # until the old cursor's offset is there again
                posts = [client.post_message(self.conversation_id, "new") for _ in range(25)]
                await asyncio.gather(*posts)
            reader = BareReader(client, self.conversation_id, Reader("late"))
            reader.cursor = cursor
            reading = asyncio.create_task(reader.run())
            try:
                await until(lambda: reader.close_reason == "HISTORY_LOST", TOLD_S)
            except TimeoutError:
                self.wrong.append("lost history is told: the stream goes on as if nothing was")
            finally:
                reading.cancel()
                await asyncio.wait([reading])


async def play(home: Path, defect: str = "", *, lose_history: bool = True) -> list[str]:
    """Play it on a server with a defect, or without; returns what was wrong.

    ``lose_history`` is the last act, with a start of its own.
    """
    async with FakeEndpoint(ANSWER) as endpoint:
        server = ServerProcess(
            home,
            models=[openai_model("fake/ok", endpoint.base_url)],
            command=PROGRAM,
            variables={VARIABLE: defect},
        )
        async with server, server.client() as client:
            # One that is chosen can be made again when all is lost.
            chosen = f"conv_{uuid.uuid4().hex}"
            conversation = await client.create_conversation(
                conversation_id=chosen, policy=TURN_POLICY_PARALLEL
            )
            it = Play(server, endpoint, client, conversation)
            async with _readers(it) as (live, talker):
                await it.turns(talker)
                await it.step("repeats get the first answer", it.repeats)
                await it.step("stop means stop", lambda: it.stop(talker))
                await it.step("access ends streams", it.access)
                await it.step("a crash loses nothing", lambda: it.crash(talker))
                await it.step("everybody sees all", lambda: _caught_up(it))
            seen_to_its_end, it.over = not it.over, False
            await it.step("what is stored can be read", it.read)
            if lose_history and seen_to_its_end:
                await it.step("lost history is told", lambda: it.new_history(live.cursor))
    return it.wrong + violations(it.history)


@asynccontextmanager
async def _readers(it: Play) -> AsyncIterator[tuple[BareReader, Talker]]:
    """Two who read, one of them in bits, and one who talks."""
    live = BareReader(it.client, it.conversation_id, it.history.reader("live"))
    bits = BareReader(it.client, it.conversation_id, it.history.reader("bits"), batches=3)
    reading = [asyncio.create_task(reader.run()) for reader in (live, bits)]
    reader = it.history.reader(TALKER, None)
    try:
        async with it.client.converse(it.conversation_id, on_event=reader.note) as talk:
            yield live, Talker(talk, it.history, reader)
    finally:
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)
    for name, bare in (("live", live), ("bits", bits)):
        if bare.ended is not None:
            it.wrong.append(f"streams go on: {name} was ended: {bare.close_reason}")


async def _caught_up(it: Play) -> None:
    bare = [reader for reader in it.history.readers if reader.after is not None]
    await caught_up(it.client, it.conversation_id, bare)
