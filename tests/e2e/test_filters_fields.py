"""Filters look at all that people say, not at messages alone, and as it is meant."""

import json
import uuid
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1.context_service_pb2 import (
    CreateConversationRequest,
    CreateWorkspaceRequest,
    UpdateWorkspaceRequest,
)
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_SANITISE,
    Filter,
    FilterAction,
    TermsFilter,
)
from antiphon.context.v1.message_pb2 import Reference
from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from antiphon.events.v1.event_pb2 import ToolCallQuestionAsked
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED
from antiphon_client import AntiphonError, Client, new_turn_id
from tests.e2e.callers import Caller, channel_to, operator
from tests.e2e.calls import Calls
from tests.e2e.refusals import reason_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.test_tools import _seen as seen
from tests.workers.bare import BareWorker, introduced, token_of
from tests.workers.processes import invited

pytestmark = pytest.mark.asyncio(loop_scope="module")
KIB = 1024
WORD = "запретноеслово"
"""JSON that programs write has escapes in its place."""
FORM = json.dumps(
    {"type": "object", "properties": {"say": {"type": "string"}, "size": {"type": "integer"}}}
)


@dataclass(slots=True)
class Stage:
    """A workspace, and a worker that asks people."""

    client: Client
    channel: grpc.aio.Channel
    key: str
    caller: Caller
    parent: str
    where: str = ""

    async def stand(self, action: FilterAction.ValueType, *words: str) -> None:
        """One filter of words."""
        words_filter = Filter(
            name="words", action=action, terms=TermsFilter(terms=words or (WORD,))
        )
        await self.client.set_filters(self.parent, [words_filter])

    async def asked(self) -> tuple[BareWorker, str, ToolCallQuestionAsked]:
        """A turn in which a worker asks people by the form."""
        worker = BareWorker(self.channel, await token_of(self.channel, self.key))
        await worker.welcomed(introduced("bare"))
        turn_id = (await self.client.dispatch(self.where, "go", handler="bare")).turn.turn_id
        it = await worker.told("assign")
        question = worker_pb2.AskedQuestion(message="What?", schema_json=FORM)
        ask = worker_pb2.Ask(turn_id=turn_id, fence=it.fence, number=1, question=question)
        await worker.say(ask=ask)
        event = await seen(self.client, self.where, "tool_call_question_asked")
        return worker, turn_id, event.tool_call_question_asked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    home = tmp_path_factory.mktemp("fields")
    async with (
        ServerProcess(home, variables=ONE_FOR_MANY) as server,
        server.client() as client,
        channel_to(server) as channel,
    ):
        made = await client.create_conversation()
        key, caller = await invited(server, "bare", "bare"), await operator(server)
        yield Stage(client, channel, key, caller, made.workspace_id)
        assert server.defects == []


@pytest_asyncio.fixture(loop_scope="module")
async def it(whole: Stage) -> Stage:
    """A conversation, and no filters."""
    await whole.client.set_filters(whole.parent, [])
    made = await whole.client.create_conversation(workspace_id=whole.parent)
    whole.where = made.conversation_id
    return whole


async def reason(call: Awaitable[Any]) -> str:
    """Why it is refused; nothing if it is not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return ""


async def _answered(it: Stage, content: object) -> str:
    """What the worker is told when somebody answers so; why it is refused."""
    worker, turn_id, asked = await it.asked()
    try:
        said = dict(content)  # type: ignore[call-overload]
        await it.client.answer_tool_call(it.where, turn_id, asked, content=said)
        told = (await worker.told("answer")).answer
        assert told.action == TOOL_ANSWER_ACTION_ACCEPTED
        return str(told.content_json)
    except AntiphonError as error:
        return error.reason
    finally:
        worker.cut()
        await it.client.cancel_turn(it.where, turn_id)


async def test_answers_are_looked_at_as_they_are_meant(it: Stage) -> None:
    """Not as they are written: programs write letters as escapes."""
    await it.stand(FILTER_ACTION_BLOCK)
    assert await _answered(it, {"say": f"well, {WORD}"}) == "CONTENT_BLOCKED"


async def test_an_answer_that_is_repeated_is_not_looked_at_again(it: Stage) -> None:
    """The first one counts; nothing more is told."""
    await it.stand(FILTER_ACTION_SANITISE)
    worker, turn_id, asked = await it.asked()
    said = {"say": f"well, {WORD}"}
    first = await it.client.answer_tool_call(it.where, turn_id, asked, content=said)
    told = [each async for each in it.client.list_screenings(it.parent)]
    await it.stand(FILTER_ACTION_BLOCK)
    assert await it.client.answer_tool_call(it.where, turn_id, asked, content=said) == first
    assert [each async for each in it.client.list_screenings(it.parent)] == told
    worker.cut()
    await it.client.cancel_turn(it.where, turn_id)


async def test_what_is_left_of_an_answer_is_an_answer(it: Stage) -> None:
    """Of the same shape."""
    await it.stand(FILTER_ACTION_SANITISE)
    left = json.loads(await _answered(it, {"say": f'"{WORD}"\n', "size": 3}))
    assert left == {"say": '"[term]"\n', "size": 3}


async def test_a_number_is_not_cut(it: Stage) -> None:
    """What can't be cut out is blocked."""
    await it.stand(FILTER_ACTION_SANITISE, "4711")
    assert await _answered(it, {"size": 4711}) == "CONTENT_BLOCKED"


async def test_what_is_left_is_no_longer_than_it_may_be(it: Stage) -> None:
    """Marks are short where longer ones would not fit; none is left out."""
    await it.stand(FILTER_ACTION_SANITISE, "a")
    full = " a" * 128
    calls = Calls(it.channel, it.caller, it.where)
    post = calls.post(" some-word a" * (21 * KIB), "b a b")
    post.metadata.update({"note": full, "short": "b a"})
    posted = (await calls(calls.context.PostMessage, post)).message
    assert [part.text for part in posted.parts] == [" some-word *" * (21 * KIB), "b [term] b"]
    assert posted.metadata == {"note": " *" * 128, "short": "b [term]"}
    large = calls.post(*["x" * (255 * KIB)] * 4, " a" * 1990)
    posted = (await calls(calls.context.PostMessage, large)).message
    assert posted.parts[4].text == " *" * 1990
    made = await it.client.create_conversation(
        workspace_id=it.parent, title=full, instructions=" a" * (16 * KIB), labels={"note": full}
    )
    assert (made.title, made.instructions) == (" *" * 128, " *" * (16 * KIB))
    assert made.labels == {"note": " *" * 128}


async def test_who_names_no_workspace_is_in_their_own(it: Stage) -> None:
    """Whose filters look, though nobody has said where it is to be."""
    assert it.parent == f"ws_{it.caller.known['user'].removeprefix('user_')}"
    await it.stand(FILTER_ACTION_SANITISE)
    made = await it.client.create_conversation(
        title=f"of {WORD}.", instructions=f"Say {WORD}.", labels={"note": WORD}
    )
    assert (made.workspace_id, made.title, made.instructions) == (
        it.parent,
        "of [term].",
        "Say [term].",
    )
    assert made.labels == {"note": "[term]"}
    await it.stand(FILTER_ACTION_BLOCK)
    calls = Calls(it.channel, it.caller, "")
    first = calls.dispatch("hi", turn_id=new_turn_id())
    first.ClearField("conversation_id")
    first.new_conversation.title = WORD
    for act in (
        calls(calls.context.CreateConversation, CreateConversationRequest(title=WORD)),
        calls(calls.dispatcher.Dispatch, first),
    ):
        assert await reason(act) == "CONTENT_BLOCKED"


async def test_what_is_repeated_is_answered_as_it_was(it: Stage) -> None:
    """Whatever filters would say of it by now; they say nothing of it again."""
    calls = Calls(it.channel, it.caller, it.where)
    post = calls.post(f"well, {WORD}", request_id=str(uuid.uuid4()))
    dispatch = calls.dispatch(f"well, {WORD}", turn_id=new_turn_id())
    creation = CreateConversationRequest(
        workspace_id=it.parent, title=f"well, {WORD}", request_id=str(uuid.uuid4())
    )
    say = partial(calls, calls.context.PostMessage)
    ask = partial(calls, calls.dispatcher.Dispatch)
    make = partial(calls, calls.context.CreateConversation)
    await it.stand(FILTER_ACTION_SANITISE)
    first = await say(post), (await ask(dispatch)).cursor, await make(creation)
    assert first[0].message.parts[0].text == first[2].conversation.title == "well, [term]"
    told = [each async for each in it.client.list_screenings(it.parent)]
    for action in (FILTER_ACTION_BLOCK, FILTER_ACTION_SANITISE):
        await it.stand(action)
        assert (await say(post), (await ask(dispatch)).cursor, await make(creation)) == first
    await it.client.set_filters(it.parent, [])
    assert (await say(post), (await ask(dispatch)).cursor, await make(creation)) == first
    assert [each async for each in it.client.list_screenings(it.parent)] == told
    post.parts[0].text = "something else"
    assert await reason(say(post)) == "REQUEST_ID_REUSED"


async def test_what_workspaces_are_called_is_looked_at(it: Stage) -> None:
    """By the installation's filters when one is made, by its own, too, when it is called anew."""
    words = Filter(name="words", action=FILTER_ACTION_SANITISE, terms=TermsFilter(terms=[WORD]))
    await it.client.set_filters("global", [words])
    calls = Calls(it.channel, it.caller, "")
    creation = CreateWorkspaceRequest(display_name=f"the {WORD}", request_id=str(uuid.uuid4()))
    made = await calls(calls.context.CreateWorkspace, creation)
    assert made.workspace.display_name == "the [term]"
    told = [each async for each in it.client.list_screenings("global")]
    assert await calls(calls.context.CreateWorkspace, creation) == made
    assert [each async for each in it.client.list_screenings("global")] == told
    await it.client.set_filters("global", [])
    words.action = FILTER_ACTION_BLOCK
    wish = made.workspace
    await it.client.set_filters(wish.workspace_id, [words])
    wish.display_name = WORD
    update = UpdateWorkspaceRequest(workspace=wish, update_mask=FieldMask(paths=["display_name"]))
    assert await reason(calls(calls.context.UpdateWorkspace, update)) == "CONTENT_BLOCKED"


async def test_a_conversation_that_is_there_is_not_looked_at_again(it: Stage) -> None:
    """Who names it by an id of their own makes it once, and says what it is called once."""
    await it.stand(FILTER_ACTION_BLOCK)
    calls = Calls(it.channel, it.caller, "")
    creation = CreateConversationRequest(conversation_id=f"conv_{uuid.uuid4().hex}")
    await calls(calls.context.CreateConversation, creation)
    creation.title = WORD
    told = [each async for each in it.client.list_screenings(it.parent)]
    assert await reason(calls(calls.context.CreateConversation, creation)) == "ALREADY_EXISTS"
    assert [each async for each in it.client.list_screenings(it.parent)] == told


async def test_what_was_blocked_is_looked_at_again(it: Stage) -> None:
    """Nothing has come of it."""
    calls = Calls(it.channel, it.caller, it.where)
    post = calls.post(f"well, {WORD}", request_id=str(uuid.uuid4()))
    await it.stand(FILTER_ACTION_BLOCK)
    assert await reason(calls(calls.context.PostMessage, post)) == "CONTENT_BLOCKED"
    await it.stand(FILTER_ACTION_SANITISE)
    said = await calls(calls.context.PostMessage, post)
    assert said.message.parts[0].text == "well, [term]"


async def test_schedules_are_looked_at_when_they_are_kept(it: Stage) -> None:
    """And again when they are due: what is kept is what was left."""
    client, later = it.client, datetime.now(UTC) + timedelta(days=1)
    anew = NewConversation(title=f"a {WORD} title", labels={"note": WORD})
    await it.stand(FILTER_ACTION_SANITISE)
    kept = await client.create_schedule(it.where, f"{WORD}!", later, metadata={"note": WORD})
    assert (kept.parts[0].text, kept.metadata["note"]) == ("[term]!", "[term]")
    assert kept.parts == (await client.get_schedule(it.where, kept.schedule_id)).parts
    made = await client.create_schedule(it.where, "hi", later, new_conversation=anew)
    assert made.new_conversation.title == "a [term] title"
    assert made.new_conversation.labels["note"] == "[term]"
    await it.stand(FILTER_ACTION_BLOCK)
    wish = await client.get_schedule(it.where, kept.schedule_id)
    wish.parts[0].text = WORD
    for act in (
        client.create_schedule(it.where, WORD, later),
        client.create_schedule(it.where, "hi", later, new_conversation=anew),
        client.update_schedule(wish, "parts"),
    ):
        with pytest.raises(AntiphonError) as refused:
            await act
        assert refused.value.reason == "CONTENT_BLOCKED"
    paused = await client.pause_schedule(it.where, kept.schedule_id)
    assert (paused.paused, paused.parts[0].text) == (True, "[term]!")


async def test_what_things_are_called_is_looked_at(it: Stage) -> None:
    """Programs and models read that, too. Nothing can be cut out of it, so it is blocked."""
    client = it.client
    image = Reference(uri="https://example.org/a.png", media_type="image/falcon")
    calls = Calls(it.channel, it.caller, it.where)
    picture = calls.post()
    picture.parts.add(image=image)
    later = datetime.now(UTC) + timedelta(days=1)
    for action in (FILTER_ACTION_BLOCK, FILTER_ACTION_SANITISE):
        await it.stand(action, "falcon")
        assert await reason(calls(calls.context.PostMessage, picture)) == "CONTENT_BLOCKED"
        for act in (
            client.post_message(it.where, "hi", type="falcon.seen"),
            client.post_message(it.where, "hi", metadata={"falcon": "x"}),
            client.dispatch(it.where, "hi", type="falcon", handler="echo"),
            client.dispatch(it.where, "hi", metadata={"the-falcon": "x"}, handler="echo"),
            client.create_conversation(workspace_id=it.parent, labels={"falcon": "x"}),
            client.create_schedule(it.where, "hi", later, type="falcon"),
        ):
            with pytest.raises(AntiphonError) as refused:
                await act
            assert refused.value.reason == "CONTENT_BLOCKED"
    said = await client.post_message(it.where, "a falcon", type="seen", metadata={"by": "anna"})
    assert (said.parts[0].text, said.type, dict(said.metadata)) == (
        "a [term]",
        "seen",
        {"by": "anna"},
    )
