"""What programs say beside what is said: a message's type and metadata, labels, a language."""

import uuid
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import conversation_pb2, message_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB
from tests.context.world import World, pages, parts, server_on
from tests.e2e.refusals import Refused

METADATA = {"form": "order", "order.id": "7 ✓", "empty": ""}
LABELS = {"tier": "gold", "empty": "", "line": "one\ntwo\x00"}
MANY = {f"key-{number}": str(number) for number in range(16)}


def posting(conversation: str, **fields: Any) -> pb.PostMessageRequest:
    """A form that was sent."""
    said = {"type": "form.submitted", "metadata": METADATA, "in_context": True, **fields}
    return pb.PostMessageRequest(conversation_id=conversation, parts=parts("{}"), **said)


async def changed(
    world: World, wish: conversation_pb2.Conversation, *paths: str
) -> conversation_pb2.Conversation:
    """The conversation, after these fields were set."""
    request = pb.UpdateConversationRequest(
        conversation=wish, update_mask=FieldMask(paths=paths), request_id=str(uuid.uuid4())
    )
    answer = await world.client(ANN).UpdateConversation(request)
    assert await world.client(ANN).UpdateConversation(request) == answer
    return answer.conversation


def kinds_told(read: Any, kind: str) -> list[Any]:
    """The events of a kind."""
    return [getattr(it, kind) for it in read.events if it.WhichOneof("payload") == kind]


async def test_a_message_keeps_its_type_and_metadata(world: World) -> None:
    """In the answer, the log, lists and contexts; also of the server's next life."""
    conversation = await world.conversation()
    said = (await world.client(ANN).PostMessage(posting(conversation))).message
    assert (said.type, dict(said.metadata)) == ("form.submitted", METADATA)
    (told,) = kinds_told(await world.events(f"conversations/{conversation}"), "message_posted")
    assert (told.message.type, dict(told.message.metadata)) == ("form.submitted", METADATA)
    first = await world.context_of(conversation)
    assert list(first.messages) == [said]
    await world.say(conversation, "thank you")
    async with server_on(world.database) as again:
        for it in (world, again):
            listing = pb.ListMessagesRequest(conversation_id=conversation)
            (page,) = await pages(it.client(ANN).ListMessages, listing)
            assert page.messages[1] == said
            assert page.messages[0].type == ""
            window = await it.context_of(conversation)
            assert window.messages[0] == said
            # What programs say costs models nothing: "{}" is one token, and four a message.
            assert window.estimated_tokens == 5 + 7


async def test_metadata_in_another_order_is_the_same_request(world: World) -> None:
    """A client's map has none; another value is another request."""
    conversation = await world.conversation()
    request_id = str(uuid.uuid4())
    forwards = posting(conversation, metadata=MANY, request_id=request_id)
    backwards = posting(conversation, metadata=dict([*MANY.items()][::-1]), request_id=request_id)
    first = await world.client(ANN).PostMessage(forwards)
    assert await world.client(ANN).PostMessage(backwards) == first
    backwards.metadata["key-3"] = "other"
    with Refused(Reason.REQUEST_ID_REUSED):
        await world.client(ANN).PostMessage(backwards)
    typed = posting(conversation, metadata=MANY, request_id=request_id, type="command")
    with Refused(Reason.REQUEST_ID_REUSED):
        await world.client(ANN).PostMessage(typed)


async def test_an_event_appended_again_in_another_order_is_the_same(world: World) -> None:
    """As the next life of a server would: how a map is laid out in memory is its own."""
    scope = f"conversations/{await world.conversation()}"
    answers = []
    for keys in (sorted(MANY), sorted(MANY, reverse=True)):
        message = message_pb2.Message(message_id="msg_00000001")
        for key in keys:
            message.metadata[key] = MANY[key]
        request = event_service_pb2.AppendRequest(scope=scope, request_id="again")
        request.events.add(actor=f"users/{ANN}").message_posted.message.CopyFrom(message)
        answers.append(await world.log_service.stub.Append(request))
    assert [(it.last_offset, it.duplicate) for it in answers] == [(3, False), (3, True)]


async def test_a_message_of_full_length_may_have_metadata(world: World) -> None:
    """A MiB is the limit of the parts alone; also repeated behind an archival it is the same."""
    conversation = await world.conversation()
    request = posting(conversation, metadata={"k": "v" * 256}, request_id=str(uuid.uuid4()))
    del request.parts[:]
    for text in ["x" * 262_144] * 3 + ["x" * (262_144 - 4 * 8)]:
        request.parts.add(text=text)
    said = await world.client(ANN).PostMessage(request)
    archive = pb.ArchiveConversationRequest(conversation_id=conversation)
    await world.client(ANN).ArchiveConversation(archive)
    assert await world.client(ANN).PostMessage(request) == said


async def test_labels_and_language_are_made_changed_listed_and_told(world: World) -> None:
    """A change sets the mask's fields alone, and replaces all labels; lists hear of it."""
    made = await world.client(ANN).CreateConversation(
        pb.CreateConversationRequest(title="T", labels=LABELS, language="pt-BR")
    )
    conversation = made.conversation
    assert (dict(conversation.labels), conversation.language) == (LABELS, "pt-BR")
    its_id = conversation.conversation_id
    await world.add(its_id, BOB, access_pb2.ROLE_VIEWER)
    other = conversation_pb2.Conversation(conversation_id=its_id, labels={"b": "2"}, language="de")
    found = await changed(world, other, "labels")
    assert (dict(found.labels), found.language, found.title) == ({"b": "2"}, "pt-BR", "T")
    found = await changed(world, other, "language")
    assert (dict(found.labels), found.language) == ({"b": "2"}, "de")
    same = await changed(world, other, "labels", "language")
    assert same.etag == found.etag
    (listed,) = await pages(world.client(ANN).ListConversations, pb.ListConversationsRequest())
    assert list(listed.conversations) == [found]
    told = await world.events(f"conversations/{its_id}")
    (created,) = kinds_told(told, "conversation_created")
    assert dict(created.conversation.labels) == LABELS
    assert kinds_told(told, "conversation_updated")[-1].conversation == found
    own = kinds_told(await world.events(f"users/{BOB}"), "conversation_updated")
    assert (dict(own[-1].conversation.labels), own[-1].conversation.language) == ({"b": "2"}, "de")
    emptied = await changed(
        world, conversation_pb2.Conversation(conversation_id=its_id), "labels", "language"
    )
    assert (dict(emptied.labels), emptied.language) == ({}, "")


async def test_labels_in_another_order_are_the_same(world: World) -> None:
    """The same request to make one is answered alike, and setting them changes nothing."""
    forwards = pb.CreateConversationRequest(labels=MANY, request_id=str(uuid.uuid4()))
    backwards = pb.CreateConversationRequest(request_id=forwards.request_id)
    backwards.labels.update(dict([*MANY.items()][::-1]))
    first = await world.client(ANN).CreateConversation(forwards)
    assert await world.client(ANN).CreateConversation(backwards) == first
    its_id = first.conversation.conversation_id
    wish = conversation_pb2.Conversation(conversation_id=its_id, labels=backwards.labels)
    assert (await changed(world, wish, "labels")).etag == first.conversation.etag


async def test_a_page_of_many_labels_is_shorter(world: World) -> None:
    """However many are asked for, a page fits a message."""
    labels = {f"key-{number}": "\u20ac" * 85 for number in range(16)}
    for _ in range(270):
        await world.client(ANN).CreateConversation(pb.CreateConversationRequest(labels=labels))
    request = pb.ListConversationsRequest(page_size=200)
    found = await pages(world.client(ANN).ListConversations, request)
    assert sum(len(page.conversations) for page in found) == 270
    assert max(page.ByteSize() for page in found) < 1 << 20


WRONG: dict[str, dict[str, Any]] = {
    "key": {"labels": {"Key": "v"}},
    "empty key": {"labels": {"": "v"}},
    "long key": {"labels": {"k" * 65: "v"}},
    "value": {"labels": {"k": "\u20ac" * 86}},
    "many": {"labels": {f"k{number}": "" for number in range(17)}},
    "language": {"language": "German"},
    "language of lines": {"language": "de\n"},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
async def test_what_breaks_the_rules_is_refused(world: World, fields: dict[str, Any]) -> None:
    """By each way that sets it; what a conversation has stays as it is."""
    client, its_id = world.client(ANN), await world.conversation()
    with Refused(Reason.INVALID_ARGUMENT) as refused:
        await client.CreateConversation(pb.CreateConversationRequest(**fields))
    (field,) = fields
    assert [it.field.partition("[")[0] for it in refused.error.violations] == [field]
    wish = conversation_pb2.Conversation(conversation_id=its_id, **fields)
    update = pb.UpdateConversationRequest(conversation=wish, update_mask=FieldMask(paths=fields))
    with Refused(Reason.INVALID_ARGUMENT) as refused:
        await client.UpdateConversation(update)
    assert refused.error.violations[0].field.startswith(f"conversation.{field}")
    if field == "labels":
        with Refused(Reason.INVALID_ARGUMENT) as refused:
            await client.PostMessage(posting(its_id, metadata=fields["labels"]))
        assert refused.error.violations[0].field.startswith("metadata")
    found = await client.GetConversation(pb.GetConversationRequest(conversation_id=its_id))
    assert not found.conversation.labels


@pytest.mark.parametrize("name", ["Form", "form\n", "1", "f" * 65, "fö"])
async def test_a_type_that_breaks_the_rules_is_refused(world: World, name: str) -> None:
    """Nothing is posted."""
    conversation = await world.conversation()
    with Refused(Reason.INVALID_ARGUMENT) as refused:
        await world.client(ANN).PostMessage(posting(conversation, type=name))
    assert [it.field for it in refused.error.violations] == ["type"]
    listing = pb.ListMessagesRequest(conversation_id=conversation)
    assert not (await world.client(ANN).ListMessages(listing)).messages


async def test_plain_ones_are_stored_as_before(world: World) -> None:
    """Who says nothing of it costs no byte of a row, nor of an event."""
    conversation = await world.conversation()
    await world.post(conversation, "hi")
    told = await world.events(f"conversations/{conversation}")
    (posted,) = kinds_told(told, "message_posted")
    named = {field.name for field, _ in posted.message.ListFields()}
    assert not named & {"type", "metadata"}
    (created,) = kinds_told(told, "conversation_created")
    assert not {it.name for it, _ in created.conversation.ListFields()} & {"labels", "language"}


def test_all_that_a_message_says_is_content_or_has_a_column() -> None:
    """A field that is added to messages is kept, or is forgotten here on purpose."""
    columns = {"message_id", "conversation_id", "role", "author", "turn_id", "truncated"}
    content = {"parts", "aside", "type", "metadata", "erased"}
    known = {field.name for field in message_pb2.Message.DESCRIPTOR.fields}
    assert known == columns | content | {"create_time", "offset"}
