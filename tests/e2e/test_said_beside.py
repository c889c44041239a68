"""Types, metadata, labels and languages from those who say them to all who hear of them."""

import asyncio
import re
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1 import worker_service_pb2 as work
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon_client import AntiphonError, Client, new_turn_id
from tests.e2e import readme
from tests.e2e.callers import channel_to
from tests.e2e.calls import Calls
from tests.e2e.conftest import FAKE
from tests.e2e.refusals import reason_in, reason_of, refused
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import ROOT
from tests.workers.bare import finish, introduced, signed, token_of
from tests.workers.processes import invited

pytestmark = pytest.mark.asyncio(loop_scope="module")
METADATA = {"form": "order", "canary": "magpie ✓"}
SAID: dict[str, Any] = {"type": "form.submitted", "metadata": METADATA}
WRONG: dict[str, dict[str, Any]] = {
    "type": {"type": "Form"},
    "key": {"metadata": {"Bad key": "v"}},
    "value": {"metadata": {"k": "v" * 257}},
    "many": {"metadata": {f"k{number}": "" for number in range(17)}},
}


async def test_all_of_it_is_told_listed_and_kept(client: Client) -> None:
    """By Dispatch with a new conversation, on a stream, and posted without a turn."""
    new = pb.NewConversation(title="T", labels={"tier": "gold"}, language="pt-BR")
    turn_id = new_turn_id()
    asking: dict[str, Any] = {"new_conversation": new, "handler": "echo", "turn_id": turn_id}
    answer = await client.dispatch("", "{}", **asking, **SAID)
    assert (await client.dispatch("", "{}", **asking, **SAID)).cursor == answer.cursor
    with pytest.raises(AntiphonError, match="REQUEST_ID_REUSED"):
        await client.dispatch("", "{}", **asking, type=SAID["type"])
    where = answer.turn.conversation_id
    found = await client.get_conversation(where)
    assert (dict(found.labels), found.language, found.title) == ({"tier": "gold"}, "pt-BR", "T")
    async with client.converse(where, cursor=answer.cursor) as talk:
        turn = await talk.post("{}", handler="echo", **SAID)
        await asyncio.wait_for(turn.result(), PATIENCE_S)
    await client.post_message(where, "{}", **SAID)
    listed = [it async for it in client.list_messages(where)]
    log = await client.read_events(f"conversations/{where}")
    told = [it.message_posted.message for it in log.events if it.HasField("message_posted")]
    for messages in (listed, told):
        asked = [it for it in messages if it.author.startswith("users/")]
        assert [(it.type, dict(it.metadata)) for it in asked] == [tuple(SAID.values())] * 3
        assert {it.type for it in messages if it not in asked} == {""}


async def test_labels_and_language_are_changed_by_name(client: Client) -> None:
    """What is not given stays; nothing given in place of labels takes them away."""
    made = await client.create_conversation("T", labels={"a": "1", "b": "2"}, language="de")
    assert (dict(made.labels), made.language) == ({"a": "1", "b": "2"}, "de")
    its_id = made.conversation_id
    changed = await client.update_conversation(its_id, labels={"c": "3"})
    assert (dict(changed.labels), changed.language, changed.title) == ({"c": "3"}, "de", "T")
    changed = await client.update_conversation(its_id, title="U", language="")
    assert (dict(changed.labels), changed.language, changed.title) == ({"c": "3"}, "", "U")
    listed = [it async for it in client.list_conversations(title_contains="U")]
    assert listed == [changed]
    assert not (await client.update_conversation(its_id, labels={})).labels


async def test_no_model_is_told_of_it(client: Client, endpoint: FakeEndpoint) -> None:
    """Neither with the question, nor in the history, nor of the conversation."""
    made = await client.create_conversation(labels={"canary": "magpie"}, language="tlh")
    async with client.converse(made.conversation_id) as talk:
        for text in ("what is it", "and now"):
            turn = await talk.post(text, models=[FAKE], **SAID)
            assert (await asyncio.wait_for(turn.result(), PATIENCE_S)).succeeded
    prompt = str(endpoint.seen[-1].body)
    assert "what is it" in prompt
    assert "and now" in prompt
    for canary in ("magpie", "form.submitted", "tlh", "gold"):
        assert canary not in prompt


async def test_workers_are_told_of_the_message(client: Client, server: ServerProcess) -> None:
    """Its type and metadata are in the assignment."""
    key = await invited(server, "bare", "bare")
    async with channel_to(server) as channel:
        stream: Any = WorkerServiceStub(channel).Work(
            metadata=signed(await token_of(channel, key)), timeout=PATIENCE_S
        )
        await stream.write(work.WorkRequest(hello=introduced("bare")))
        assert (await stream.read()).HasField("welcome")
        made = await client.create_conversation()
        await client.dispatch(made.conversation_id, "{}", handler="bare", **SAID)
        while not (frame := await stream.read()).HasField("assign"):
            pass
        assert (frame.assign.type, dict(frame.assign.metadata)) == tuple(SAID.values())
        await stream.write(work.WorkRequest(**finish(frame.assign, 0)))
        stream.cancel()


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
async def test_what_breaks_the_rules_is_refused_by_every_way_in(
    call: Calls, fields: dict[str, Any]
) -> None:
    """Nothing is said, and a stream goes on."""
    dispatch, post = call.dispatch("hi", **fields), call.post("hi")
    post.MergeFrom(context_pb.PostMessageRequest(**fields))
    for method, request in (
        (call.dispatcher.Dispatch, dispatch),
        (call.context.PostMessage, post),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(method, request)
        assert reason_of(error.value) == "INVALID_ARGUMENT"
        assert next(iter(fields)) in str(error.value.trailing_metadata())
    stream: Any = call.dispatcher.Converse(metadata=call.caller.metadata)
    await stream.write(pb.ConverseRequest(tag="1", post=dispatch))
    answer = await asyncio.wait_for(stream.read(), PATIENCE_S)
    assert (answer.error.tag, reason_in(answer.error.error)) == ("1", "INVALID_ARGUMENT")
    plain = call.dispatch("hi", turn_id=new_turn_id())
    await stream.write(pb.ConverseRequest(tag="2", post=plain))
    assert (await asyncio.wait_for(stream.read(), PATIENCE_S)).accepted.tag == "2"
    stream.cancel()
    listing = context_pb.ListMessagesRequest(conversation_id=call.conversation_id)
    listed = await call(call.context.ListMessages, listing)
    assert {(it.type, len(it.metadata)) for it in listed.messages} == {("", 0)}


@pytest.mark.parametrize("fields", [{"labels": {"Bad": ""}}, {"language": "no tag"}])
async def test_a_conversation_that_breaks_the_rules_is_not_made(
    call: Calls, fields: dict[str, Any]
) -> None:
    """Neither alone nor with a message."""
    request = pb.DispatchRequest(new_conversation=pb.NewConversation(**fields), handler="echo")
    request.parts.add(text="hi")
    assert await refused(call(call.dispatcher.Dispatch, request)) == "INVALID_ARGUMENT"
    making = context_pb.CreateConversationRequest(**fields)
    assert await refused(call(call.context.CreateConversation, making)) == "INVALID_ARGUMENT"


async def test_what_the_guide_shows(client: Client, tmp_path: Path) -> None:
    """Its program and its commands, as they stand."""
    guide = ROOT / "docs" / "guides" / "clients.md"
    found = re.search(r"^```python beside\n(.*?)^```", guide.read_text(), re.S | re.M)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    where = await names["order"](client, 7)
    ordered = await client.get_conversation(where)
    assert (dict(ordered.labels), ordered.language) == (
        {"team": "sales", "state": "ordered"},
        "de",
    )
    *_, asked = [it async for it in client.list_messages(where)]
    assert (asked.type, dict(asked.metadata)) == ("form.submitted", {"form": "order"})
    told = readme.transcript("beside", guide)
    async with ServerProcess(tmp_path / "server") as server:
        ran = await asyncio.to_thread(readme.run_beside, server, [line for line, _ in told])
    for one, (_, output) in zip(ran, told, strict=True):
        assert one.exit_code == 0, one
        assert readme.prints(one, output), one
