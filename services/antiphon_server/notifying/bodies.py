"""What is posted: the contract's WebhookMessage in the JSON of proto3."""

import json

from google.protobuf import json_format

from antiphon.dispatcher.v1.webhook_pb2 import WebhookMessage
from antiphon.events.v1 import event_pb2
from antiphon_server.notifying.model import Kind, Note
from antiphon_server.runtime.rpc.times import timestamp

TYPES = {
    Kind.TURN_ENDED: "turn.ended",
    Kind.TURN_WAITING: "turn.waiting",
    Kind.TURN_HANDED_OFF: "turn.handed_off",
    Kind.HANDOFF_ENDED: "handoff.ended",
}
TEST = "webhook.test"


def message_of(note: Note) -> bytes:
    """A notification as it is posted."""
    event = event_pb2.Event.FromString(note.body)
    assert note.about is not None, "webhooks want no other"
    return _json(
        WebhookMessage(
            type=TYPES[note.about.kind],
            timestamp=timestamp(note.created_us),
            data=event.turn_notified,
        )
    )


def trial_message(now_us: int) -> bytes:
    """What is posted to try a webhook out."""
    return _json(WebhookMessage(type=TEST, timestamp=timestamp(now_us)))


def message_from(body: bytes) -> WebhookMessage:
    """What was posted; fields that a newer server added are left out."""
    return json_format.Parse(body, WebhookMessage(), ignore_unknown_fields=True)


def _json(message: WebhookMessage) -> bytes:
    said = json_format.MessageToDict(message)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
