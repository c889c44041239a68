"""A fake endpoint on Anthropic's streaming wire.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.fakes.served import Served


class FakeAnthropic(Served):
    """Answers ``POST /v1/messages``; ``mode`` is ok, thinks, length, endless, cut or a status.

    Behind its texts it asks for ``calls``: names, and the pieces of their arguments. ``cached`` is
    what it tells of its cache.
    """

    texts = ("The", " capital", " is Paris.")

    def __init__(self) -> None:
        super().__init__("/v1/messages")
        self.mode = "ok"
        self.calls: Sequence[tuple[str, Sequence[str]]] = ()
        self.cached: dict[str, int] = {}
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
        usage = {"input_tokens": 14, "output_tokens": 1} | self.cached
        await _send(response, "message_start", message=message | {"usage": usage})
        if self.mode == "thinks":
            await _thought(response, "hm")
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
        for at, (name, arguments) in enumerate(self.calls, 1):
            await _call(response, at, name, arguments)
        reason = "tool_use" if self.calls else "end_turn"
        reason = "max_tokens" if self.mode == "length" else reason
        end = {"stop_reason": reason, "stop_sequence": None}
        await _send(response, "message_delta", delta=end, usage={"output_tokens": 9})
        await _send(response, "message_stop")


async def _thought(response: web.StreamResponse, thought: str) -> None:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    await _send(response, "content_block_start", index=9, content_block=block)
    delta = {"type": "thinking_delta", "thinking": thought}
    await _send(response, "content_block_delta", index=9, delta=delta)
    await _send(response, "content_block_stop", index=9)


async def _text(response: web.StreamResponse, text: str) -> None:
    delta = {"type": "text_delta", "text": text}
    await _send(response, "content_block_delta", index=0, delta=delta)


async def _call(
    response: web.StreamResponse, index: int, name: str, arguments: Sequence[str]
) -> None:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    await _send(response, "content_block_start", index=index, content_block=block)
    for piece in arguments:
        delta = {"type": "input_json_delta", "partial_json": piece}
        await _send(response, "content_block_delta", index=index, delta=delta)
    await _send(response, "content_block_stop", index=index)


async def _send(response: web.StreamResponse, kind: str, **fields: object) -> None:
    data = json.dumps({"type": kind, **fields})
    await response.write(f"event: {kind}\ndata: {data}\n\n".encode())
