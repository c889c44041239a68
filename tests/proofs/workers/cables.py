"""Streams between programs that can be held, cut and torn with what is on its way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

import grpc

from antiphon_server.runtime.channels.unconnected_channel import UnconnectedChannel
from tests.proofs.workers.place import Place

Frames = Callable[[Any], None]
T = TypeVar("T")
MOST_S = 0.003
ANSWER_S = 5.0
LOST_SHARE = 0.03
"""So many calls are lost, and so many answers."""


def lost(code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> grpc.aio.AioRpcError:
    """What a transport says of a connection that has broken."""
    return grpc.aio.AioRpcError(
        code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="connection lost"
    )


class _Way:
    """Frames in one direction, in order; an exception among them ends it."""

    def __init__(self) -> None:
        self.frames: deque[Any] = deque()
        self.news = asyncio.Event()
        self.flowing = asyncio.Event()
        self.flowing.set()

    def put(self, frame: Any) -> None:
        self.frames.append(frame)
        self.news.set()

    async def get(self) -> Any:
        while not self.frames:
            self.news.clear()
            await self.news.wait()
        return self.frames.popleft()


class Cable:
    """A call of a stream both ways, as its client has it; ``call`` is what its server sees."""

    def __init__(
        self, client: Place, server: Place, call: Any, chance: Random, said: Frames, told: Frames
    ) -> None:
        self.client, self.server, self._call, self._chance = client, server, call, chance
        self._said, self._told = said, told
        self._up, self._down, self._arrived = _Way(), _Way(), _Way()
        self.closed = self._over = False
        self._cut_in: int | None = None
        loop = asyncio.get_running_loop()
        self._pumps = [
            server.spawn(self._pump_up(), "cable up"),
            server.spawn(self._pump_down(), "cable down"),
        ]
        self._loop = loop

    async def wait_for_connection(self) -> None:
        """Return when the server is there."""
        if self.closed:
            raise lost()

    async def write(self, frame: Any) -> None:
        """Say a frame."""
        if self._over:
            raise asyncio.InvalidStateError
        if self.closed:
            raise lost()
        self._said(frame)
        self._up.put(type(frame).FromString(frame.SerializeToString()))  # who says it may change it

    async def done_writing(self) -> None:
        """Say no more."""
        self._up.put(grpc.aio.EOF)

    async def read(self) -> Any:
        """The next frame of the server. Raises AioRpcError at the end."""
        frame = await self._arrived.get()
        if isinstance(frame, Exception):
            self._over = True
            self._arrived.put(frame)
            raise frame
        self.client.alive()
        self._told(frame)
        return frame

    def __aiter__(self) -> "Cable":
        return self

    async def __anext__(self) -> Any:
        return await self.read()

    def cancel(self) -> bool:
        """The client hangs up: its server hears of it behind what it has sent, if it can."""
        if not self.closed and not self._over:
            self._over = True
            self._up.put(lost(grpc.StatusCode.CANCELLED))
        return True

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing pass."""
        if up:
            self._up.flowing.clear()
        if down:
            self._down.flowing.clear()

    def flow(self) -> None:
        """Let all pass that was held."""
        self._up.flowing.set()
        self._down.flowing.set()

    def cut(self, *, server_hears: bool = True) -> None:
        """Break the connection: what is on its way is lost."""
        if self.closed:
            return
        self.closed = True
        self._up.frames.clear()
        self._down.frames.clear()
        self._arrived.put(lost())
        if server_hears:
            self._call.cancel()
        for pump in self._pumps:
            pump.cancel()

    def cut_in(self, frames: int) -> None:
        """Break it when so many frames more have passed."""
        self._cut_in = frames

    async def _pump_up(self) -> None:
        while True:
            frame = await self._passed(self._up)
            if isinstance(frame, Exception):
                return self.cut()
            if frame is grpc.aio.EOF:
                await self._call.done_writing()
                return None
            try:
                await self._call.write(frame)
            except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
                return None

    async def _pump_down(self) -> None:
        while True:
            try:
                frame = await self._call.read()
            except grpc.aio.AioRpcError as error:
                frame = error
            except asyncio.CancelledError:
                if not self.server.dead and not self.closed:
                    frame = lost(grpc.StatusCode.CANCELLED)
                else:
                    raise
            self._down.put(frame)
            frame = await self._passed(self._down)
            if frame is grpc.aio.EOF or isinstance(frame, Exception):
                self._arrived.put(lost() if frame is grpc.aio.EOF else frame)
                self.closed = True
                return
            self._arrived.put(frame)

    async def _passed(self, way: _Way) -> Any:
        frame = await way.get()
        await asyncio.sleep(self._chance.uniform(0, MOST_S))
        while not way.flowing.is_set():
            await way.flowing.wait()
        if self._cut_in is not None:
            self._cut_in -= 1
            if self._cut_in < 0:
                self.cut()
                await asyncio.sleep(0)
        return frame


class Net:
    """All cables that there are. ``unreachable`` are pairs of places that can't begin one."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.cables: list[Cable] = []
        self.apart: set[Place] = set()

    def call(
        self,
        client: Place,
        server: Place,
        open_call: Callable[[], Any],
        said: Frames = lambda _: None,
        told: Frames = lambda _: None,
    ) -> Cable:
        """Begin a call of ``client`` at ``server``. Raises AioRpcError."""
        if server.dead:
            raise lost()
        cable = Cable(client, server, server.here(open_call), self._chance, said, told)
        if client in self.apart or server in self.apart:
            cable.hold()
        self.cables.append(cable)
        return cable

    async def ask(self, client: Place, server: Place, call: Callable[[], Awaitable[T]]) -> T:
        """Have ``server`` do something; it, or its answer, may be lost. Raises AioRpcError."""
        await self._passed(client, server)
        if server.dead:
            raise lost()

        async def asked() -> T:
            return await call()

        task = server.spawn(asked(), "asked")
        task.add_done_callback(lambda it: it.cancelled() or it.exception())  # nobody may wait
        done, _ = await asyncio.wait([task], timeout=ANSWER_S)
        await self._passed(client, server)
        if not done or task.cancelled():
            raise lost(grpc.StatusCode.DEADLINE_EXCEEDED)
        return task.result()

    async def _passed(self, client: Place, server: Place) -> None:
        until = asyncio.get_running_loop().time() + ANSWER_S
        await asyncio.sleep(self._chance.uniform(0, MOST_S))
        while client in self.apart or server in self.apart:
            if asyncio.get_running_loop().time() > until:
                raise lost(grpc.StatusCode.DEADLINE_EXCEEDED)
            await asyncio.sleep(0.1)
        if self._chance.random() < LOST_SHARE:
            raise lost()
        client.alive()

    def of(self, place: Place) -> list[Cable]:
        """Those that it has at either end and that are open."""
        self.cables = [it for it in self.cables if not it.closed]
        return [it for it in self.cables if place in (it.client, it.server)]

    async def kill(self, place: Place) -> None:
        """Kill a program, and with it all connections."""
        place.dead = True
        for cable in self.of(place):
            cable.cut(server_hears=place is not cable.server)
        await place.kill()

    def part(self, place: Place) -> None:
        """Let nothing pass from or to it."""
        self.apart.add(place)
        for cable in self.of(place):
            cable.hold()

    def join(self, place: Place, *, torn: bool) -> None:
        """Let all pass again, or tear what has been held."""
        self.apart.discard(place)
        for cable in self.of(place):
            if torn:
                cable.cut()
            elif not self._is_held(cable):
                cable.flow()

    def _is_held(self, cable: Cable) -> bool:
        ends = (cable.client, cable.server)
        return any(it in self.apart for it in ends)


class Line(UnconnectedChannel):
    """A channel of one server to whichever has an address now; ``say_who`` says who calls."""

    def __init__(
        self,
        net: Net,
        client: Place,
        there: Callable[[], tuple[Place, Any]],
        say_who: Callable[[], object],
    ) -> None:
        self._net, self._client, self._there, self._say_who = net, client, there, say_who

    def stream_stream(self, method: str, *about: Any, **named: Any) -> Any:
        """Calls of that method, each a cable. Raises AioRpcError."""

        def call(**_: Any) -> Cable:
            server, channel = self._there()
            return self._net.call(
                self._client, server, channel.stream_stream(method, *about, **named)
            )

        return call

    def unary_unary(self, method: str, *about: Any, **named: Any) -> Any:
        """Calls of that method. Each raises AioRpcError."""

        async def call(request: Any, **how: Any) -> Any:
            server, channel = self._there()
            asked = channel.unary_unary(method, *about, **named)

            def begun() -> Any:
                self._say_who()
                return asked(request, **how)

            return await self._net.ask(self._client, server, begun)

        return call

    unary_stream = stream_unary = unary_unary

    async def close(self, grace: float | None = None) -> None:
        """Nothing is kept."""
