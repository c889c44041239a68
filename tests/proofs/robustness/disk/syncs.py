"""The order of syncs: a traced server under marked traffic, judged by its own system calls."""

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from tests.e2e.process import COMMAND
from tests.e2e.server import ServerProcess, openai_model
from tests.proofs.robustness.disk.marks import Crowd, MarkedEndpoint, Told
from tests.proofs.robustness.disk.order import Order
from tests.proofs.robustness.disk.tracing import traced, written

POSTERS, ASKERS = 6, 2


@dataclass(slots=True)
class Syncs:
    """What the trace showed. ``wrong`` is what was said too soon, or could not be judged."""

    acknowledged: int = 0
    delivered: int = 0
    appearances: int = 0
    syncs: int = 0
    trace_mib: float = 0.0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in a line."""
        return (
            f"order of syncs: {self.acknowledged} marks acknowledged, {self.delivered} delivered, "
            f"{self.appearances} appearances on the wire, {self.syncs} syncs of the log of the "
            f"database; {len(self.wrong)} violations ({self.trace_mib:.0f} MiB of trace, "
            f"{self.seconds:.0f} s)"
        )


async def order_of_syncs(
    home: Path,
    posts: int,
    turns: int,
    *,
    conversations: int = 4,
    program: Sequence[str] = COMMAND,
    variables: Mapping[str, str] | None = None,
) -> Syncs:
    """So many posts and turns, each told to two followers; ``program`` is what is traced."""
    began, trace, told = time.monotonic(), home / "trace", Told()
    async with MarkedEndpoint() as endpoint:
        models = [openai_model("fake/ok", endpoint.base_url)]
        async with ServerProcess(
            home, models=models, command=traced(trace, program), variables=variables
        ) as server:
            await _traffic(server, told, posts, turns, conversations)
        await written(trace, server.pid)
    judged = await asyncio.to_thread(judge, trace, server.port, told)
    judged.seconds = time.monotonic() - began
    return judged


async def _traffic(
    server: ServerProcess, told: Told, posts: int, turns: int, conversations: int
) -> None:
    post_numbers, turn_numbers = itertools.count(), itertools.count()
    async with server.client() as client, AsyncExitStack() as stack:
        crowds = []
        for _ in range(conversations):
            conversation = await client.create_conversation(policy=TURN_POLICY_PARALLEL)
            crowd = Crowd(client, conversation.conversation_id, told)
            crowds.append((crowd, await stack.enter_async_context(crowd.watched())))
        async with asyncio.TaskGroup() as group:
            for crowd, talk in crowds:
                for _ in range(POSTERS):
                    group.create_task(crowd.post(post_numbers, posts))
                for at in range(ASKERS):
                    group.create_task(crowd.ask(turn_numbers, turns, talk if at % 2 else None))


def judge(trace: Path, port: int, told: Told) -> Syncs:
    """Read the trace, and hold it against what clients were told."""
    with trace.open("rb") as lines:
        order = Order(port).read(lines)
    marks = {_mark(it) for it in (*told.acknowledged, *told.delivered)}
    unjudged = [mark for mark in marks if mark not in order.said]
    wrong = list(order.early)
    wrong += [f"{it.decode()} was told, and the trace shows no such thing" for it in unjudged]
    return Syncs(
        len(told.acknowledged),
        len(told.delivered),
        order.said.total(),
        order.syncs,
        trace.stat().st_size / (1 << 20),
        wrong=wrong,
    )


def _mark(told: str) -> bytes:
    """The mark in what a client was told."""
    return told.removeprefix("turn_")[:12].encode()
