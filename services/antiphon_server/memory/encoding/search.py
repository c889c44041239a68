"""The contract's messages <-> memory's own types."""

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.context.v1 import message_pb2
from antiphon.memory.v1 import assembly_service_pb2
from antiphon.memory.v1 import search_service_pb2 as pb
from antiphon_server.memory.model import (
    Answer,
    Assembly,
    AssemblyWish,
    ConversationId,
    Item,
    LeftOut,
    MessageHit,
    MessageId,
    Newest,
    Said,
    SearchWish,
    WorkspaceId,
)
from antiphon_server.runtime.rpc.paging import page_limit

DEFAULT_HITS, MOST_HITS = 10, 100


def microseconds(time: Timestamp) -> int:
    """Since 1970."""
    return time.ToMicroseconds()


def said_of(message: message_pb2.Message) -> Said:
    """What search knows of a message."""
    texts = (part.text for part in message.parts if part.HasField("text"))
    return Said(
        MessageId(message.message_id),
        message.author,
        microseconds(message.create_time),
        "\n".join(texts),
    )


def wish_of(request: pb.SearchMessagesRequest) -> SearchWish:
    """What is looked for."""
    return SearchWish(
        request.query,
        page_limit(request.page_size, default=DEFAULT_HITS, most=MOST_HITS),
        WorkspaceId(request.workspace_id),
        [ConversationId(it) for it in request.conversation_ids],
        frozenset(request.authors),
        microseconds(request.not_before),
        microseconds(request.before),
    )


def response_of(answer: Answer) -> pb.SearchMessagesResponse:
    """What was found."""
    return pb.SearchMessagesResponse(
        hits=map(hit_message, answer.hits),
        searched_conversations=answer.searched,
        pending_conversations=answer.pending,
        omitted_conversations=answer.more,
    )


def hit_message(hit: MessageHit) -> pb.MessageHit:
    """Encode a message that was found."""
    return pb.MessageHit(
        message=message_pb2.Message.FromString(hit.encoded),
        conversation_title=hit.title,
        author_name=hit.author_name,
        score=hit.score,
        parts=hit.parts,
        excerpt=hit.excerpt.text,
        highlights=[pb.Highlight(start=start, end=end) for start, end in hit.excerpt.highlights],
    )


def assembly_wish_of(request: assembly_service_pb2.AssembleContextRequest) -> AssemblyWish:
    """What is to be put together."""
    return AssemblyWish(
        ConversationId(request.conversation_id),
        request.query,
        request.max_tokens,
        MessageId(request.message_id),
        request.turn_id,
        newest_of(request.newest) if request.HasField("newest") else None,
    )


def newest_of(it: assembly_service_pb2.NewestMessages) -> Newest:
    """The newest messages that somebody has."""
    return Newest(
        MessageId(it.first_message_id),
        microseconds(it.first_time),
        it.count,
        it.tokens,
        it.omitted_messages,
        {speaker.author: speaker.display_name for speaker in it.speakers},
    )


def assembled(it: Assembly) -> assembly_service_pb2.AssembleContextResponse:
    """What was put together."""
    response = assembly_service_pb2.AssembleContextResponse(
        items=map(_shown, it.items),
        recalled=it.recalled,
        estimated_tokens=it.tokens,
        left_out=map(_left_out, it.left_out),
    )
    if it.window:
        response.context.MergeFromString(it.window)
    return response


def explained(it: Assembly) -> assembly_service_pb2.ExplainContextResponse:
    """What was put together, for who asks later."""
    newest = assembly_service_pb2.NewestMessages(
        first_message_id=it.newest.first_message_id,
        count=it.newest.count,
        tokens=it.newest.tokens,
        omitted_messages=it.newest.omitted,
    )
    if it.newest.first_us:
        newest.first_time.FromMicroseconds(it.newest.first_us)
    response = assembly_service_pb2.ExplainContextResponse(
        newest=newest,
        items=map(_shown, it.items),
        left_out=map(_left_out, it.left_out),
        max_tokens=it.max_tokens,
    )
    response.create_time.FromMicroseconds(it.time_us)
    return response


def assembly_of(it: assembly_service_pb2.ExplainContextResponse) -> Assembly:
    """What was kept of it."""
    return Assembly(
        newest_of(it.newest),
        it.max_tokens,
        microseconds(it.create_time),
        [_item_of(each) for each in it.items],
        [LeftOut(each.count, each.reason) for each in it.left_out],
    )


_REASONS = {
    "words": "it has words of what was asked",
    "meaning": "it means something like it",
    "neighbours": "it stands beside what has words of it",
    "speaker": "who said it is named",
    "session": "much that was said then has to do with it",
    "date": "it is of the time that is asked for",
    "question": "it answers what was asked then",
}


def _shown(it: Item) -> assembly_service_pb2.ContextItem:
    telling = [name for name in it.parts if name in _REASONS]
    most = max(telling, key=lambda name: it.parts[name], default="words")
    item = assembly_service_pb2.ContextItem(
        message=assembly_service_pb2.MessageSource(
            message_id=it.message_id, author=it.author, author_name=it.author_name
        ),
        text=it.text,
        tokens=it.tokens,
        score=it.score,
        parts=it.parts,
        reason=_REASONS[most],
    )
    item.message.create_time.FromMicroseconds(it.time_us)
    return item


def _item_of(it: assembly_service_pb2.ContextItem) -> Item:
    source = it.message
    return Item(
        MessageId(source.message_id),
        source.author,
        microseconds(source.create_time),
        it.text,
        it.tokens,
        it.score,
        dict(it.parts),
    )


def _left_out(it: LeftOut) -> assembly_service_pb2.LeftOutItems:
    return assembly_service_pb2.LeftOutItems(count=it.count, reason=it.reason)
