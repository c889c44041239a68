"""A TCP proxy that misbehaves on command: cuts, stalls, throttles, half-closes, refuses."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Self

Way = Literal["up", "down", "both"]  # up: client to server
_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # linger for 0 s: close sends RST


class Pipe:
    """One direction of one connection."""

    def __init__(self, rules: "Rules", source: asyncio.StreamReader, sink: asyncio.StreamWriter):
        self._rules = rules
        self._source = source
        self._sink = sink
        self.carried = 0
        self._ended = False

    async def run(self) -> None:
        """Carry bytes until an end closes; then close the other for writing."""
        while chunk := await self._source.read(self._rules.chunk):
            if self._rules.seen is not None:
                self._rules.seen += chunk
            if self._rules.cuts(chunk):
                self._ended = True
            await self._rules.flowing.wait()
            if self._rules.delay_s:
                await asyncio.sleep(self._rules.delay_s)
            if self._rules.bytes_per_s:
                await asyncio.sleep(len(chunk) / self._rules.bytes_per_s)
            if self._ended:  # what still comes has nowhere to go
                continue
            self._sink.write(chunk)
            self.carried += len(chunk)
            self._rules.carried(len(chunk))
            await self._sink.drain()
        self.half_close()

    def half_close(self) -> None:
        """Send FIN to the receiving end; the other direction goes on."""
        self._ended = True
        with contextlib.suppress(OSError):
            if self._sink.can_write_eof():
                self._sink.write_eof()


@dataclass
class Rules:
    """What is done to all bytes of one direction; ``seen`` keeps them where it is given."""

    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    chunk: int = _CHUNK
    cut_after: int | None = None
    cut_before: bytes = b""
    cut_at: int = 0
    seen: bytearray | None = None
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    on_budget_spent: "asyncio.Event" = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.flowing.set()

    def cuts(self, chunk: bytes) -> bool:
        """Whether it holds what shall not arrive."""
        found = chunk.count(self.cut_before) if self.cut_before else 0
        self.cut_at -= found
        if not found or self.cut_at > 0:
            return False
        self.cut_before = b""
        self.on_budget_spent.set()
        return True

    def carried(self, count: int) -> None:
        """Count down to the cut that was asked for."""
        if self.cut_after is not None:
            self.cut_after -= count
            if self.cut_after <= 0:
                self.cut_after = None
                self.on_budget_spent.set()


class Link:
    """One connection through the proxy."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        up: Rules,
        down: Rules,
    ) -> None:
        self._writers = (client[1], server[1])
        self.up = Pipe(up, client[0], server[1])
        self.down = Pipe(down, server[0], client[1])

    async def run(self) -> None:
        """Carry both directions until both have ended or one has broken."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.up.run())
                group.create_task(self.down.run())
        except* OSError:
            pass
        finally:
            for writer in self._writers:
                writer.close()

    def cut(self) -> None:
        """Reset both ends at once; what is under way is lost."""
        for writer in self._writers:
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, AttributeError):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class Proxy:
    """Listens on ``127.0.0.1:port`` and forwards to ``target``; an async context manager."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self.target = (target_host, target_port)
        self.port = 0
        self.connections = 0
        self.up = Rules()
        self.down = Rules()
        self._refusing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._links: dict[Link, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._guards = [
            asyncio.create_task(self._cut_when_spent(rules)) for rules in (self.up, self.down)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        tasks = [*self._guards, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._links)

    def retarget(self, port: int) -> None:
        """Forward new connections to another port, as after a restart."""
        self.target = (self.target[0], port)

    def cut(self) -> None:
        """Reset all connections."""
        for link, task in list(self._links.items()):
            link.cut()
            task.cancel()  # it may wait for a stall to end

    def cut_after(self, count: int, way: Way = "down") -> None:
        """Reset all connections when ``count`` more bytes have passed."""
        for rules in self._rules(way):
            rules.cut_after = count

    @contextlib.asynccontextmanager
    async def cutting(
        self, chance: random.Random, most: int, pauses_s: tuple[float, float]
    ) -> AsyncIterator[None]:
        """Cut at random while the block runs, each time after some bytes, ``most`` of them."""

        async def cut() -> None:
            while True:
                self.cut_after(chance.randint(1, most), chance.choice(["up", "down"]))
                await asyncio.sleep(chance.uniform(*pauses_s))

        task = asyncio.create_task(cut())
        try:
            yield
        finally:
            task.cancel()

    def cut_before(self, words: bytes, at: int = 1, way: Way = "down") -> None:
        """Reset all connections when ``words`` come for the time ``at``: they don't arrive."""
        for rules in self._rules(way):
            rules.cut_before, rules.cut_at = words, at

    def stall(self, way: Way = "both") -> None:
        """Let nothing pass, but keep connections open."""
        for rules in self._rules(way):
            rules.flowing.clear()

    def flow(self) -> None:
        """End stalls, delays, throttles and refusals."""
        self._refusing = False
        for rules in self._rules("both"):
            rules.delay_s = rules.bytes_per_s = 0.0
            rules.chunk = _CHUNK
            rules.flowing.set()

    def throttle(self, bytes_per_s: float, way: Way = "both", chunk: int = 1024) -> None:
        """Let so many bytes a second pass, in pieces of ``chunk``."""
        for rules in self._rules(way):
            rules.bytes_per_s, rules.chunk = bytes_per_s, chunk

    def delay(self, seconds: float, way: Way = "both") -> None:
        """Hold every piece back for so long."""
        for rules in self._rules(way):
            rules.delay_s = seconds

    def half_close(self, way: Way = "down") -> None:
        """Send FIN in one direction; the other goes on."""
        for link in list(self._links):
            if way in ("up", "both"):
                link.up.half_close()
            if way in ("down", "both"):
                link.down.half_close()

    def refuse(self) -> None:
        """Reset new connections until :meth:`flow`; open ones live on."""
        self._refusing = True

    def _rules(self, way: Way) -> tuple[Rules, ...]:
        return {"up": (self.up,), "down": (self.down,), "both": (self.up, self.down)}[way]

    async def _cut_when_spent(self, rules: Rules) -> None:
        while True:
            await rules.on_budget_spent.wait()
            rules.on_budget_spent.clear()
            self.cut()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._refusing:
                raise ConnectionRefusedError
            server = await asyncio.open_connection(*self.target)
        except OSError:
            _reset(writer)
            return
        link = Link((reader, writer), server, self.up, self.down)
        task = asyncio.current_task()
        assert task is not None
        self._links[link] = task
        try:
            await link.run()
        finally:
            del self._links[link]
