"""The contract's messages <-> the types of routing."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from antiphon.context.v1.message_pb2 import Message, Part
from antiphon.dispatcher.v1 import route_pb2
from antiphon.events.v1 import event_pb2
from antiphon.events.v1 import route_pb2 as decided_pb2
from antiphon_server.dispatcher.routing_room import Posted
from antiphon_server.routing.model import Ask, Classifier, Decision, Match, Rule, Said
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.revisions.model import Revision

MOST_BYTES = 256 * 1024
"""So large all rules of a parent may be: a hundred revisions are kept."""
LISTS = (
    "types",
    "media_types",
    "languages",
    "senders",
    "workspaces",
    "text_patterns",
    "sender_locales",
)
MAPS = ("metadata", "labels", "sender_fields")


def rules_of(messages: Sequence[route_pb2.RouteRule]) -> tuple[Rule, ...]:
    """Decode a parent's. Raises DomainError INVALID_ARGUMENT: too large."""
    size = sum(it.ByteSize() for it in messages)
    if size > MOST_BYTES:
        raise invalid("rules", f"are {size} bytes, more than {MOST_BYTES}")
    return tuple(map(rule_of, messages))


def rule_of(message: route_pb2.RouteRule) -> Rule:
    """Decode a rule."""
    said: dict[str, Any] = {name: tuple(getattr(message.match, name)) for name in LISTS}
    said |= {name: dict(getattr(message.match, name)) for name in MAPS}
    it = message.classifier
    return Rule(
        message.name,
        message.priority,
        Match(**said),
        message.handler,
        Classifier(tuple(it.handlers), it.min_score, it.min_margin, _ask_of(it))
        if message.HasField("classifier")
        else None,
        message.fallback,
    )


def _ask_of(message: route_pb2.RouteClassifier) -> Ask | None:
    if not message.HasField("ask"):
        return None
    it = message.ask
    return Ask(it.most, it.min_score, it.wait.ToTimedelta().total_seconds())


def rule_message(rule: Rule) -> route_pb2.RouteRule:
    """Encode a rule."""
    message = route_pb2.RouteRule(
        name=rule.name, priority=rule.priority, handler=rule.handler, fallback=rule.fallback
    )
    said = {name: getattr(rule.match, name) for name in (*LISTS, *MAPS)}
    if any(said.values()):
        message.match.MergeFrom(route_pb2.RouteMatch(**said))
    if (it := rule.classifier) is not None:
        message.classifier.SetInParent()
        message.classifier.handlers.extend(it.handlers)
        message.classifier.min_score, message.classifier.min_margin = it.min_score, it.min_margin
        if it.ask is not None:
            _put_ask(message.classifier, it.ask)
    return message


def _put_ask(message: route_pb2.RouteClassifier, ask: Ask) -> None:
    message.ask.SetInParent()
    message.ask.most, message.ask.min_score = ask.most, ask.min_score
    if ask.wait_s:
        message.ask.wait.FromTimedelta(timedelta(seconds=ask.wait_s))


def routes_message(it: Revision[Rule]) -> route_pb2.Routes:
    """Encode the rules of a parent as they were."""
    message = route_pb2.Routes(
        parent=it.parent,
        rules=map(rule_message, it.rules),
        revision=it.number,
        creator=it.creator,
        comment=it.comment,
    )
    if it.created_us:
        message.create_time.FromMicroseconds(it.created_us)
    return message


def decision_message(it: Decision) -> decided_pb2.RouteDecision:
    """Encode why somebody gets a message."""
    message = decided_pb2.RouteDecision(
        handler=it.handler,
        outcome=decided_pb2.RouteOutcome.ValueType(it.outcome),
        parent=it.parent,
        revision=it.revision,
        rule=it.rule,
        candidates=[
            decided_pb2.RouteCandidate(handler=one.handler, score=one.score)
            for one in it.candidates
        ],
        margin=it.margin,
        passed_over=it.passed_over,
        fallback=it.fallback,
    )
    if (question := it.question) is not None:
        message.question.handlers.extend(one.handler for one in question.experts)
        message.question.wait.FromTimedelta(timedelta(seconds=question.wait_s))
    return message


def content_of(message: Message) -> bytes:
    """A message as turns have it."""
    return event_pb2.MessagePosted(message=message).SerializeToString(deterministic=True)


def said_of(posted: Posted) -> Said:
    """What rules look at, of a message as turns have it."""
    conversation = posted.conversation
    message = event_pb2.MessagePosted.FromString(posted.content).message
    return Said(
        "\n".join(part.text for part in message.parts if part.HasField("text")),
        message.type,
        tuple(_media_types(message.parts)),
        dict(message.metadata),
        dict(conversation.labels),
        conversation.language,
        posted.sender,
        conversation.workspace_id,
        posted.attended,
    )


def _media_types(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        kind = part.WhichOneof("content")
        if kind == "text":
            yield "text/plain"
        elif kind is not None:
            yield getattr(part, kind).media_type
