"""The contract's messages <-> memory's own types."""

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.context.v1 import message_pb2
from antiphon.memory.v1 import search_service_pb2 as pb
from antiphon_server.memory.model import (
    Answer,
    ConversationId,
    MessageHit,
    MessageId,
    Said,
    SearchWish,
    WorkspaceId,
)
from antiphon_server.runtime.rpc.paging import page_limit
from antiphon_server.runtime.rpc.times import micros_of

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
        message.turn_id,
    )


def wish_of(request: pb.SearchMessagesRequest) -> SearchWish:
    """What is looked for."""
    return SearchWish(
        request.query,
        page_limit(request.page_size, default=DEFAULT_HITS, most=MOST_HITS),
        WorkspaceId(request.workspace_id),
        [ConversationId(it) for it in request.conversation_ids],
        frozenset(request.authors),
        micros_of(request, "not_before") or 0,
        micros_of(request, "before") or 0,
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
