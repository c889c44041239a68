"""A fake endpoint on Anthropic's streaming wire.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from tests.fakes.served import Served


class FakeAnthropic(Served):
    """Answers ``POST /v1/messages``; ``mode`` is ok, endless, cut or an HTTP status."""

    texts = ("The", " capital", " is Paris.")

    def __init__(self) -> None:
        super().__init__("/v1/messages")
        self.mode = "ok"
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._aborted: asyncio.Queue[float] = asyncio.Queue()

    async def wait_aborted(self) -> float:
        """When a request was aborted (monotonic seconds)."""
        return await asyncio.wait_for(self._aborted.get(), 2)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the mode says."""
        self.bodies.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        if self.mode.isdigit():
            error = {"type": "error", "error": {"type": "x", "message": "canary-4711 sk-secret"}}
            return web.json_response(error, status=int(self.mode))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._stream(response)
        except asyncio.CancelledError:
            self._aborted.put_nowait(time.monotonic())
            raise
        return response

    async def _stream(self, response: web.StreamResponse) -> None:
        message: dict[str, object] = {"id": "msg_1", "type": "message", "role": "assistant"}
        message |= {"content": [], "model": "claude-sonnet-4-6"}
        message |= {"stop_reason": None, "stop_sequence": None}
        usage = {"input_tokens": 14, "output_tokens": 1}
        await _send(response, "message_start", message=message | {"usage": usage})
        block = {"type": "text", "text": ""}
        await _send(response, "content_block_start", index=0, content_block=block)
        await _send(response, "ping")
        for text in self.texts:
            await _text(response, text)
        while self.mode == "endless":
            await asyncio.sleep(0.005)
            await _text(response, " and")
        if self.mode == "cut":
            self.hang_up()
            return
        await _send(response, "content_block_stop", index=0)
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        await _send(response, "message_delta", delta=end, usage={"output_tokens": 9})
        await _send(response, "message_stop")


async def _text(response: web.StreamResponse, text: str) -> None:
    delta = {"type": "text_delta", "text": text}
    await _send(response, "content_block_delta", index=0, delta=delta)


async def _send(response: web.StreamResponse, kind: str, **fields: object) -> None:
    data = json.dumps({"type": kind, **fields})
    await response.write(f"event: {kind}\ndata: {data}\n\n".encode())
