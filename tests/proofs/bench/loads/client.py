"""What loads share: channels, credentials, conversations, and a window of time to count in."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import grpc

from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from tests.proofs.bench.processes import used_s

WARM_S = 0.5
_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 4 << 20),
)
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Who is measured: a server's address and process id, and a token if it wants one.

    ``parts`` are the processes that do the work, by what their time is counted as; ``web`` says
    that it is called by grpc-web.
    """

    address: str
    pid: int
    token: str = ""
    parts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    web: bool = False

    @property
    def metadata(self) -> Metadata:
        """The credentials of a call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def channel(self) -> grpc.aio.Channel:
        """A connection of its own."""
        return grpc.aio.insecure_channel(self.address, _OPTIONS)

    async def conversation(self, channel: grpc.aio.Channel) -> str:
        """A new conversation of the caller's; for a floor, which has none, some id."""
        if not self.token:
            return f"conv_{secrets.token_hex(8)}"
        answer = await ContextServiceStub(channel).CreateConversation(
            CreateConversationRequest(), metadata=self.metadata, timeout=30
        )
        return answer.conversation.conversation_id

    @property
    def cpu_s(self) -> float:
        """Processor time that the server has used, with its processes, in seconds."""
        return used_s(self.pid)

    def parts_s(self) -> dict[str, float]:
        """What each part has used."""
        return {part: sum(map(used_s, pids)) for part, pids in self.parts.items()}


@dataclass(slots=True)
class Window:
    """A stretch of time that counts, after a warm-up; and what server and client used in it."""

    target: Target
    seconds: float
    warm_s: float = WARM_S
    begin: float = float("inf")
    end: float = float("inf")
    cpu_s: float = 0.0
    client_cpu_s: float = 0.0
    parts_s: dict[str, float] = field(default_factory=dict)

    async def run(self, clients: Iterable[Callable[[], Awaitable[None]]]) -> None:
        """Start the clients, let the window pass, and end them. Raises what a client raised."""
        tasks = [asyncio.ensure_future(_forever(client)) for client in clients]
        passing = asyncio.ensure_future(self._pass())
        try:
            await asyncio.wait([passing, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            await passing
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass(self) -> None:
        await asyncio.sleep(self.warm_s)
        parts = self.target.parts_s()
        used, own, self.begin = self.target.cpu_s, time.process_time(), time.perf_counter()
        self.end = self.begin + self.seconds
        await asyncio.sleep(self.seconds)
        self.client_cpu_s, self.cpu_s = time.process_time() - own, self.target.cpu_s - used
        self.parts_s = {part: s - parts[part] for part, s in self.target.parts_s().items()}

    def counts(self, moment: float) -> bool:
        """Whether something that ended (or began) at ``moment`` is within."""
        return self.begin <= moment < self.end


async def _forever(client: Callable[[], Awaitable[None]]) -> None:
    while True:
        await client()


@contextlib.asynccontextmanager
async def channels(target: Target, count: int) -> AsyncIterator[list[grpc.aio.Channel]]:
    """So many connections for the time of the block."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(target.channel()) for _ in range(count)]
