"""All is erased that can be; for what turns still say it is come back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from antiphon.context.v1 import message_pb2
from antiphon.events.v1 import event_pb2
from antiphon_server.context.model.erasure_tasks import CONVERSATION, PERSON, ErasureTask
from antiphon_server.context.model.messages import LogPage
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.context.service.erasing_scopes import AGAIN_S, ErasingScopes
from antiphon_server.context.service.erasure_tasks import ErasureTasks
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.rubber import Rubber
from tests.context.stand_ins import ANN, Flaky
from tests.context.world import World, parts, posted

TURN, CHILD = "turn_00000001", "turn_00000002"


class ReadLog(Flaky):
    """``reads`` are the conversations whose log was read."""

    def __init__(self, inner: Flaky) -> None:
        super().__init__(inner)
        self.reads: list[str] = []

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        self.reads.append(conversation_id)
        return await super().read(conversation_id, cursor)


@dataclass
class Elsewhere:
    """Other services; ``asked`` is for what they were."""

    asked: list[str] = field(default_factory=list)

    async def conversation(self, conversation_id: ConversationId) -> None:
        self.asked.append(CONVERSATION + conversation_id)

    async def workspace(self, workspace_id: WorkspaceId) -> None:
        """Not asked."""

    async def person(self, resource: str) -> None:
        self.asked.append(resource)


class Stage:
    """A server that erases, whose time goes on as it is told to."""

    def __init__(self, world: World) -> None:
        self.world, self.log, self.elsewhere = world, ReadLog(world.log), Elsewhere()
        self.rubber = Rubber(world)
        self.store, clock, changes = self.rubber.store, world.clock, world.context.changes
        tasks = ErasureTasks(self.store, changes, world.accounts, clock)
        projection = Projection(self.store, self.log)
        those = projection, tasks, self.rubber.erasing, self.elsewhere, clock
        self.scopes = ErasingScopes(self.store, *those, shared=False)

    async def begin(self, resource: str) -> None:
        """Have something be erased, of which nothing is still being said."""
        begun = ErasureTask(resource, int(self.world.clock() * 1e6) - 60_000_000)
        await self.store.write(lambda r: r.erasure_tasks.add(begun))

    async def task(self, resource: str) -> ErasureTask:
        """How far it is."""
        task = await self.store.read(lambda r: r.erasure_tasks.get(resource))
        assert task is not None
        return task

    async def attempt(self) -> Reason | None:
        """Go on with what was tried longest ago; why it can't be finished."""
        self.world.clock.now += 2 * AGAIN_S
        try:
            assert await self.scopes._next()
        except DomainError as error:
            return error.reason
        return None

    async def left(self, *conversations: str) -> list[str]:
        """The messages that are not erased."""

        async def of(it: ConversationId) -> list[str]:
            await self.rubber.erasing._projection.catch_up(it)
            found = await self.store.read(lambda r: r.erasure_tasks.unerased(it, 0, 1000))  # type: ignore[arg-type]
            return [each.message_id for each in found]

        return [each for it in conversations for each in await of(ConversationId(it))]

    async def ask(self, where: str, message_id: str, turn_id: str, by: str = "") -> None:
        """Have a turn begin with what Ann says; ``by`` is the one that has asked for it."""
        accepted = event_pb2.TurnAccepted(handler="echo", parent_turn_id=by)
        await self._add(where, event_pb2.Event(turn_id=turn_id, turn_accepted=accepted))
        message = message_pb2.Message(
            message_id=message_id,
            conversation_id=where,
            role=message_pb2.MESSAGE_ROLE_USER,
            author=f"users/{ANN}" if not by else "handlers/other",
            turn_id=turn_id,
            parts=parts("hello"),
        )
        await self.world.append(where, posted(message))

    async def end(self, where: str, turn_id: str) -> None:
        """Have it end."""
        finished = event_pb2.TurnFinished(state=event_pb2.TURN_STATE_SUCCEEDED)
        await self._add(where, event_pb2.Event(turn_id=turn_id, turn_finished=finished))

    async def _add(self, where: str, event: event_pb2.Event) -> None:
        event.actor = "handlers/echo"
        await self.world.append(where, event)


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    """A server that erases."""
    made = Stage(world)
    yield made
    await made.rubber.erasing.close()


async def test_a_person_goes_as_far_as_turns_have_ended(world: World, stage: Stage) -> None:
    """The rest is come back for, and no log is read for that in which nothing waits."""
    first, second = sorted([await world.conversation(), await world.conversation()])
    await world.post(first, "before")
    await stage.ask(first, "msg_asked000", TURN)
    await world.post(first, "behind")
    await world.post(second, "elsewhere")
    person = PERSON + ANN
    await stage.begin(person)
    assert await stage.attempt() is Reason.TURN_NOT_ENDED
    task = await stage.task(person)
    assert (task.erased_messages, task.waiting_turn_id, task.done_us) == (3, TURN, 0)
    assert await stage.left(first, second) == ["msg_asked000"]
    assert set(stage.log.reads) == {first, second}
    stage.log.reads.clear()
    assert await stage.attempt() is Reason.TURN_NOT_ENDED
    assert (stage.log.reads, stage.elsewhere.asked) == ([], [])
    await world.say(first, "answer", TURN)
    await stage.end(first, TURN)
    assert await stage.attempt() is None
    task = await stage.task(person)
    assert (task.erased_messages, task.waiting_turn_id) == (5, "")
    assert task.done_us
    assert (await stage.left(first, second), stage.elsewhere.asked) == ([], [person])


async def test_a_conversation_goes_as_far_as_turns_have_ended(world: World, stage: Stage) -> None:
    """Also if the turn that runs is one that a turn has asked for which has ended."""
    here = await world.conversation()
    for n in range(4):
        await world.post(here, f"before {n}")
    await stage.ask(here, "msg_asked000", TURN)
    await stage.ask(here, "msg_passed00", CHILD, by=TURN)
    await stage.end(here, TURN)
    for n in range(4):
        await world.post(here, f"behind {n}")
    resource = CONVERSATION + here
    await stage.begin(resource)
    assert await stage.attempt() is Reason.TURN_NOT_ENDED
    task = await stage.task(resource)
    assert (task.erased_messages, task.waiting_turn_id) == (8, CHILD)
    assert await stage.left(here) == ["msg_asked000", "msg_passed00"]
    await stage.end(here, CHILD)
    assert await stage.attempt() is None
    assert (await stage.left(here), stage.elsewhere.asked) == ([], [resource])


async def test_those_that_wait_hold_up_no_others(world: World, stage: Stage) -> None:
    """However many wait for a turn, one that begins after them is done at once."""
    for n in range(3):
        blocked = await world.conversation()
        await stage.ask(blocked, f"msg_asked00{n}", f"turn_0000000{n}")
        await stage.begin(CONVERSATION + blocked)
        assert await stage.attempt() is Reason.TURN_NOT_ENDED
    here = await world.conversation()
    await world.post(here, "hello")
    await stage.begin(CONVERSATION + here)
    assert await stage.attempt() is None
    assert (await stage.task(CONVERSATION + here)).done_us
