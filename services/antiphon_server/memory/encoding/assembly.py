"""The contract's assembled contexts <-> memory's own types."""

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.memory.v1 import assembly_service_pb2 as pb
from antiphon.memory.v1.memory_pb2 import MemoryKind
from antiphon_server.memory.assembled import (
    Assembly,
    Item,
    LeftOut,
    OfMemory,
    OfMessage,
    OfProfile,
    OfSection,
    OfSummary,
    Source,
)
from antiphon_server.memory.encoding.search import microseconds
from antiphon_server.memory.model import AssemblyWish, ConversationId, MessageId, Newest
from antiphon_server.memory.remembered import Kind
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.rpc.times import micros_of

BETWEEN = "\n\n"
"""Stands between the texts where they are told as one."""


def assembly_wish_of(request: pb.AssembleContextRequest) -> AssemblyWish:
    """What is to be put together."""
    return AssemblyWish(
        ConversationId(request.conversation_id),
        request.query,
        request.max_tokens,
        MessageId(request.message_id),
        request.turn_id,
        newest_of(request.newest) if request.HasField("newest") else None,
        request.user_id,
        request.workspace_id,
    )


def newest_of(it: pb.NewestMessages) -> Newest:
    """The newest messages that somebody has."""
    return Newest(
        MessageId(it.first_message_id),
        micros_of(it, "first_time") or 0,
        it.count,
        it.tokens,
        it.omitted_messages,
        {speaker.author: speaker.display_name for speaker in it.speakers},
    )


def assembled(it: Assembly) -> pb.AssembleContextResponse:
    """What was put together."""
    response = pb.AssembleContextResponse(
        items=map(_item, it.items),
        recalled=BETWEEN.join(it.texts),
        estimated_tokens=it.tokens,
        left_out=map(_left_out, it.left_out),
        texts=it.texts,
    )
    if it.window:
        response.context.MergeFromString(it.window)
    return response


def explained(it: Assembly) -> pb.ExplainContextResponse:
    """What was put together, for who asks later."""
    newest = pb.NewestMessages(
        first_message_id=it.newest.first_message_id,
        count=it.newest.count,
        tokens=it.newest.tokens,
        omitted_messages=it.newest.omitted,
    )
    if it.newest.first_us:
        newest.first_time.FromMicroseconds(it.newest.first_us)
    response = pb.ExplainContextResponse(
        newest=newest,
        items=map(_item, it.items),
        left_out=map(_left_out, it.left_out),
        max_tokens=it.max_tokens,
    )
    response.create_time.FromMicroseconds(it.time_us)
    return response


def assembly_of(it: pb.ExplainContextResponse) -> Assembly:
    """What was kept of it; items of sources that a newer server knows are not told."""
    return Assembly(
        newest_of(it.newest),
        it.max_tokens,
        microseconds(it.create_time),
        [item for each in it.items if (item := _item_of(each)) is not None],
        [LeftOut(each.count, each.reason) for each in it.left_out],
    )


def _item(it: Item) -> pb.ContextItem:
    item = pb.ContextItem(
        text=it.text, tokens=it.tokens, score=it.score, parts=it.parts, reason=it.reason
    )
    match it.source:
        case OfMessage() as message:
            item.message.CopyFrom(_message(message))
        case OfMemory() as memory:
            item.memory.CopyFrom(_memory(memory))
        case OfSection() as section:
            item.whiteboard_section.CopyFrom(
                pb.SectionSource(
                    name=section.name, version=section.version, shortened=section.shortened
                )
            )
        case OfSummary() as summary:
            item.summary.CopyFrom(_summary(summary))
        case OfProfile(user_id, workspace_id, time_us):
            item.profile.CopyFrom(
                pb.ProfileSource(user_id=user_id, workspace_id=workspace_id, time=_time(time_us))
            )
    return item


def _message(it: OfMessage) -> pb.MessageSource:
    return pb.MessageSource(
        message_id=it.message_id,
        author=it.author,
        create_time=_time(it.time_us),
        author_name=it.author_name,
    )


def _memory(it: OfMemory) -> pb.RememberedSource:
    return pb.RememberedSource(
        memory_id=it.memory_id,
        scope=it.scope,
        kind=MemoryKind.ValueType(it.kind),
        time=_time(it.time_us),
    )


def _summary(it: OfSummary) -> pb.SummarySource:
    return pb.SummarySource(
        level=it.level,
        number=it.number,
        first_message_id=it.first_message_id,
        last_message_id=it.last_message_id,
        first_time=_time(it.first_us),
        last_time=_time(it.last_us),
        messages=it.messages,
    )


def _item_of(it: pb.ContextItem) -> Item | None:
    source = _source_of(it)
    if source is None:
        return None
    return Item(source, it.text, it.tokens, it.score, dict(it.parts), it.reason)


def _source_of(it: pb.ContextItem) -> Source | None:
    match it.WhichOneof("source"):
        case "message":
            said = it.message
            return OfMessage(
                MessageId(said.message_id), said.author, microseconds(said.create_time)
            )
        case "memory":
            kept = it.memory
            return OfMemory(kept.memory_id, kept.scope, Kind(kept.kind), microseconds(kept.time))
        case "whiteboard_section":
            section = it.whiteboard_section
            return OfSection(section.name, section.version, section.shortened)
        case "summary":
            return _of_summary(it.summary)
        case "profile":
            who = it.profile
            return OfProfile(UserId(who.user_id), who.workspace_id, microseconds(who.time))
        case _:
            return None


def _of_summary(it: pb.SummarySource) -> OfSummary:
    return OfSummary(
        it.level,
        it.number,
        it.first_message_id,
        it.last_message_id,
        microseconds(it.first_time),
        microseconds(it.last_time),
        it.messages,
    )


def _left_out(it: LeftOut) -> pb.LeftOutItems:
    return pb.LeftOutItems(count=it.count, reason=it.reason)


def _time(time_us: int) -> Timestamp:
    time = Timestamp()
    time.FromMicroseconds(time_us)
    return time
