"""The contract's messages <-> webhooks and deliveries."""

from collections.abc import Collection
from dataclasses import replace

from antiphon.dispatcher.v1 import webhook_pb2 as pb
from antiphon.events.v1.event_pb2 import WebhookDisabledReason
from antiphon_server.notifying.bodies import message_from
from antiphon_server.notifying.model import Delivery, DisabledReason, Filter, Webhook
from antiphon_server.notifying.signing import valid
from antiphon_server.runtime.rpc.times import timestamp

SAID = ("url", "description", "kinds", "states", "handlers", "workspaces")
MASKED = (*SAID, "disabled")


def said_of(message: pb.Webhook) -> pb.Webhook:
    """What an owner says of a webhook, alone."""
    return pb.Webhook(**{name: getattr(message, name) for name in SAID})


def filter_of(said: pb.Webhook) -> Filter:
    """What a webhook is told."""
    return Filter(
        frozenset(map(int, said.kinds)),
        frozenset(map(int, said.states)),
        frozenset(said.handlers),
        frozenset(said.workspaces),
    )


def new_webhook(message: pb.Webhook, owner: str, creator: str) -> Webhook:
    """One that is to be made."""
    said = said_of(message)
    return Webhook(
        message.webhook_id,
        owner,
        creator,
        created_us=0,
        url=said.url,
        said=said.SerializeToString(deterministic=True),
        wants=filter_of(said),
        secrets=(),
        disabled=_by_hand(message),
    )


def changed(webhook: Webhook, message: pb.Webhook, paths: Collection[str]) -> Webhook:
    """The webhook with the fields of the message that are named."""
    before, wanted = pb.Webhook.FromString(webhook.said), said_of(message)
    mixed = {name: getattr(wanted if name in paths else before, name) for name in SAID}
    said, disabled = pb.Webhook(**mixed), webhook.disabled
    if "disabled" in paths and message.disabled != bool(disabled):
        disabled = _by_hand(message)
    return replace(
        webhook,
        url=said.url,
        said=said.SerializeToString(deterministic=True),
        wants=filter_of(said),
        disabled=disabled,
    )


def webhook_message(it: Webhook, now_us: int) -> pb.Webhook:
    """Encode a webhook, without its secrets."""
    message = pb.Webhook.FromString(it.said)
    message.webhook_id, message.workspace_id = it.webhook_id, it.workspace_id
    message.disabled = it.disabled is not DisabledReason.NONE
    message.disabled_reason = WebhookDisabledReason.ValueType(it.disabled)
    message.creator, message.etag = it.creator, it.etag
    message.create_time.CopyFrom(timestamp(it.created_us))
    if it.failing_us is not None:
        message.failing_since.CopyFrom(timestamp(it.failing_us))
    if it.full_us is not None:
        message.full_since.CopyFrom(timestamp(it.full_us))
    message.dropped_count = it.dropped
    message.secret_count = len(valid(it.secrets, now_us))
    return message


def delivery_message(it: Delivery) -> pb.Delivery:
    """Encode a delivery."""
    message = pb.Delivery(
        notification_id=it.notification_id,
        webhook_id=it.webhook_id,
        state=pb.DeliveryState.ValueType(it.state),
        attempts=it.attempts,
        outcome=pb.DeliveryOutcome.ValueType(it.outcome),
        status_code=it.status,
        create_time=timestamp(it.created_us),
        message=message_from(it.body),
    )
    if it.attempt_us is not None:
        message.attempt_time.CopyFrom(timestamp(it.attempt_us))
    if it.next_us is not None:
        message.next_attempt_time.CopyFrom(timestamp(it.next_us))
    return message


def _by_hand(message: pb.Webhook) -> DisabledReason:
    return DisabledReason.BY_HAND if message.disabled else DisabledReason.NONE
