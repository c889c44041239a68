"""Webhooks and deliveries as rows of their tables; secrets are sealed there."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from antiphon.dispatcher.v1 import webhook_pb2 as pb
from antiphon_server.notifying.encoding import filter_of
from antiphon_server.notifying.model import (
    Delivery,
    DisabledReason,
    Outcome,
    Secret,
    State,
    Webhook,
)
from antiphon_server.runtime.access.server_secret import ServerSecret


class Sealing:
    """Webhooks as rows, whose secrets only this installation opens."""

    def __init__(self, secret: ServerSecret) -> None:
        self._secret = secret

    def row_of(self, it: Webhook) -> dict[str, Any]:
        """Encode a webhook."""
        return {
            "webhook_id": it.webhook_id,
            "owner": it.owner,
            "creator": it.creator,
            "created_us": it.created_us,
            "said": it.said,
            "secrets": self._secret.seal(_plain(it.secrets), _purpose(it.webhook_id)),
            "etag": it.etag,
            "disabled": int(it.disabled),
            "failing_us": it.failing_us,
            "full_us": it.full_us,
            "dropped": it.dropped,
        }

    def webhook_of(self, row: Any) -> Webhook:
        """Decode one; without secrets if another installation has sealed them."""
        plain = self._secret.open(row.secrets, _purpose(row.webhook_id))
        said = pb.Webhook.FromString(row.said)
        return Webhook(
            row.webhook_id,
            row.owner,
            row.creator,
            row.created_us,
            said.url,
            row.said,
            filter_of(said),
            _secrets(plain) if plain is not None else (),
            row.etag,
            DisabledReason(row.disabled),
            row.failing_us,
            row.full_us,
            row.dropped,
        )


def delivery_row(it: Delivery) -> dict[str, Any]:
    """Encode a delivery."""
    return {
        "webhook_id": it.webhook_id,
        "notification_id": it.notification_id,
        "host": it.host,
        "created_us": it.created_us,
        "body": it.body,
        "state": int(it.state),
        "attempts": it.attempts,
        "outcome": int(it.outcome),
        "status": it.status,
        "attempt_us": it.attempt_us,
        "next_us": it.next_us,
        "claim": it.claim,
    }


def delivery_of(row: Any) -> Delivery:
    """Decode one."""
    return Delivery(
        row.webhook_id,
        row.notification_id,
        row.host,
        row.created_us,
        row.body,
        State(row.state),
        row.attempts,
        Outcome(row.outcome),
        row.status,
        row.attempt_us,
        row.next_us,
        row.claim,
    )


def _purpose(webhook_id: str) -> str:
    return f"secrets of webhook {webhook_id}"


def _plain(secrets: Sequence[Secret]) -> bytes:
    told = [[base64.b64encode(it.key).decode(), it.until_us] for it in secrets]
    return json.dumps(told).encode()


def _secrets(plain: bytes) -> tuple[Secret, ...]:
    return tuple(Secret(base64.b64decode(key), until) for key, until in json.loads(plain))
