"""When a stop is answered, all that the model is ever sent for the turn has left the server.

An endpoint with a loop of its own reads a request when its turn comes, so it may note it after the
answer. Here the kernel is asked instead, in the moment of the answer and before anything else runs:
on one machine what was sent before is in its buffers.
"""

import asyncio
import contextlib
import random
import socket
from pathlib import Path

from antiphon_client import Client, new_turn_id
from tests.e2e.server import ServerProcess, openai_model

STOPS = 40
LATEST_S = 0.03
LATER_S = 0.1


class Kernel:
    """A port whose connections wait in the kernel until somebody looks."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4 * STOPS)
        self._listening.setblocking(False)
        self._open: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]

    def arrived(self) -> int:
        """How many bytes have come since the last look, and a connection is one, too."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._open.append(self._listening.accept()[0])
                self._open[-1].setblocking(False)
                count += 1
        return count + sum(map(_received, self._open))

    def close(self) -> None:
        """Close all."""
        for each in (*self._open, self._listening):
            each.close()


def _received(connection: socket.socket) -> int:
    try:
        return len(connection.recv(1 << 20))
    except (BlockingIOError, ConnectionResetError):
        return 0


async def _stopped(client: Client, conversation_id: str, after_s: float) -> None:
    turn_id = new_turn_id()
    await client.dispatch(conversation_id, "go on", turn_id=turn_id)
    await asyncio.sleep(after_s)
    await client.cancel_turn(conversation_id, turn_id)


async def test_nothing_is_sent_to_a_model_after_a_stop(tmp_path: Path) -> None:
    """Whenever the stop comes: before the request, within it, or while it waits for an answer."""
    kernel, chance, asked, late = Kernel(), random.Random(5), 0, 0
    models = [openai_model("silent/ok", f"http://127.0.0.1:{kernel.port}/v1")]
    try:
        async with ServerProcess(tmp_path, models=models) as server, server.client() as client:
            conversation = (await client.create_conversation()).conversation_id
            for _ in range(STOPS):
                await _stopped(client, conversation, chance.uniform(0.0, LATEST_S))
                asked += kernel.arrived() > 0
                await asyncio.sleep(LATER_S)
                late += kernel.arrived() > 0
            assert server.defects == []
    finally:
        kernel.close()
    assert asked  # some were stopped late enough
    assert not late
