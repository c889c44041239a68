"""A receiver of webhooks that checks what it gets, and answers as it is told."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.served import Served

TOLERANCE_S = 300


@dataclass(frozen=True, slots=True)
class Received:
    """A request: its id, what it says, and by how many of the known secrets it is signed."""

    notification_id: str
    body: Mapping[str, Any]
    signed_by: int
    headers: Mapping[str, str]

    @property
    def data(self) -> Mapping[str, Any]:
        """What the turn's notification says."""
        found: Mapping[str, Any] = self.body.get("data", {})
        return found


@dataclass(slots=True)
class Answer:
    """What the next requests are answered with; it hangs for so long first."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs_s: float = 0.0
    body: bytes = b""


class WebhookReceiver(Served):
    """Takes what is posted to ``/hook``. ``answers`` are for the next requests, then it is 200."""

    def __init__(self) -> None:
        super().__init__("/hook")
        self.secrets: list[str] = []
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        self.always = Answer()

    @property
    def hook(self) -> str:
        """Where to post."""
        return f"{self.url}/hook"

    @property
    def ids(self) -> list[str]:
        """What was received, in its order."""
        return [it.notification_id for it in self.received]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Note a request, and answer it."""
        import asyncio

        raw = await request.read()
        headers = dict(request.headers)
        signed = sum(verifies(secret, headers, raw) for secret in self.secrets)
        self.received.append(Received(headers["webhook-id"], json.loads(raw), signed, headers))
        told = self.answers.pop(0) if self.answers else self.always
        await asyncio.sleep(told.hangs_s)
        return web.Response(status=told.status, headers=told.headers, body=told.body)


def verifies(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request is signed by a secret, as the specification says, and is of now.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    stamp = headers["webhook-timestamp"]
    if abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((headers["webhook-id"].encode(), stamp.encode(), body))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    found = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(it, f"v1,{wanted}") for it in found)
