"""The contract's summaries <-> memory's own."""

from antiphon.memory.v1 import summary_pb2 as pb
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.summaries.model import Line, Node, State, Summary


def summary_message(conversation_id: ConversationId, it: Summary) -> pb.Summary:
    """Encode a summary that was made."""
    message = pb.Summary(
        conversation_id=conversation_id,
        level=it.node.level,
        number=it.node.number,
        first_message_id=it.first_message_id,
        last_message_id=it.last_message_id,
        messages=it.messages,
        people=map(_line_message, it.people),
        assistants=map(_line_message, it.assistants),
        origin=pb.SummaryOrigin.ValueType(int(it.state)),
        model=it.model,
    )
    message.create_time.FromMicroseconds(it.create_us)
    if it.messages:
        message.first_time.FromMicroseconds(it.first_us)
        message.last_time.FromMicroseconds(it.last_us)
    return message


def summary_of(message: pb.Summary) -> Summary:
    """What was encoded so."""
    return Summary(
        Node(message.level, message.number),
        message.first_message_id,
        message.last_message_id,
        message.first_time.ToMicroseconds(),
        message.last_time.ToMicroseconds(),
        message.messages,
        tuple(map(_line_of, message.people)),
        tuple(map(_line_of, message.assistants)),
        State(message.origin),
        message.model,
        message.create_time.ToMicroseconds(),
    )


def _line_message(it: Line) -> pb.SummaryLine:
    message = pb.SummaryLine(
        text=it.text,
        message_id=it.message_id,
        author=it.author,
        weight=it.weight,
        author_name=it.author_name,
    )
    if it.time_us:
        message.create_time.FromMicroseconds(it.time_us)
    return message


def _line_of(it: pb.SummaryLine) -> Line:
    time_us = it.create_time.ToMicroseconds()
    return Line(it.text, it.message_id, it.author, time_us, it.weight, it.author_name)
