"""A model's endpoint that fails in another way for each of its models, and counts what it is asked.

``python -m tests.proofs.weather.endpoint`` prints its base URL, and serves until it is ended.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from aiohttp import web

from tests.fakes.openai_behaviour import Behaviour, delta, end
from tests.fakes.served import Served

LATE_S = 0.5
DRIP_S = 1.0
"""Less than any silence that a server would end."""
ANSWER = Behaviour(deltas=5)
WAYS: Sequence[str] = (
    "refuses",
    "refuses-late",
    "is-busy",
    "closes",
    "hangs",
    "drips",
    "garbage",
    "breaks-off",
)
"""With 503 at once or when it has thought about it, with 429; by closing the connection; saying
nothing, or nothing that is an answer, for ever; no events, or none that end."""


class StormyEndpoint(Served):
    """A request's model is the way in which it is answered; any other one answers, in ``gap_s``.

    An async context manager.
    """

    def __init__(self, gap_s: float = 0.0) -> None:
        super().__init__("/v1/chat/completions")
        self.asked: Counter[str] = Counter()
        """How often each model was asked."""
        self.mended: set[str] = set()
        """Those that answer from now on."""
        self.held: set[str] = set()
        """Those whose answers wait until they are let go."""
        self._let_go = asyncio.Event()
        self._gap_s = gap_s

    @property
    def base_url(self) -> str:
        """What a server is told."""
        return f"{self.url}/v1"

    def let_go(self) -> None:
        """Have all that is held answered."""
        self.held.clear()
        self._let_go.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer in the model's way."""
        model = str((await request.json())["model"])
        self.asked[model] += 1
        way = "" if model in self.mended else model
        match way:
            case "refuses" | "refuses-late":
                await asyncio.sleep(LATE_S if way == "refuses-late" else 0)
                return web.Response(status=503)
            case "is-busy":
                return web.Response(status=429, headers={"Retry-After": "1"})
            case "hangs":
                await asyncio.Event().wait()
            case "closes":
                assert request.transport is not None
                request.transport.close()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if way in WAYS:
            await response.prepare(request)
            await _say_nothing(response, way)
        else:
            if model in self.held:
                await self._let_go.wait()
            await self._say(request, response)
        return response

    async def _say(self, request: web.Request, response: web.StreamResponse) -> None:
        await response.prepare(request)
        for _ in range(ANSWER.deltas):
            await response.write(delta(ANSWER.text))
            await asyncio.sleep(self._gap_s / ANSWER.deltas)
        await response.write_eof(end(ANSWER))


async def _say_nothing(response: web.StreamResponse, way: str) -> None:
    if way == "garbage":
        await response.write(b"data: {not json\n\n")
    while way == "drips":  # what keeps a connection open, and is no event
        for byte in (b":", b"\n"):
            await response.write(byte)
            await asyncio.sleep(DRIP_S)


async def _serve() -> None:
    async with StormyEndpoint(gap_s=LATE_S) as endpoint:
        print(endpoint.base_url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
