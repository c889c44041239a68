"""Signatures by the Standard Webhooks specification, version 1 (symmetric).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

from antiphon_server.notifying.model import Secret

KEY_BYTES = 32
PREFIX = "whsec_"


def new_key() -> bytes:
    """A random key: the specification asks for 24 to 64 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def shown(key: bytes) -> str:
    """A key as its owner is told it."""
    return PREFIX + base64.b64encode(key).decode()


def headers(
    notification_id: str, now_s: int, body: bytes, keys: Iterable[bytes]
) -> Mapping[str, str]:
    """The headers of a request: one signature by each key, the newest first."""
    signed = f"{notification_id}.{now_s}.".encode() + body
    return {
        "webhook-id": notification_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def valid(secrets: Iterable[Secret], now_us: int) -> list[Secret]:
    """Those that sign now, the newest first."""
    return [it for it in secrets if it.until_us is None or it.until_us > now_us]


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
