"""A fake OpenAI-compatible endpoint.

::

    async with FakeEndpoint(Behaviour(deltas=3)) as endpoint:
        endpoint.base_url, endpoint.seen

The request's model may name a mode (``{"model": "hang"}``); otherwise the behaviours in ``plan``
are used up, one a request, then ``behaviour``.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from tests.e2e.until import until
from tests.fakes.openai_behaviour import (
    MODES,
    WHOLE,
    Behaviour,
    Seen,
    delta,
    end,
    refusal,
    thought,
)
from tests.fakes.served import Served

MAX_SEEN = 10_000


class FakeEndpoint(Served):
    """Answers ``POST /v1/chat/completions`` on the loopback interface."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        super().__init__("/v1/chat/completions")
        self.behaviour = behaviour or Behaviour()
        self.plan: deque[Behaviour] = deque()
        self.seen: deque[Seen] = deque(maxlen=MAX_SEEN)

    @property
    def base_url(self) -> str:
        """What a client is given."""
        return f"{self.url}/v1"

    def next_behaviour(self, body: Mapping[str, Any]) -> Behaviour:
        """How to answer the next request."""
        if self.plan:
            return self.plan.popleft()
        model = str(body.get("model", ""))
        if model in MODES and model != self.behaviour.mode:
            return replace(self.behaviour, mode=model)
        return self.behaviour

    def texts(self, behaviour: Behaviour) -> Sequence[str]:
        """What an answer says, delta by delta."""
        return [behaviour.text] * behaviour.deltas

    async def wait_aborted(self, at: int = -1, timeout_s: float = 15.0) -> float:
        """When the connection of request ``at`` was aborted (monotonic seconds)."""
        await until(lambda: bool(self.seen) and self.seen[at].aborted is not None, timeout_s)
        aborted = self.seen[at].aborted
        assert aborted is not None
        return aborted

    async def wait_seen(self, count: int, timeout_s: float = 15.0) -> None:
        """Wait until ``count`` requests have come."""
        await until(lambda: len(self.seen) >= count, timeout_s)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as planned, and note what becomes of it."""
        body, received = await request.json(), time.monotonic()
        headers = {name.lower(): value for name, value in request.headers.items()}
        behaviour = self.next_behaviour(body)
        seen = Seen(headers, body, received, behaviour.mode)
        self.seen.append(seen)
        try:
            response = await self._said(request, seen, behaviour)
        except (asyncio.CancelledError, ConnectionError):
            seen.aborted = time.monotonic()
            raise
        seen.ended = time.monotonic()
        return response

    async def _said(
        self, request: web.Request, seen: Seen, behaviour: Behaviour
    ) -> web.StreamResponse:
        if behaviour.mode == "hang":
            await asyncio.Event().wait()
        if behaviour.mode == "too_long" or behaviour.mode.isdigit():
            return refusal(behaviour)
        await asyncio.sleep(behaviour.first_byte_ms / 1000)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(behaviour.thoughts):
            await response.write(thought())
            await asyncio.sleep(behaviour.gap_ms / 1000)
        texts, whole = self.texts(behaviour), behaviour.mode in WHOLE
        for at, text in enumerate(texts if whole else texts[: len(texts) // 2]):
            if at and behaviour.gap_ms:
                await asyncio.sleep(behaviour.gap_ms / 1000)
            await _write(response, delta(text), in_bytes=behaviour.mode == "drip")
            seen.sent += 1
        if whole:
            await response.write_eof(end(behaviour))
        else:
            await _break_off(request, response, behaviour)
        return response


async def _write(response: web.StreamResponse, event: bytes, *, in_bytes: bool) -> None:
    for piece in [event[at : at + 1] for at in range(len(event))] if in_bytes else [event]:
        await response.write(piece)
        if in_bytes:
            await asyncio.sleep(0)


_NOTHING = {"newlines": b"\n" * 65536, "comments": b": ping\n\n" * 8192, "pings": b": ping\n\n"}


async def _break_off(
    request: web.Request, response: web.StreamResponse, behaviour: Behaviour
) -> None:
    match behaviour.mode:
        case "silent":
            await asyncio.Event().wait()
        case "garbage":
            await response.write(b"data: {not json\n\n")
        case "fault":
            await response.write(b'data: {"error": {"message": "canary-4711"}}\n\n')
        case "flood":
            await response.write(b"data: ")
            while True:
                await response.write(b"x" * 65536)
                await asyncio.sleep(0)
        case "newlines" | "comments" | "pings" as nothing:
            while True:
                await response.write(_NOTHING[nothing])
                await asyncio.sleep(behaviour.gap_ms / 1000)
        case "cut":
            assert request.transport is not None
            request.transport.close()


__all__ = ["Behaviour", "FakeEndpoint", "Seen"]
